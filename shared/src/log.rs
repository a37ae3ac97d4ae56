//! A log as it is shown: windows of parsed lines.

use crate::{EventId, JobId, Timestamp};
use serde::{Deserialize, Serialize};

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
