//! The lines that Tailboard itself puts into a pipeline's log.

use shared::{Job, JobId, JobState, Timestamp};
use std::fmt::{self, Display};

/// Characters of a reason.
const LONGEST_REASON: usize = 500;

/// How much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    Info,
    Warn,
    Error,
}

impl Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "INFO ",
            Self::Warn => "WARN ",
            Self::Error => "ERROR",
        })
    }
}

/// A line of Tailboard's own, without its end.
pub fn line(at: Timestamp, level: Level, text: impl Display) -> String {
    format!("[tailboard] {at} {level} {text}")
}

/// A fresh buffer.
pub fn fresh() -> String {
    line(Timestamp::now(), Level::Info, "Fresh start of pipeline logs")
}

/// An attempt begins.
pub fn started(job: JobId, attempt: u32) -> String {
    let now = Timestamp::now();
    match attempt {
        0 | 1 => line(now, Level::Info, format_args!("run {job} started")),
        n => line(now, Level::Info, format_args!("run {job} started, attempt {n}")),
    }
}

/// A run that began before this buffer did.
pub fn goes_on(job: JobId) -> String {
    line(Timestamp::now(), Level::Info, format_args!("run {job} goes on"))
}

/// A run is over, or waits for its next attempt.
pub fn ended(job: &Job) -> String {
    let (now, id) = (Timestamp::now(), job.id);
    let why = job.error.as_deref().unwrap_or("without a reason");
    match job.state {
        JobState::Completed => line(now, Level::Info, format_args!("run {id} completed")),
        JobState::Cancelled => line(now, Level::Warn, format_args!("run {id} cancelled")),
        JobState::Retrying => {
            let (n, of) = (job.attempt, job.max_attempts.max(job.attempt + 1));
            let why = on_one_line(why);
            line(
                now,
                Level::Warn,
                format_args!(
                    "run {id} failed in attempt {n} of {of}: {why}; there will be another"
                ),
            )
        }
        _ => line(now, Level::Error, format_args!("run {id} failed: {}", on_one_line(why))),
    }
}

/// What a job says of itself cannot break out of its line.
fn on_one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whose_when_and_how_much_it_matters() {
        let at = Timestamp(1_772_188_200_000);
        let [info, warn] = [Level::Info, Level::Warn].map(|level| line(at, level, "text"));
        assert_eq!(info, "[tailboard] 2026-02-27T10:30:00.000Z INFO  text");
        assert_eq!(warn, "[tailboard] 2026-02-27T10:30:00.000Z WARN  text");
    }

    #[test]
    fn a_reason_stays_on_its_line() {
        assert_eq!(on_one_line("a\nb\r\0c"), "a b  c");
        assert_eq!(on_one_line(&"x".repeat(1000)).len(), LONGEST_REASON);
    }
}
