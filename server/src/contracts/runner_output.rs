//! Output in chunks: whole lines where they fit, and never half a character.

use shared::StepId;

/// Bytes of text in a chunk, at most.
const CHUNK: usize = 16 * 1024;

/// A piece of what a step printed.
#[derive(Debug, PartialEq)]
pub struct Chunk {
    pub step: StepId,
    /// What is not UTF-8 is U+FFFD here.
    pub text: String,
    /// Offset in the log after it.
    pub end: u64,
}

/// Makes chunks of lines that follow each other.
#[derive(Default)]
pub struct Chunks {
    whole: Vec<Chunk>,
    open: Option<Chunk>,
}

impl Chunks {
    /// Appends a line or the rest of one, which begins at `start`.
    pub fn push(&mut self, step: StepId, mut start: u64, mut bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        if text.len() <= CHUNK {
            return self.append(step, &text, start + bytes.len() as u64);
        }
        while !bytes.is_empty() {
            let (text, length) = head(bytes);
            start += length as u64;
            bytes = &bytes[length..];
            self.append(step, &text, start);
        }
    }

    /// Appends text that is not in the log.
    pub fn note(&mut self, step: StepId, start: u64, text: &str) {
        self.append(step, text, start);
    }

    pub fn finish(mut self) -> Vec<Chunk> {
        self.whole.extend(self.open.take());
        self.whole
    }

    fn append(&mut self, step: StepId, text: &str, end: u64) {
        match &mut self.open {
            Some(open) if open.step == step && open.text.len() + text.len() <= CHUNK => {
                open.text.push_str(text);
                open.end = end;
            }
            open => self.whole.extend(open.replace(Chunk { step, text: text.to_owned(), end })),
        }
    }
}

/// What of it fits in one chunk, and how many bytes that was.
fn head(bytes: &[u8]) -> (String, usize) {
    let (mut text, mut length) = (String::new(), 0);
    for part in bytes.utf8_chunks() {
        let room = CHUNK - text.len();
        let fits = part.valid().floor_char_boundary(room);
        text.push_str(&part.valid()[..fits]);
        length += fits;
        let replaced = char::REPLACEMENT_CHARACTER.len_utf8();
        if fits < part.valid().len() || text.len() + replaced > CHUNK {
            break;
        }
        if !part.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
            length += part.invalid().len();
        }
    }
    (text, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::JobId;
    use std::str::FromStr;

    fn step(ordinal: u32) -> StepId {
        StepId::of(JobId::from_str("0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1").unwrap(), 1, ordinal)
    }

    fn chunks(lines: &[Vec<u8>], from: u64) -> Vec<Chunk> {
        let (mut chunks, mut start) = (Chunks::default(), 0);
        for line in lines {
            let skip = from.saturating_sub(start).min(line.len() as u64);
            chunks.push(step(0), start + skip, &line[skip as usize..]);
            start += line.len() as u64;
        }
        chunks.finish()
    }

    fn text(chunks: &[Chunk]) -> String {
        chunks.iter().map(|chunk| chunk.text.as_str()).collect()
    }

    fn lines() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let piece = prop_oneof![
            "[a-z]{0,9}".prop_map(|text| text.into_bytes()),
            "[äß€😀]{0,9}".prop_map(|text| text.into_bytes()),
            prop::collection::vec(any::<u8>(), 0..9),
        ];
        let line = (piece, 0..6000_usize).prop_map(|(piece, times)| {
            let mut line = piece.repeat(times);
            line.retain(|b| *b != b'\n');
            line.push(b'\n');
            line
        });
        prop::collection::vec(line, 1..5)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_chunk_is_small_and_what_follows_its_id_is_the_same_on_a_replay(lines in lines()) {
            let all = chunks(&lines, 0);
            let whole: Vec<u8> = lines.concat();
            prop_assert_eq!(text(&all), lines.iter().map(|l| String::from_utf8_lossy(l)).collect::<String>());
            prop_assert_eq!(all.last().map(|chunk| chunk.end), Some(whole.len() as u64));
            for (i, chunk) in all.iter().enumerate() {
                prop_assert!(chunk.text.len() <= CHUNK);
                prop_assert_eq!(text(&chunks(&lines, chunk.end)), text(&all[i + 1..]));
            }
        }
    }

    #[test]
    fn lines_are_whole_where_they_fit_and_another_step_is_another_chunk() {
        let mut chunks = Chunks::default();
        let long = [b"x".repeat(CHUNK - 2), b"\n".to_vec()].concat();
        chunks.push(step(0), 0, b"one\n");
        chunks.push(step(0), 4, b"two\n");
        chunks.push(step(0), 8, &long);
        chunks.push(step(1), 8 + long.len() as u64, b"three\n");
        let made = chunks.finish();
        let texts: Vec<_> = made.iter().map(|chunk| chunk.text.len()).collect();
        assert_eq!(texts, [8, CHUNK - 1, 6]);
        assert_eq!((made[0].text.as_str(), made[0].end), ("one\ntwo\n", 8));
        assert_eq!(made[2].step, step(1));
    }
}
