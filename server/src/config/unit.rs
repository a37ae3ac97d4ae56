//! Durations and sizes as people write them.

use std::time::Duration;

/// What a duration looks like, for messages.
pub(super) const DURATION: &str = r#"a duration such as "10m", "1h30m" or "500ms""#;
/// What a size looks like, for messages.
pub(super) const SIZE: &str = r#"a size such as "512MiB" or "2GiB", or a number of bytes"#;

/// Milliseconds of each unit, the larger first.
const DURATIONS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
/// Bytes of each unit.
const SIZES: [(&str, u64); 9] = [
    ("B", 1),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// `1h30m`: whole numbers with their units (`d h m s ms`), each unit at most once, the larger first.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (mut rest, mut total, mut units) = (text, 0_u64, &DURATIONS[..]);
    while !rest.is_empty() {
        let (count, tail) = number(rest)?;
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let at = units.iter().position(|(unit, _)| *unit == &tail[..end])?;
        total = total.checked_add(count.checked_mul(units[at].1)?)?;
        units = &units[at + 1..];
        rest = &tail[end..];
    }
    (!text.is_empty()).then(|| Duration::from_millis(total))
}

/// `2GiB`: a whole number and `B`, `KB`, `MB`, `GB`, `TB` (powers of 1000) or `KiB` … `TiB`.
pub(super) fn size(text: &str) -> Option<u64> {
    let (count, unit) = number(text)?;
    let (_, factor) = SIZES.iter().find(|(name, _)| *name == unit.trim_start_matches(' '))?;
    count.checked_mul(*factor)
}

/// A duration as [`duration`] reads it.
pub(crate) fn of_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, factor) in DURATIONS {
        if rest >= factor {
            text += &format!("{}{unit}", rest / factor);
            rest %= factor;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A size as [`size`] reads it, exactly.
pub(crate) fn of_size(bytes: u64) -> String {
    let fits = SIZES.iter().filter(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor));
    let (unit, factor) = fits.max_by_key(|(_, factor)| factor).unwrap_or(&SIZES[0]);
    format!("{}{unit}", bytes / factor)
}

/// The digits a text begins with, and what follows them.
fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_adds_up_its_units() {
        for (text, ms) in [
            ("10m", 600_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("2d", 172_800_000),
            ("1m30s250ms", 90_250),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Some(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_duration() {
        for text in ["", "10", "m", "1m1h", "1m1m", "-1s", "1.5h", "1 m", "1y", "99999999999999d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn what_was_read_is_written_so_that_it_reads_the_same() {
        for (text, written) in
            [("90m", "1h30m"), ("500ms", "500ms"), ("48h", "2d"), ("0s", "0s"), ("1d1ms", "1d1ms")]
        {
            assert_eq!(of_duration(duration(text).unwrap()), written);
        }
        for (text, written) in [
            ("2048MiB", "2GiB"),
            ("10000KB", "10MB"),
            ("7B", "7B"),
            ("0B", "0B"),
            ("1025B", "1025B"),
        ] {
            assert_eq!(of_size(size(text).unwrap()), written);
        }
    }

    #[test]
    fn a_size_is_a_number_and_its_unit() {
        for (text, bytes) in
            [("2GiB", 2 << 30), ("64 KiB", 65_536), ("10MB", 10_000_000), ("7B", 7), ("0B", 0)]
        {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for text in ["", "2", "GiB", "2gib", "-1B", "1.5GiB", "99999999999TiB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
