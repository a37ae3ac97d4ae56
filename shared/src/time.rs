//! Time on the wire: RFC 3339, UTC, milliseconds (`2026-02-27T10:30:00.000Z`). What is read may have another
//! offset.
//!
//! Written by hand because the page carries it: the well-known civil-from-days arithmetic is forty
//! lines, a calendar library tens of kilobytes of wasm. A property test holds it against jiff.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = DateTime))]
pub struct Timestamp(pub i64);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a time is written as 2026-02-27T10:30:00.000Z or 2026-02-27T16:00:00+05:30 (RFC 3339)")]
pub struct BadTimestamp;

const DAY: i64 = 86_400_000;
/// The first and last millisecond of the years that four digits can say.
const FIRST: i64 = -62_167_219_200_000;
const LAST: i64 = 253_402_300_799_999;

impl Timestamp {
    /// The wall clock. Not for the browser, whose clock is read through `Date`.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Milliseconds from `earlier` to this; 0 when the clock went back.
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, ms) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (y, m, d) = civil(days);
        let (h, min, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        write!(f, "{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}.{:03}Z", ms % 1000)
    }
}

/// Days since 1970-01-01 to (year, month, day), proleptic Gregorian.
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// (year, month, day) to days since 1970-01-01; months and days out of range roll over.
fn days_from_civil(y: i64, m: i64, d: i64) -> i64 {
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + d - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

impl FromStr for Timestamp {
    type Err = BadTimestamp;

    /// `YYYY-MM-DDTHH:MM:SS[.fff…]`, then `Z`, `+HH:MM` or `-HH:MM`; digits past the millisecond are dropped.
    fn from_str(text: &str) -> Result<Self, BadTimestamp> {
        let bytes = text.as_bytes();
        let field = |range: std::ops::Range<usize>| -> Result<i64, BadTimestamp> {
            let part = bytes.get(range).ok_or(BadTimestamp)?;
            part.iter().try_fold(0, |sum, b| match b {
                b'0'..=b'9' => Ok(sum * 10 + i64::from(b - b'0')),
                _ => Err(BadTimestamp),
            })
        };
        let (y, m, d) = (field(0..4)?, field(5..7)?, field(8..10)?);
        let (h, min, s) = (field(11..13)?, field(14..16)?, field(17..19)?);
        let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if marks.iter().any(|&(at, mark)| bytes[at] != mark) || h > 23 || min > 59 || s > 59 {
            return Err(BadTimestamp);
        }
        let end = bytes.len();
        // Minutes that the clock there is ahead of UTC, and how long that is written.
        let (ahead, length) = match bytes.last() {
            Some(b'Z') => (0, 1),
            _ => {
                let zone = end.checked_sub(6).ok_or(BadTimestamp)?;
                let (h, min) = (field(zone + 1..zone + 3)?, field(zone + 4..end)?);
                let ahead = match (bytes[zone], bytes[zone + 3]) {
                    _ if h > 23 || min > 59 => return Err(BadTimestamp),
                    (b'+', b':') => h * 60 + min,
                    (b'-', b':') => -(h * 60 + min),
                    _ => return Err(BadTimestamp),
                };
                (ahead, 6)
            }
        };
        let rest = text.get(19..end - length).ok_or(BadTimestamp)?;
        let ms = match rest.strip_prefix('.') {
            None if rest.is_empty() => 0,
            Some(f) if !f.is_empty() && f.bytes().all(|b| b.is_ascii_digit()) => {
                f.bytes().chain(*b"00").take(3).fold(0, |sum, b| sum * 10 + i64::from(b - b'0'))
            }
            _ => return Err(BadTimestamp),
        };
        let days = days_from_civil(y, m, d);
        if civil(days) != (y, m, d) {
            return Err(BadTimestamp);
        }
        let at = days * DAY + h * 3_600_000 + (min - ahead) * 60_000 + s * 1000 + ms;
        (FIRST..=LAST).contains(&at).then_some(Self(at)).ok_or(BadTimestamp)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_calendar_library(ms in -62_135_596_800_000_i64..253_402_300_799_999) {
            let theirs = jiff::Timestamp::from_millisecond(ms).unwrap();
            prop_assert_eq!(Timestamp(ms).to_string(), format!("{theirs:.3}"));
            prop_assert_eq!(Timestamp(ms).to_string().parse(), Ok(Timestamp(ms)));
        }

        #[test]
        fn an_offset_is_read_as_a_calendar_library_reads_it(
            ms in -62_000_000_000_000_i64..253_000_000_000_000,
            minutes in -23 * 60 - 59..=23 * 60 + 59,
        ) {
            let zone = jiff::tz::Offset::from_seconds(minutes * 60).unwrap();
            let theirs = jiff::Timestamp::from_millisecond(ms).unwrap().display_with_offset(zone);
            prop_assert_eq!(theirs.to_string().parse(), Ok(Timestamp(ms)), "{}", theirs);
        }

        #[test]
        fn never_panics_on_any_text(text in "\\PC{0,30}|2026-01-01T00:00:00\\PC{0,8}") {
            let _ = text.parse::<Timestamp>();
        }
    }

    #[test]
    fn a_time_with_an_offset_is_a_moment_in_utc() {
        let written = |text: &str| text.parse::<Timestamp>().map(|at| at.to_string());
        let utc = |text: &str| Ok(text.to_owned());
        assert_eq!(written("2026-12-01T10:00:00+05:30"), utc("2026-12-01T04:30:00.000Z"));
        assert_eq!(written("2026-12-31T20:00:00.25-08:00"), utc("2027-01-01T04:00:00.250Z"));
        assert_eq!(written("2026-12-01T10:00:00-00:00"), utc("2026-12-01T10:00:00.000Z"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+0530",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+05:60",
            "2026-01-01T00:00:00 05:30",
            "2026-01-01T00:00:00+05:30Z",
            "2026-01-01T00:00:00.+05:30",
            "2026-01-01T+05:30",
            "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(BadTimestamp), "{text}");
        }
    }
}
