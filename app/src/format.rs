//! Figures as text. The same on the server and in the browser, so that a first render agrees;
//! what depends on the reader's zone or clock is in [`crate::parts::time`].

pub use shared::bytes;
use shared::page::Total;
use std::fmt::Write;

/// `1204331` as `1,204,331`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A bounded count: `10,000+` when there are more.
pub fn total(total: Total) -> String {
    let mut text = count(total.count);
    if !total.exact {
        text.push('+');
    }
    text
}

/// Milliseconds as a reader says them: `41 ms`, `0.4 s`, `24.6 s`, `1 m 12 s`, `3 h 04 m`, `2 d 5 h`.
pub fn duration(ms: u64) -> String {
    // A tenth of a second would be cut to nothing.
    if ms < 100 {
        return format!("{ms} ms");
    }
    let seconds = ms / 1000;
    match seconds {
        // Tenths are cut, not rounded: 59.99 s must not read 60.0 s.
        0..60 => format!("{}.{} s", seconds, ms % 1000 / 100),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {:02} m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// A duration that is still growing, in whole seconds: tenths that stand still would be a lie.
pub fn running(ms: u64) -> String {
    if ms < 60_000 { format!("{} s", ms / 1000) } else { duration(ms) }
}

/// The time of day of a moment, `03:00:12.137`, `minutes_east` of UTC.
pub fn time_of_day(ms: i64, minutes_east: i32) -> String {
    let ms = (ms + i64::from(minutes_east) * 60_000).rem_euclid(86_400_000);
    let mut text = String::with_capacity(12);
    let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    // Writing to a string cannot fail.
    let _ = write!(text, "{h:02}:{m:02}:{s:02}.{:03}", ms % 1000);
    text
}

/// Time since a beginning: `+0:00.137`, `+1:02:03.456`.
pub fn after(ms: u64) -> String {
    let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let ms = ms % 1000;
    match h {
        0 => format!("+{m}:{s:02}.{ms:03}"),
        _ => format!("+{h}:{m:02}:{s:02}.{ms:03}"),
    }
}

/// `1 line`, `2 lines`.
pub fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// How a process ended, where that says more than its state: `exit code 3`, `signal 9 (KILL)`.
pub fn exit(code: Option<i32>, signal: Option<i32>) -> Option<String> {
    match (code, signal) {
        (_, Some(signal)) => Some(match signal_name(signal) {
            Some(name) => format!("signal {signal} ({name})"),
            None => format!("signal {signal}"),
        }),
        (Some(code), None) => Some(format!("exit code {code}")),
        (None, None) => None,
    }
}

/// The signals that end processes, by their number on Linux.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        4 => "ILL",
        6 => "ABRT",
        7 => "BUS",
        8 => "FPE",
        9 => "KILL",
        11 => "SEGV",
        13 => "PIPE",
        14 => "ALRM",
        15 => "TERM",
        24 => "XCPU",
        25 => "XFSZ",
        31 => "SYS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        let shown = [0, 7, 999, 1000, 18_204, 1_204_331].map(count);
        assert_eq!(shown, ["0", "7", "999", "1,000", "18,204", "1,204,331"]);
    }

    #[test]
    fn a_count_that_stopped_says_so() {
        assert_eq!(total(Total { count: 10_000, exact: false }), "10,000+");
    }

    #[test]
    fn a_duration_never_reads_as_its_next_unit() {
        let shown = [0, 449, 59_999, 60_000, 72_000, 3_599_999, 11_040_000, 190_800_000];
        let read =
            ["0 ms", "0.4 s", "59.9 s", "1 m 00 s", "1 m 12 s", "59 m 59 s", "3 h 04 m", "2 d 5 h"];
        assert_eq!(shown.map(duration), read);
    }

    #[test]
    fn the_time_of_day_follows_the_zone_over_midnight() {
        assert_eq!(time_of_day(0, 0), "00:00:00.000");
        assert_eq!(time_of_day(3_661_007, -120), "23:01:01.007");
    }

    #[test]
    fn a_signal_says_more_than_a_code() {
        assert_eq!(exit(Some(3), None).as_deref(), Some("exit code 3"));
        assert_eq!(exit(None, Some(9)).as_deref(), Some("signal 9 (KILL)"));
        assert_eq!(exit(None, Some(63)).as_deref(), Some("signal 63"));
        assert_eq!(exit(None, None), None);
    }
}
