//! A line as text only, for a search: what [`show`](super::show) shows of it, without the styles.
//!
//! Most lines are shown as they were written; that is told fast, and they are taken as they are.

use super::{Surface, draw, harmless, without_returns};
use anstyle_parse::Params;

/// Bytes that are looked at together.
const STRIDE: usize = 64;

/// The first place at or after `from` where what is shown is not what is written: an escape, a
/// control other than tab and line end, a character that is not shown, or no UTF-8. `from` is no
/// place inside a character.
pub fn first_odd(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        from += first_not_simple(&bytes[from..])?;
        if bytes[from].is_ascii() {
            return Some(from);
        }
        let rest = &bytes[from..];
        let run = &rest[..rest.iter().position(u8::is_ascii).unwrap_or(rest.len())];
        match std::str::from_utf8(run) {
            Ok(run) if run.chars().all(|c| harmless(c) == Some(c)) => from += run.len(),
            _ => return Some(from),
        }
    }
}

/// The first byte that is not printable ASCII, tab or line end.
fn first_not_simple(bytes: &[u8]) -> Option<usize> {
    let is_not_simple = |b: u8| !matches!(b, b' '..=b'~' | b'\t' | b'\n');
    // Without a way out in the middle, so that a stride is a few instructions.
    let clean = bytes
        .chunks_exact(STRIDE)
        .take_while(|stride| !stride.iter().fold(false, |any, &b| any | is_not_simple(b)));
    let from = clean.count() * STRIDE;
    bytes[from..].iter().position(|&b| is_not_simple(b)).map(|at| from + at)
}

/// What is shown of `line`, which is without its `\n`. `buffer` is where it is put together if it is
/// not a piece of the line.
pub fn seen<'a>(line: &'a [u8], buffer: &'a mut Vec<u8>) -> &'a [u8] {
    let line = without_returns(line);
    let last = &line[memchr::memrchr(b'\r', line).map_or(0, |at| at + 1)..];
    if first_odd(last, 0).is_none() && (last.len() == line.len() || !line.contains(&b'\x1b')) {
        return last;
    }
    buffer.clear();
    if !strip_colours(line, buffer) {
        buffer.clear();
        draw(line, &mut Text(buffer));
    }
    buffer
}

/// The usual line with escapes has nothing but text and complete CSI sequences. False: not this one.
fn strip_colours(mut line: &[u8], text: &mut Vec<u8>) -> bool {
    while let Some(escape) = memchr::memchr(b'\x1b', line) {
        let (before, rest) = line.split_at(escape);
        let Some(rest) = rest.strip_prefix(b"\x1b[") else { return false };
        let params = rest.iter().take_while(|b| matches!(b, b'0'..=b'9' | b';')).count();
        if !matches!(rest.get(params), Some(b'@'..=b'~')) || first_odd(before, 0).is_some() {
            return false;
        }
        text.extend_from_slice(before);
        line = &rest[params + 1..];
    }
    text.extend_from_slice(line);
    first_odd(line, 0).is_none()
}

struct Text<'a>(&'a mut Vec<u8>);

impl Surface for Text<'_> {
    fn write(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn clear(&mut self) {
        self.0.clear();
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
            4 => "[a-zäß✓ ]{0,70}".prop_map(String::into_bytes),
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
        fn what_is_searched_is_what_is_shown(line in printed()) {
            let mut buffer = b"of the line before".to_vec();
            prop_assert_eq!(String::from_utf8_lossy(seen(&line, &mut buffer)), shown(&line));
        }

        #[test]
        fn a_line_with_nothing_odd_is_shown_as_it_is_written(line in printed()) {
            if first_odd(&line, 0).is_none() {
                prop_assert_eq!(shown(&line).into_bytes(), line);
            }
        }
    }
}
