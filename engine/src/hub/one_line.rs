//! JSON that is one line to everybody.
//!
//! An event stream has lines that end at CR and LF, which JSON escapes. But there are clients that split it
//! wherever Unicode sees the end of a line, so those characters are escaped as well.

use memchr::memchr2;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io::{self, Write};

/// Writes it as JSON without any character that ends a line: not U+0085, U+2028 or U+2029 either.
///
/// # Errors
/// What the writer says; or data that JSON has no words for, such as a map whose keys are no text.
pub fn write_one_line(out: impl Write, data: &impl Serialize) -> serde_json::Result<()> {
    data.serialize(&mut Serializer::with_formatter(out, OneLine))
}

struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let bytes = fragment.as_bytes();
        let (mut written, mut at) = (0, 0);
        // The first bytes of the three in UTF-8; in English text there are none.
        while let Some(found) = memchr2(0xC2, 0xE2, &bytes[at..]) {
            let start = at + found;
            let (length, escaped) = match &bytes[start..] {
                [0xC2, 0x85, ..] => (2, br"\u0085"),
                [0xE2, 0x80, 0xA8, ..] => (3, br"\u2028"),
                [0xE2, 0x80, 0xA9, ..] => (3, br"\u2029"),
                _ => {
                    at = start + 1;
                    continue;
                }
            };
            out.write_all(&bytes[written..start])?;
            out.write_all(escaped)?;
            (written, at) = (start + length, start + length);
        }
        out.write_all(&bytes[written..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_one_line(&mut out, &text).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_unicode_takes_for_the_end_of_a_line_is_escaped_and_nothing_else_is() {
        assert_eq!(written("a\u{85}b\u{2028}\u{2029}c"), r#""a\u0085b\u2028\u2029c""#);
        assert_eq!(
            written("é\u{a0}€\u{2027}\u{202a}😀\r\n"),
            "\"é\u{a0}€\u{2027}\u{202a}😀\\r\\n\""
        );
    }

    proptest! {
        #[test]
        fn it_says_the_same_on_one_line(text in prop::collection::vec(any::<char>(), 0..40)) {
            let text: String = text.into_iter().collect();
            let line = written(&text);
            let ends = ['\r', '\n', '\u{b}', '\u{c}', '\u{1c}', '\u{85}', '\u{2028}', '\u{2029}'];
            prop_assert!(!line.contains(ends), "{}", line);
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }
}
