//! From what a program printed to what may be shown: runs of text with CSS classes.
//!
//! Only SGR (colours and weight) is understood. Titles, links, cursor movement and every other escape
//! are dropped; so are controls and characters without width. What would turn the direction of the
//! text around is shown as U+FFFD, and so is what is no UTF-8.

//! [`style`] is what the colours mean, [`seen`] a line without any of it, for a search.

pub mod seen;
mod style;

pub use style::Style;

use super::live::{MAX_SHOWN, after_last_return};
use anstyle_parse::{DefaultCharAccumulator, Params, Parser, Perform};
use shared::log::Run;

/// A line as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub runs: Vec<Run>,
    /// There is more of it than was asked for.
    pub more: bool,
}

/// The line `raw` (with or without its end) after what was printed in `style` before it, at most
/// `limit` bytes of it. `style` is then what the next line begins with: plain after one that is too
/// long to be looked at whole.
pub fn show(raw: &[u8], style: &mut Style, limit: usize) -> Shown {
    let line = raw.strip_suffix(b"\n").unwrap_or(raw);
    if line.len() <= limit {
        return Shown { runs: runs(line, style), more: false };
    }
    *style = Style::default();
    let last = after_last_return(line);
    let more = last.len() > limit;
    let runs = runs(up_to(last, limit), style);
    *style = Style::default();
    Shown { runs, more }
}

/// Like [`show`] with the limit of a window, for a line of which only the style is of interest.
pub fn pass(raw: &[u8], style: &mut Style) {
    let line = raw.strip_suffix(b"\n").unwrap_or(raw);
    if line.len() > MAX_SHOWN {
        *style = Style::default();
    } else if memchr::memchr(b'\x1b', line).is_some() {
        runs(line, style);
    }
}

/// At most `limit` bytes, whole characters.
fn up_to(line: &[u8], limit: usize) -> &[u8] {
    let is_inside = |&at: &usize| line.get(at).is_some_and(|b| b & 0xc0 == 0x80);
    let start = (limit.saturating_sub(3)..=limit).rev().find(|at| !is_inside(at));
    &line[..start.unwrap_or(limit).min(line.len())]
}

fn runs(line: &[u8], style: &mut Style) -> Vec<Run> {
    let line = without_returns(line);
    let mut canvas = Canvas { runs: Vec::new(), written: *style, style: *style };
    if line.iter().all(|b| matches!(b, b' '..=b'~' | b'\t')) {
        canvas.write(&String::from_utf8_lossy(line));
        return canvas.runs;
    }
    draw(line, &mut canvas);
    *style = canvas.style;
    canvas.runs
}

/// Those at its end rewrite nothing.
fn without_returns(line: &[u8]) -> &[u8] {
    let returns = line.iter().rev().take_while(|&&b| b == b'\r').count();
    &line[..line.len() - returns]
}

/// Where a line is drawn.
trait Surface {
    fn write(&mut self, text: &str);
    /// What was written is written over.
    fn clear(&mut self);
    fn style(&mut self, params: &Params);
}

/// Draws a line as a terminal would, as far as that is safe to show.
fn draw(line: &[u8], surface: &mut impl Surface) {
    // Its own parser for each line, so that an escape that never ends ends here.
    let mut parser = Parser::<DefaultCharAccumulator>::new();
    let mut pen = Pen(surface);
    for &byte in String::from_utf8_lossy(line).as_bytes() {
        parser.advance(&mut pen, byte);
    }
}

struct Pen<'a, S>(&'a mut S);

impl<S: Surface> Perform for Pen<'_, S> {
    fn print(&mut self, c: char) {
        if let Some(c) = harmless(c) {
            self.0.write(c.encode_utf8(&mut [0; 4]));
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\t' => self.0.write("\t"),
            b'\r' => self.0.clear(),
            0 => self.0.write("\u{fffd}"),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: u8) {
        if action == b'm' && intermediates.is_empty() && !ignore {
            self.0.style(params);
        }
    }
}

/// Runs of text with their styles.
struct Canvas {
    runs: Vec<Run>,
    /// Of the last run.
    written: Style,
    style: Style,
}

impl Surface for Canvas {
    fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.runs.last_mut() {
            Some(run) if self.written == self.style => run.text.push_str(text),
            _ => self.runs.push(Run { text: text.to_owned(), class: self.style.class() }),
        }
        self.written = self.style;
    }

    fn clear(&mut self) {
        self.runs.clear();
    }

    fn style(&mut self, params: &Params) {
        self.style.apply(params);
    }
}

/// What is shown for a character; None: nothing.
fn harmless(c: char) -> Option<char> {
    match c {
        // Marks, embeddings, overrides and isolates of direction; line and paragraph separators.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some('\u{fffd}')
        }
        // No width, or fillers that look like nothing.
        '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200d}' => None,
        '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}' => None,
        '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => None,
        c if c.is_control() => None,
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<(String, String)> {
        let runs = show(text.as_bytes(), &mut Style::default(), MAX_SHOWN).runs;
        runs.into_iter().map(|run| (run.class, run.text)).collect()
    }

    fn plain(text: &str) -> String {
        shown(text).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn colours_and_weight_become_classes() {
        let cases = [
            ("\x1b[1;31mx", "b f1"),
            ("\x1b[2;3;4;9mx", "d i u s"),
            ("\x1b[97;104mx", "f15 g12"),
            ("\x1b[38;5;208mx", "x208"),
            ("\x1b[38:5:9mx", "f9"),
            ("\x1b[48;2;255;0;0mx", "y196"),
            ("\x1b[38:2::128:128:128mx", "x244"),
            ("\x1b[7mx", "f0 g7"),
            ("\x1b[31;7mx", "f0 g1"),
            ("\x1b[1m\x1b[mx", ""),
            ("\x1b[58;5;1mx", ""),
            ("\x1b[>4;1mx", ""),
            ("\x1b[999;38;5;999mx", ""),
        ];
        for (text, class) in cases {
            assert_eq!(shown(text), [(class.to_owned(), "x".to_owned())], "{text:?}");
        }
    }

    #[test]
    fn a_style_lasts_until_it_is_reset() {
        let mut style = Style::default();
        show(b"\x1b[32mgreen\n", &mut style, MAX_SHOWN);
        assert_eq!(show(b"still\n", &mut style, MAX_SHOWN).runs[0].class, "f2");
        show(b"\x1b[0m\n", &mut style, MAX_SHOWN);
        assert_eq!(show(b"plain\n", &mut style, MAX_SHOWN).runs[0].class, "");
    }

    #[test]
    fn a_line_shows_its_last_rewriting() {
        assert_eq!(plain("10%\r20%\r30%\n"), "30%");
        assert_eq!(plain("10%\r20%\r"), "20%");
        assert_eq!(plain("dos\r\n"), "dos");
        assert_eq!(shown("\x1b[32m1\r2"), [("f2".to_owned(), "2".to_owned())]);
        let long = format!("{}\rlast\n", "x".repeat(5000));
        assert_eq!(plain(&long), "last");
    }

    #[test]
    fn what_could_harm_a_reader_is_not_shown() {
        let cases = [
            ("\x1b]8;;javascript:alert(1)\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1b]0;title\x07text", "text"),
            ("a\x1b[2J\x1b[10;10Hb\x1b[1Ac", "abc"),
            ("\x1bPq#0;2;0;0;0\x1b\\sixel", "sixel"),
            ("a\u{202e}b\u{2066}c", "a\u{fffd}b\u{fffd}c"),
            ("a\u{200b}\u{feff}\u{200d}b", "ab"),
            ("a\0b\x08c\x07", "a\u{fffd}bc"),
            ("a\u{9b}31mb", "a31mb"),
            ("<script>&", "<script>&"),
            ("\x1b]0;never ends", ""),
            ("\x1b[31", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn invalid_utf_8_becomes_the_replacement_character() {
        let show = |raw: &[u8]| show(raw, &mut Style::default(), MAX_SHOWN).runs;
        assert_eq!(show(b"a\xffb")[0].text, "a\u{fffd}b");
        // It does not take an escape along that follows it.
        assert_eq!(show(b"\xe2\x82\x1b[31mx")[1].class, "f1");
    }

    #[test]
    fn a_long_line_is_cut_between_characters_and_ends_the_style() {
        let mut style = Style::default();
        let long = format!("\x1b[31m{}\n", "ü".repeat(4000));
        let Shown { runs, more } = show(long.as_bytes(), &mut style, MAX_SHOWN);
        assert!(more);
        assert!(runs[0].text.chars().all(|c| c == 'ü'));
        assert_eq!(style, Style::default());
    }

    proptest! {
        #[test]
        fn nothing_but_text_is_ever_shown(raw in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(0x1b), Just(b'['), Just(b']'), Just(b'm'), Just(b';')], 0..200,
        )) {
            for run in show(&raw, &mut Style::default(), 64).runs {
                prop_assert!(run.text.chars().all(|c| c == '\t' || harmless(c) == Some(c)));
                prop_assert!(run.class.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' '));
            }
        }
    }
}
