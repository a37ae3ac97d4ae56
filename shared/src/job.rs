//! A job: one unit of work, in one state.

use crate::{
    ConnectionId, EventId, JobId, ParamDef, Step, StepId, Timestamp,
    log::{LeftOutBy, LogInfo},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// Where a job stands. The board is the only place that changes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Unknown,
    Queued,
    Scheduled,
    Active,
    Retrying,
    Completed,
    Failed,
    Cancelled,
}

impl JobState {
    pub const ALL: [Self; 8] = [
        Self::Unknown,
        Self::Queued,
        Self::Scheduled,
        Self::Active,
        Self::Retrying,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word used on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Queued => "queued",
            Self::Scheduled => "scheduled",
            Self::Active => "active",
            Self::Retrying => "retrying",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more happens to a job in this state.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a state is one of unknown, queued, scheduled, active, retrying, completed, failed, cancelled"
)]
pub struct BadJobState;

impl FromStr for JobState {
    type Err = BadJobState;

    fn from_str(text: &str) -> Result<Self, BadJobState> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or(BadJobState)
    }
}

/// A row of the jobs list.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    pub id: JobId,
    #[serde(alias = "connectionId")]
    pub connection_id: ConnectionId,
    /// The id the watched system gave it, where that is another one.
    #[serde(alias = "externalId")]
    pub external_id: Option<String>,
    /// For a local job the name of its pipeline.
    pub name: String,
    pub pipeline: Option<String>,
    pub queue: String,
    pub worker: Option<String>,
    pub state: JobState,
    /// 1-based; 0 while it has not been claimed.
    pub attempt: u32,
    #[serde(alias = "maxAttempts")]
    pub max_attempts: u32,
    /// Higher ones are taken first; 0 when nothing was said.
    pub priority: i32,
    /// When a scheduled job or a retrying one's next attempt is due.
    #[serde(alias = "runAt")]
    pub run_at: Option<Timestamp>,
    /// The job that this one does again.
    #[serde(alias = "retryOf")]
    pub retry_of: Option<JobId>,
    /// 0 to 100.
    pub progress: Option<f32>,
    /// Name of the step that runs now.
    pub step: Option<String>,
    #[serde(alias = "stepsDone")]
    pub steps_done: u32,
    #[serde(alias = "stepsTotal")]
    pub steps_total: u32,
    #[serde(alias = "createdAt")]
    pub created_at: Timestamp,
    #[serde(alias = "startedAt")]
    pub started_at: Option<Timestamp>,
    #[serde(alias = "finishedAt")]
    pub finished_at: Option<Timestamp>,
    /// From the first start to the end, measured by the monotonic clock where one process saw both.
    #[serde(alias = "durationMs")]
    pub duration_ms: Option<u64>,
    /// Why it failed, at most 500 characters.
    pub error: Option<String>,
    #[serde(alias = "exitCode")]
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    /// Number of the event that last changed this row.
    pub revision: u64,
}

/// Who asked for a cancel, when and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CancelRequest {
    pub by: String,
    pub at: Timestamp,
    pub why: Option<String>,
}

/// What happened to a job, in the board's order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StoryKind {
    Queued,
    /// An attempt was claimed and is being started.
    Started,
    StepStarted,
    StepEnded,
    CancelRequested,
    Retrying,
    Lost,
    Ended,
}

/// One entry of a job's story.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoryEntry {
    /// 1, 2, … without a hole, per job.
    pub n: u64,
    pub at: Timestamp,
    pub kind: StoryKind,
    pub attempt: u32,
    pub step_id: Option<StepId>,
    /// Name of the step.
    pub step: Option<String>,
    /// The state that was reached: of the step for step entries, of the job for the others.
    pub state: Option<String>,
    pub duration_ms: Option<u64>,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    /// Reason, error or who asked.
    pub detail: Option<String>,
    /// Bytes in the log when it happened.
    pub log_offset: Option<u64>,
    /// Lines in the log when it happened.
    pub log_line: Option<u64>,
}

/// One attempt of a job.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempt {
    pub number: u32,
    pub state: JobState,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub duration_ms: Option<u64>,
    pub error: Option<String>,
}

/// All that is known of a job, its log apart.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobDetail {
    #[serde(flatten)]
    pub job: Job,
    pub params: BTreeMap<String, String>,
    /// What may be given when it is run again; as it was defined when the job was queued.
    pub param_defs: Vec<ParamDef>,
    pub created_by: String,
    /// The newest job that does this one again.
    pub retried_by: Option<JobId>,
    /// Steps of the newest attempt, in the order in which they run.
    pub steps: Vec<Step>,
    /// Steps of the attempts before it, at most of ten, in the order in which they ran.
    pub earlier: Vec<Step>,
    pub attempts: Vec<Attempt>,
    pub timeline: Vec<StoryEntry>,
    pub cancel: Option<CancelRequest>,
    /// Why it is still waiting, in one sentence; null when it does not wait.
    pub waiting: Option<String>,
    pub log: LogInfo,
    /// Lines that were left out at the end of the log.
    pub left_out: u64,
    /// Why the last of them were; null when none were, or where that was not written down.
    pub left_out_by: Option<LeftOutBy>,
    pub as_of: EventId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reads_back_as_written() {
        for state in JobState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        }
    }
}
