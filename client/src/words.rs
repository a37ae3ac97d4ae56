//! Figures as people read and type them.

use shared::Timestamp;
use std::time::Duration;

/// The end of the year 9999, the last that can be written.
const LATEST: i64 = 253_402_300_799_999;

/// Reads `90s`, `10m`, `1h30m`, `500ms`, `2d`.
///
/// # Errors
/// For anything else, a bare number too: it says what is wanted.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration; wanted is one such as 90s, 10m, 1h30m or 2d");
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0);
        let (number, after) = rest.split_at(digits.ok_or_else(wrong)?);
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let ms: u64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let part = number.checked_mul(ms).ok_or_else(wrong)?;
        sum = sum.checked_add(Duration::from_millis(part)).ok_or_else(wrong)?;
        rest = after;
    }
    if text.is_empty() { Err(wrong()) } else { Ok(sum) }
}

/// Reads a time, or how long ago it was.
///
/// # Errors
/// When it is neither.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let ago = duration(text).map_err(|_| {
        format!("{text:?} is no time; wanted is 2026-02-27T10:30:00Z, or how long ago: 10m, 2h, 1d")
    })?;
    let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
    Ok(Timestamp(Timestamp::now().0.saturating_sub(ago).max(0)))
}

/// Reads a time, or in how long it is.
///
/// # Errors
/// When it is neither.
pub fn moment_ahead(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let ahead = duration(text).map_err(|_| {
        format!("{text:?} is no time; wanted is 2026-02-27T10:30:00Z, or in how long: 12h, 90d")
    })?;
    let ahead = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
    Ok(Timestamp(Timestamp::now().0.saturating_add(ahead).min(LATEST)))
}

/// `840 ms`, `12.3 s`, `4 m 05 s`, `2 h 10 m`, `3 d 4 h`.
pub fn span(ms: u64) -> String {
    let s = ms / 1000;
    match s {
        0 => format!("{ms} ms"),
        1..60 => format!("{s}.{} s", ms % 1000 / 100),
        60..3600 => format!("{} m {:02} s", s / 60, s % 60),
        3600..86_400 => format!("{} h {:02} m", s / 3600, s / 60 % 60),
        _ => format!("{} d {} h", s / 86_400, s / 3600 % 24),
    }
}

/// `5 s ago`, `3 m ago`; in whole units, since a column of them is read at a glance.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let s = now.since(at) / 1000;
    match s {
        0 => "now".to_owned(),
        1..60 => format!("{s} s ago"),
        60..3600 => format!("{} m ago", s / 60),
        3600..86_400 => format!("{} h ago", s / 3600),
        _ => format!("{} d ago", s / 86_400),
    }
}

/// A time to the second: `2026-02-27 10:30:00Z`.
pub fn time(at: Timestamp) -> String {
    let text = at.to_string();
    text.split_once('.').map_or(text.clone(), |(whole, _)| format!("{}Z", whole.replace('T', " ")))
}

/// `1 line`, `2 lines`.
pub fn count(count: u64, one: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {one}{end}")
}

/// `1.4 MiB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return count(bytes, "byte");
    }
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut figure = bytes as f64 / 1024.0;
    let mut unit = 0;
    // What would be rounded to 1024.0 is one of the next.
    while figure >= 1023.95 && unit + 1 < UNITS.len() {
        figure /= 1024.0;
        unit += 1;
    }
    format!("{figure:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units_only() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2d"), Ok(Duration::from_secs(172_800)));
        for text in ["", "10", "m", "10x", "-1s", "1.5h", "99999999999999999999s", "10m "] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_is_a_time_or_how_long_ago_it_was() {
        assert_eq!(moment("2026-02-27T10:30:00Z").unwrap().to_string(), "2026-02-27T10:30:00.000Z");
        assert!(moment("10m").unwrap() < Timestamp::now());
        assert!(moment("yesterday").is_err());
    }

    #[test]
    fn spans_grow_into_larger_units() {
        let spans = [0, 999, 12_345, 245_000, 7_800_000, 273_600_000].map(span);
        assert_eq!(spans, ["0 ms", "999 ms", "12.3 s", "4 m 05 s", "2 h 10 m", "3 d 4 h"]);
        let sizes = [12, 1536, 1_048_571, 3 << 30].map(bytes);
        assert_eq!(sizes, ["12 bytes", "1.5 KiB", "1.0 MiB", "3.0 GiB"]);
        assert_eq!([count(0, "line"), count(1, "line"), bytes(1)], ["0 lines", "1 line", "1 byte"]);
    }

    #[test]
    fn a_time_is_shown_to_the_second() {
        assert_eq!(time(Timestamp(0)), "1970-01-01 00:00:00Z");
    }
}
