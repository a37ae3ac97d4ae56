//! Durations and sizes as people write them.

use std::time::Duration;

/// What a duration looks like, for messages.
pub(super) const DURATION: &str = r#"a duration such as "10m", "1h30m" or "500ms""#;
/// What a size looks like, for messages.
pub(super) const SIZE: &str = r#"a size such as "512MiB" or "2GiB", or a number of bytes"#;

/// `1h30m`: whole numbers with their units (`d h m s ms`), each unit at most once, the larger first.
pub(super) fn duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 5] =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
    let (mut rest, mut total, mut units) = (text, 0_u64, &UNITS[..]);
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
    const UNITS: [(&str, u64); 9] = [
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
    let (count, unit) = number(text)?;
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim_start_matches(' '))?;
    count.checked_mul(*factor)
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
