//! Lines as text only, for a search: what [`show`](super::show) shows of each, without the styles.
//!
//! Most lines are shown as they were written. That is told fast, for many of them at once, and the
//! usual escapes and line ends are taken out in passing; the rest is drawn as for the screen.

use super::{Surface, draw, harmless, without_returns};
use anstyle_parse::Params;

/// Text beyond ASCII that is looked through at a time.
const SEGMENT: usize = 1 << 10;

/// What is shown of `lines`: as many lines, with their `\n`. `buffer` is where it is put together if
/// it is not just what was written.
pub fn seen<'a>(lines: &'a [u8], buffer: &'a mut Vec<u8>) -> &'a [u8] {
    let mut odd = Odd { bytes: lines, plain_to: 0 };
    let Some(mut at) = odd.first_from(0) else { return lines };
    buffer.clear();
    let mut from = 0;
    loop {
        buffer.extend_from_slice(&lines[from..at]);
        from = match (lines[at], complete_csi(&lines[at..])) {
            (b'\r', _) => {
                let returns = lines[at..].iter().take_while(|&&b| b == b'\r').count();
                let after = at + returns;
                if !matches!(lines.get(after), None | Some(b'\n')) {
                    buffer.truncate(line_start(buffer));
                }
                after
            }
            (_, Some(length)) => at + length,
            _ => {
                let start = line_start(&lines[..at]);
                let end = memchr::memchr(b'\n', &lines[at..]).map_or(lines.len(), |end| at + end);
                let begin = line_start(buffer);
                buffer.truncate(begin);
                draw(without_returns(&lines[start..end]), &mut Text { buffer, begin });
                end
            }
        };
        match odd.first_from(from) {
            Some(next) => at = next,
            None => {
                buffer.extend_from_slice(&lines[from..]);
                return buffer;
            }
        }
    }
}

/// Where the last line of these begins.
fn line_start(lines: &[u8]) -> usize {
    memchr::memrchr(b'\n', lines).map_or(0, |at| at + 1)
}

/// Length of the colour or other CSI sequence that this begins with, if it is one as most are.
fn complete_csi(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(b"\x1b[")?;
    let params = rest.iter().take_while(|b| matches!(b, b'0'..=b'9' | b';')).count();
    matches!(rest.get(params), Some(b'@'..=b'~')).then_some(2 + params + 1)
}

/// Finds what is not shown as it was written.
struct Odd<'a> {
    bytes: &'a [u8],
    /// Up to here all beyond ASCII is shown as it was written.
    plain_to: usize,
}

impl Odd<'_> {
    /// The first place at or after `from`, which is not inside a character, with an escape, a control
    /// other than tab and line end, a character that is not shown, or no UTF-8.
    fn first_from(&mut self, mut from: usize) -> Option<usize> {
        loop {
            let is_simple = |b| matches!(b, b' '..=b'~' | b'\t' | b'\n');
            let at = from + first(&self.bytes[from..], |b| !is_simple(b))?;
            if self.bytes[at].is_ascii() {
                return Some(at);
            }
            if at >= self.plain_to {
                self.plain_to = at + plain_length(self.segment(at));
            }
            if at == self.plain_to {
                return Some(at);
            }
            let is_control = |b| b < 0x80 && !is_simple(b);
            match first(&self.bytes[at..self.plain_to], is_control) {
                Some(control) => return Some(at + control),
                None => from = self.plain_to,
            }
        }
    }

    /// What follows, whole characters.
    fn segment(&self, at: usize) -> &[u8] {
        let rest = &self.bytes[at..];
        let is_inside = |b: &&u8| **b & 0xc0 == 0x80;
        let end = SEGMENT + rest.iter().skip(SEGMENT).take_while(is_inside).count();
        &rest[..end.min(rest.len())]
    }
}

/// Bytes until the first that is no UTF-8 or of a character that is not shown, those of ASCII apart.
fn plain_length(bytes: &[u8]) -> usize {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|error| {
        std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
    });
    // How the characters begin that are not shown, some others among them.
    let may_be_odd = |a: u8, b: u8| {
        (a == 0xc2) & (b < 0xae)
            | (a == 0xd8) & (b == 0x9c)
            | (a == 0xe1) & ((b == 0x85) | (b == 0xa0))
            | (a == 0xe2) & ((b == 0x80) | (b == 0x81))
            | (a == 0xe3) & (b == 0x85)
            | (a == 0xef)
            | (a == 0xf3)
    };
    let bytes = text.as_bytes();
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    if !pairs.fold(false, |any, (&a, &b)| any | may_be_odd(a, b)) {
        return text.len();
    }
    let mut chars = text.char_indices().filter(|(_, c)| !c.is_ascii());
    chars.find(|&(_, c)| harmless(c) != Some(c)).map_or(text.len(), |(at, _)| at)
}

/// The first byte of that kind. Strides are looked at without a way out, a few instructions each.
fn first(bytes: &[u8], is: impl Fn(u8) -> bool + Copy) -> Option<usize> {
    let none = |stride: &&[u8]| !stride.iter().fold(false, |any, &b| any | is(b));
    let wide = bytes.chunks_exact(64).take_while(none).count() * 64;
    let from = wide + bytes[wide..].chunks_exact(16).take_while(none).count() * 16;
    bytes[from..].iter().position(|&b| is(b)).map(|at| from + at)
}

/// The last line of a buffer.
struct Text<'a> {
    buffer: &'a mut Vec<u8>,
    begin: usize,
}

impl Surface for Text<'_> {
    fn write(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn clear(&mut self) {
        self.buffer.truncate(self.begin);
    }

    fn style(&mut self, _: &Params) {}
}

#[cfg(test)]
mod tests {
    use super::{super::Style, *};
    use proptest::prelude::*;

    fn shown(line: &[u8]) -> String {
        let shown = super::super::show(line, &mut Style::default(), usize::MAX);
        shown.runs.into_iter().map(|run| run.text).collect()
    }

    fn printed() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            6 => "[a-zäß✓ ]{0,70}".prop_map(String::into_bytes),
            1 => "[…äя✓日]{300,500}".prop_map(String::into_bytes),
            2 => "\x1b\\[[0-9;:?]{0,4}[mKHx]".prop_map(String::into_bytes),
            1 => proptest::sample::select(vec![
                &b"\r"[..], b"\x1b", b"\x1b]8;;x", b"\x1b\\", b"\x07", b"\0", b"\t", b"\x7f", b"\xff",
                b"\xe2\x82", "\u{200b}".as_bytes(), "\u{202e}".as_bytes(), "\u{9b}".as_bytes(),
            ])
            .prop_map(<[u8]>::to_vec),
        ];
        proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_searched_is_what_is_shown(lines in proptest::collection::vec(printed(), 1..6)) {
            let shown: Vec<_> = lines.iter().map(|line| shown(line)).collect();
            let mut buffer = b"of those before\n".to_vec();
            for (lines, shown) in [(&lines[..1], &shown[..1]), (&lines, &shown)] {
                let lines = lines.join(&b"\n"[..]);
                let seen = seen(&lines, &mut buffer);
                prop_assert_eq!(String::from_utf8_lossy(seen), shown.join("\n"));
            }
        }
    }

    #[test]
    fn every_character_that_is_not_shown_is_found() {
        for c in '\u{80}'..=char::MAX {
            let text = format!("x{c}x");
            let found = Odd { bytes: text.as_bytes(), plain_to: 0 }.first_from(0);
            assert_eq!(found, (harmless(c) != Some(c)).then_some(1), "{c:?}");
        }
    }
}
