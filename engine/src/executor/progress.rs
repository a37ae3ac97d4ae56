//! Progress that a step tells the way it would tell a terminal: `ESC ] 9 ; 4 ; state ; percent`, ended
//! by BEL or `ESC \`.

const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;
const BEGIN: &[u8] = b"]9;4;";
/// `]9;4;1;100`, with room to spare.
const LONGEST: usize = 24;

/// Looks for it in a stream, whatever the chunks.
#[derive(Default)]
pub struct Scan {
    /// What follows an escape that has not ended yet.
    begun: Option<Vec<u8>>,
}

impl Scan {
    /// The newest progress in a chunk. None: nothing was said; `Some(None)`: there is none any more.
    pub fn feed(&mut self, mut chunk: &[u8]) -> Option<Option<f32>> {
        let mut newest = None;
        loop {
            let Some(begun) = &mut self.begun else {
                let at = memchr::memchr(ESCAPE, chunk);
                let Some(at) = at else { return newest };
                chunk = &chunk[at + 1..];
                self.begun = Some(Vec::new());
                continue;
            };
            let Some((&byte, rest)) = chunk.split_first() else { return newest };
            match byte {
                BELL | ESCAPE => {
                    newest = said(begun).or(newest);
                    // An escape ends this one and may begin another; `\` is none that matters.
                    self.begun = (byte == ESCAPE).then(Vec::new);
                    chunk = rest;
                }
                _ if begun.len() < LONGEST && is_like(begun, byte) => {
                    begun.push(byte);
                    chunk = rest;
                }
                _ => self.begun = None,
            }
        }
    }
}

/// Whether it still may be one.
fn is_like(begun: &[u8], next: u8) -> bool {
    match BEGIN.get(begun.len()) {
        Some(&expected) => next == expected,
        None => next.is_ascii_digit() || next == b';',
    }
}

fn said(text: &[u8]) -> Option<Option<f32>> {
    let text = std::str::from_utf8(text.strip_prefix(BEGIN)?).ok()?;
    let (state, percent) = text.split_once(';').unwrap_or((text, ""));
    match state {
        // Removed; at work, for no one knows how long.
        "0" | "3" => Some(None),
        // Set, an error, paused: each with how far it is.
        "1" | "2" | "4" => Some(Some(percent.parse::<u8>().ok()?.min(100).into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_progress_is_found_whatever_the_chunks() {
        let text = b"a\x1b[31mred\x1b]9;4;1;7\x07b\x1b]9;4;1;42\x1b\\c\x1b]0;title\x07";
        for size in 1..text.len() {
            let mut scan = Scan::default();
            let said = text.chunks(size).filter_map(|chunk| scan.feed(chunk)).last();
            assert_eq!(said, Some(Some(42.0)), "{size}");
        }
    }

    #[test]
    fn what_is_not_a_progress_says_nothing() {
        for text in [
            "]9;4;1;7\x07",
            "\x1b]9;4;1;x\x07",
            "\x1b]9;4;9;1\x07",
            "\x1b]9;4;1;7",
            "\x1b]9;4;1;999\x07",
        ] {
            assert_eq!(Scan::default().feed(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(Scan::default().feed(b"\x1b]9;4;0;\x07"), Some(None));
        assert_eq!(Scan::default().feed(b"\x1b]9;4;1;130\x07"), Some(Some(100.0)));
    }
}
