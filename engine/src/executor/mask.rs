//! Secrets never reach a file: each of their bytes becomes `*` before a line is even split off.

use memchr::memmem::Finder;
use std::ops::Range;

/// Bytes of a secret, and of each of its lines, at least: shorter ones would blank out half of any log.
pub const SHORTEST: usize = 4;

/// What is looked for; shared by the outputs of an attempt.
pub struct Secrets(Vec<Finder<'static>>);

impl Secrets {
    /// Of these values; each line of one with several lines counts. Shorter ones have no letter or digit: the
    /// file they are from is refused else. None: there is nothing to hide.
    pub fn of<'a>(values: impl IntoIterator<Item = &'a String>) -> Option<Self> {
        let lines = values.into_iter().flat_map(|value| value.lines());
        let mut lines: Vec<_> = lines.filter(|line| line.len() >= SHORTEST).collect();
        lines.sort_unstable();
        lines.dedup();
        let finders = lines.iter().map(|line| Finder::new(line.as_bytes()).into_owned());
        (!lines.is_empty()).then(|| Self(finders.collect()))
    }

    /// Where the bytes begin that may be the beginning of a secret.
    fn may_begin(&self, text: &[u8]) -> usize {
        let longest = |finder: &Finder<'_>| {
            let secret = finder.needle();
            let most = (secret.len() - 1).min(text.len());
            (1..=most).rev().find(|&n| text.ends_with(&secret[..n])).unwrap_or(0)
        };
        text.len() - self.0.iter().map(longest).max().unwrap_or(0)
    }
}

/// The end of a stream that is held back, since it may be the beginning of a secret.
#[derive(Default)]
pub struct Held {
    text: Vec<u8>,
    /// So many of its first bytes belong to a secret that began before.
    covered: usize,
}

impl Held {
    /// Takes a chunk and puts what may be shown into `out`, secrets blanked.
    pub fn feed(&mut self, secrets: &Secrets, chunk: &[u8], out: &mut Vec<u8>) {
        self.text.extend_from_slice(chunk);
        let mut found: Vec<Range<usize>> = Vec::new();
        for finder in &secrets.0 {
            // Overlapping ones too: `aa` in `aaa` hides all three.
            let mut from = 0;
            while let Some(at) = finder.find(&self.text[from..]) {
                found.push(from + at..from + at + finder.needle().len());
                from += at + 1;
            }
        }
        let keep = secrets.may_begin(&self.text);
        out.clear();
        out.extend_from_slice(&self.text[..keep]);
        for range in std::iter::once(&(0..self.covered)).chain(&found) {
            out[range.start.min(keep)..range.end.min(keep)].fill(b'*');
        }
        let covered = found.iter().map(|range| range.end).fold(self.covered, usize::max);
        self.covered = covered.saturating_sub(keep);
        self.text.drain(..keep);
    }

    /// Nothing more comes, so what is left is no secret.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut text = std::mem::take(&mut self.text);
        text[..self.covered].fill(b'*');
        self.covered = 0;
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(secrets: &[String], chunks: &[&[u8]]) -> Vec<u8> {
        let Some(secrets) = Secrets::of(secrets) else { return chunks.concat() };
        let (mut held, mut out, mut shown) = (Held::default(), Vec::new(), Vec::new());
        for chunk in chunks {
            held.feed(&secrets, chunk, &mut out);
            shown.extend_from_slice(&out);
        }
        shown.extend(held.finish());
        shown
    }

    /// Every place of the whole text that a secret covers.
    fn naive(secrets: &[String], text: &[u8]) -> Vec<u8> {
        let mut shown = text.to_vec();
        for secret in secrets.iter().flat_map(|secret| secret.lines()).filter(|s| s.len() >= 4) {
            for at in 0..text.len() {
                if text[at..].starts_with(secret.as_bytes()) {
                    shown[at..at + secret.len()].fill(b'*');
                }
            }
        }
        shown
    }

    #[test]
    fn a_secret_is_hidden_however_it_comes() {
        let secrets = ["hunter2".to_owned(), "ter2pass".to_owned(), "one\nline two\n".to_owned()];
        let text: &[u8] = b"a hunter2pass b\nhunter\nline two one";
        for split in 0..text.len() {
            let (head, tail) = text.split_at(split);
            let shown = all(&secrets, &[head, tail]);
            assert_eq!(shown, b"a *********** b\nhunter\n******** one", "{split}");
        }
    }

    #[test]
    fn what_may_be_the_beginning_of_a_secret_is_held_back() {
        let secrets = Secrets::of(&["hunter2".to_owned()]).unwrap();
        let (mut held, mut out) = (Held::default(), Vec::new());
        held.feed(&secrets, b"password: hunt", &mut out);
        assert_eq!(out, b"password: ");
        held.feed(&secrets, b"ing", &mut out);
        assert_eq!(out, b"hunting");
    }

    proptest! {
        #[test]
        fn any_split_of_any_text_hides_what_the_whole_would(
            secrets in prop::collection::vec("[ab\\n]{0,9}", 0..4),
            chunks in prop::collection::vec("[ab\\n]{0,12}", 0..8),
        ) {
            let pieces: Vec<&[u8]> = chunks.iter().map(|chunk| chunk.as_bytes()).collect();
            prop_assert_eq!(all(&secrets, &pieces), naive(&secrets, chunks.concat().as_bytes()));
        }
    }
}
