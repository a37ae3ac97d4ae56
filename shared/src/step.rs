//! A step: one command of a pipeline run.

use crate::{StepId, Timestamp};
use serde::{Deserialize, Serialize};

/// What a step is for. `cleanup` steps run whatever happened before.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Setup,
    #[default]
    Execution,
    Validation,
    Cleanup,
}

impl Phase {
    pub const ALL: [Self; 4] = [Self::Setup, Self::Execution, Self::Validation, Self::Cleanup];

    /// The word used on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Execution => "execution",
            Self::Validation => "validation",
            Self::Cleanup => "cleanup",
        }
    }
}

/// Where a step stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    Pending,
    Active,
    Completed,
    Failed,
    Skipped,
    Cancelled,
}

impl StepState {
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Active,
        Self::Completed,
        Self::Failed,
        Self::Skipped,
        Self::Cancelled,
    ];

    /// The word used on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more happens to a step in this state.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Pending | Self::Active)
    }
}

/// One step of one attempt.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Step {
    pub id: StepId,
    pub attempt: u32,
    /// 0-based place in the plan.
    pub ordinal: u32,
    pub name: String,
    pub phase: Phase,
    pub state: StepState,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub duration_ms: Option<u64>,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub error: Option<String>,
    /// Number of lines (and bytes) the log had when the step started and when it ended.
    pub log_line: Option<u64>,
    pub log_offset: Option<u64>,
    pub log_line_end: Option<u64>,
    pub log_offset_end: Option<u64>,
}
