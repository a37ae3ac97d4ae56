//! The `Range` header, as far as a log needs it: one range of bytes.

use std::ops::Range;

/// What of a body is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    Whole,
    Range(Range<u64>),
    /// The range begins after the end.
    OutOfRange,
}

impl Part {
    /// What a `Range` header asks of a body of `len` bytes. What is malformed, in another unit or in
    /// several ranges is answered with the whole, as RFC 9110 allows.
    pub fn of(header: &str, len: u64) -> Self {
        let Some((first, last)) = bounds(header) else { return Self::Whole };
        let range = match (first, last) {
            (Some(first), Some(last)) if last < first => return Self::Whole,
            (Some(first), last) => first..last.map_or(len, |last| last.saturating_add(1).min(len)),
            (None, Some(suffix)) => len.saturating_sub(suffix)..len,
            (None, None) => return Self::Whole,
        };
        if range.is_empty() { Self::OutOfRange } else { Self::Range(range) }
    }
}

/// `bytes=1-2`, `bytes=1-`, `bytes=-2`.
fn bounds(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, range) = header.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let number = |text: &str| match text {
        "" => Some(None),
        // Digits only: `parse` alone would take a sign.
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok().map(Some),
        _ => None,
    };
    Some((number(first)?, number(last)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_range_is_cut_to_the_body() {
        for (header, part) in [
            ("bytes=0-0", Part::Range(0..1)),
            ("bytes=2-", Part::Range(2..10)),
            ("bytes=2-100", Part::Range(2..10)),
            ("bytes=-3", Part::Range(7..10)),
            ("bytes=-30", Part::Range(0..10)),
            ("Bytes= 4-5", Part::Range(4..6)),
            ("bytes=10-", Part::OutOfRange),
            ("bytes=-0", Part::OutOfRange),
            ("bytes=3-2", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=0-1,4-5", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("lines=1-2", Part::Whole),
            ("", Part::Whole),
        ] {
            assert_eq!(Part::of(header, 10), part, "{header}");
        }
    }

    proptest! {
        #[test]
        fn a_range_is_always_inside_the_body(header in "bytes=[0-9]{0,20}-[0-9]{0,20}", len: u64) {
            if let Part::Range(range) = Part::of(&header, len) {
                prop_assert!(range.start < range.end && range.end <= len);
            }
        }
    }
}
