//! Text of jobs on a terminal. A log or a name can hold anything: what would move the cursor, change the
//! window's title or turn the direction of reading is left out; colours stay where they are wanted.

use std::borrow::Cow;

/// What of a line of a log may reach a terminal: its text and its tabs, and colours if `colours`, which end with
/// the line. What was written over counts for its colours alone: text is what follows the last carriage return,
/// those at the end apart.
pub fn line(text: &[u8], colours: bool) -> Cow<'_, [u8]> {
    let returns = text.iter().rev().take_while(|&&byte| byte == b'\r').count();
    let text = &text[..text.len() - returns];
    let last = text.iter().rposition(|&byte| byte == b'\r').map_or(0, |at| at + 1);
    // Most lines, and long logs have many.
    if text.iter().all(|byte| matches!(byte, b'\t' | b'\r' | b' '..=b'~')) {
        return Cow::Borrowed(&text[last..]);
    }
    let mut out = Vec::with_capacity(text.len());
    let (over, shown) = text.split_at(last);
    let was_coloured = draw(over, colours, false, &mut out);
    if draw(shown, colours, true, &mut out) || was_coloured {
        out.extend_from_slice(b"\x1b[0m");
    }
    Cow::Owned(out)
}

/// Puts colours, and text where it `is_shown`, to `out`; whether there were colours.
fn draw(text: &[u8], colours: bool, is_shown: bool, out: &mut Vec<u8>) -> bool {
    let mut coloured = false;
    let text = String::from_utf8_lossy(text);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => match chars.next() {
                Some('[') => {
                    let mut sequence = String::new();
                    let end = chars.by_ref().find(|c| {
                        let is_end = ('\x40'..='\x7e').contains(c);
                        if !is_end {
                            sequence.push(*c);
                        }
                        is_end
                    });
                    let is_colour = end == Some('m')
                        && sequence.chars().all(|c| c.is_ascii_digit() || c == ';' || c == ':');
                    if is_colour && colours {
                        coloured = true;
                        out.extend_from_slice(b"\x1b[");
                        out.extend_from_slice(sequence.as_bytes());
                        out.push(b'm');
                    }
                }
                // Strings for the terminal (titles, links): up to BEL or ESC \.
                Some(']' | 'P' | 'X' | '^' | '_') => {
                    while let Some(c) = chars.next() {
                        if c == '\x07' || c == '\u{9c}' {
                            break;
                        }
                        if c == '\x1b' {
                            chars.next_if_eq(&'\\');
                            break;
                        }
                    }
                }
                // Two-character sequences, and those with intermediate bytes.
                Some(' '..='/') => {
                    chars.next();
                }
                _ => {}
            },
            '\t' if is_shown => out.push(b'\t'),
            c if !is_shown || is_hidden(c) => {}
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    coloured
}

/// A name, an error or another short text, as one line without anything but itself.
pub fn text(text: &str) -> String {
    let text = text.replace(['\n', '\t', '\r'], " ");
    let plain = line(text.as_bytes(), false);
    String::from_utf8_lossy(&plain).into_owned()
}

/// Controls, and marks that turn the direction of what follows or have no width.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        String::from_utf8(line(text.as_bytes(), true).into_owned()).unwrap()
    }

    #[test]
    fn colours_stay_and_end_with_the_line_and_the_rest_goes() {
        assert_eq!(shown("\x1b[1;31mred\x1b[0m"), "\x1b[1;31mred\x1b[0m\x1b[0m");
        assert_eq!(shown("\x1b]0;title\x07a\x1b]8;;javascript:x\x1b\\b\x1b[2Jc\x1b[3Ad"), "abcd");
        assert_eq!(shown("20%\ttab\x07\u{9b}1m\u{202e}x"), "20%\ttab1mx");
        assert_eq!(shown("\x1bPq#1\x1b\\sixel \x1b(Bcharset"), "sixel charset");
        assert_eq!(*line(b"\x1b[31mx\xff", false), *"x\u{fffd}".as_bytes());
    }

    #[test]
    fn of_what_was_written_over_the_colours_stay_and_the_last_text() {
        assert_eq!(shown("10%\r20%\r30%"), "30%");
        assert_eq!(shown("é 10%\r\x1b[32mé 20%\r30%\r\r"), "\x1b[32m30%\x1b[0m");
        assert_eq!([shown("windows\r"), shown("\r"), shown("a\r\x07")], ["windows", "", ""]);
    }

    #[test]
    fn a_name_is_one_line() {
        assert_eq!(text("a\nb\rc\td"), "a b c d");
    }

    proptest! {
        #[test]
        fn nothing_is_left_but_text_and_colours(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let out = String::from_utf8(line(&bytes, true).into_owned()).unwrap();
            for (at, c) in out.char_indices() {
                if c == '\x1b' {
                    let rest = out[at..].strip_prefix("\x1b[").unwrap();
                    let end = rest.find(|c: char| !(c.is_ascii_digit() || ";:".contains(c))).unwrap();
                    prop_assert!(rest[end..].starts_with('m'));
                } else {
                    prop_assert!(!c.is_control() || c == '\t');
                }
            }
        }
    }
}
