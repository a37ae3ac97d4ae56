//! A log as it is shown: windows of parsed lines.

use crate::{EventId, JobId, Timestamp};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Which pipe a line came from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    Stdout,
    Stderr,
}

/// A piece of a line in one style.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Run {
    pub text: String,
    /// CSS classes, space separated: `b` bold, `d` dim, `i` italic, `u` underline, `s` struck, `f0`-`f15`
    /// and `g0`-`g15` for fore- and background of the 16 named colours, `x<n>` and `y<n>` for those of
    /// the 256-colour palette; empty for plain text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub class: String,
}

/// One line of a log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Line {
    /// 1-based.
    pub n: u64,
    /// When it was complete; null for a line found again after a crash.
    pub at: Option<Timestamp>,
    pub stream: Stream,
    /// Ordinal (0-based) of the step that wrote it.
    pub step: u32,
    pub attempt: u32,
    pub runs: Vec<Run>,
    /// The line went on: it was longer than a line may be (64 KiB) and was cut there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Only its beginning is here (4 KiB); `…/log/{n}` has the whole line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// Lines that were left out here (log limit, full disk); the line itself has no text then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u64>,
    /// Why they were; absent where that was not written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out_by: Option<LeftOutBy>,
}

/// Why lines are missing in a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LeftOutBy {
    /// The log reached its limit (`max_log_bytes`).
    Limit,
    /// The disk had less room than it has to have (`min_free_disk`), or a write failed.
    Disk,
}

/// A line that is not complete yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpenLine {
    pub stream: Stream,
    pub step: u32,
    pub runs: Vec<Run>,
}

/// A window of a log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogWindow {
    pub lines: Vec<Line>,
    pub open: Vec<OpenLine>,
    /// Lines in the log now.
    pub total: u64,
    /// Whether nothing more will come.
    pub closed: bool,
    /// Where the next window begins (1-based); null at the end.
    pub next: Option<u64>,
    pub as_of: EventId,
}

/// How a text is looked for in a log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// As it is.
    #[default]
    Plain,
    /// As a regular expression, applied to each line by itself.
    Regex,
}

/// Whether capital and small letters are the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SearchCase {
    #[default]
    Ignore,
    Match,
}

impl SearchMode {
    /// The word used in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Regex => "regex",
        }
    }
}

impl SearchCase {
    /// The word used in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Match => "match",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a search is one of plain, regex")]
pub struct BadSearchMode;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("wanted is one of ignore, match")]
pub struct BadSearchCase;

impl FromStr for SearchMode {
    type Err = BadSearchMode;

    fn from_str(text: &str) -> Result<Self, BadSearchMode> {
        let all = [Self::Plain, Self::Regex];
        all.into_iter().find(|mode| mode.as_str() == text).ok_or(BadSearchMode)
    }
}

impl FromStr for SearchCase {
    type Err = BadSearchCase;

    fn from_str(text: &str) -> Result<Self, BadSearchCase> {
        let all = [Self::Ignore, Self::Match];
        all.into_iter().find(|case| case.as_str() == text).ok_or(BadSearchCase)
    }
}

/// What a search found in the part of a log that it looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogMatches {
    /// Numbers (1-based) of matching lines as they were found, as many as were asked for.
    pub lines: Vec<u64>,
    /// All lines that match in that part.
    pub count: u64,
    /// At most 64 of them that are spread over the part, in ascending order.
    pub marks: Vec<u64>,
    /// Where the search goes on: `from` of the next one, or its `before` where it went backwards. Null
    /// at the end of the log as it is now, or at its beginning.
    pub next: Option<u64>,
    /// Lines in the log now.
    pub total: u64,
    /// Whether nothing more will come.
    pub closed: bool,
    pub as_of: EventId,
}

/// Size of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogInfo {
    pub lines: u64,
    pub bytes: u64,
    /// Goes up when an unfinished line changed.
    pub open: u64,
    /// Whether nothing more will come.
    pub closed: bool,
}

/// Answer of `/api/jobs/{id}/logs/info`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogDownloadInfo {
    pub job_id: JobId,
    /// Base name.
    pub log_file: String,
    pub size_bytes: u64,
    pub lines: u64,
    pub last_modified: Timestamp,
}
