//! A pipeline: a named list of steps the built-in runner executes.

use crate::{ConnectionId, Job, ParamDef, Phase, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PipelineStep {
    pub name: String,
    pub phase: Phase,
    /// Given to `sh -c`.
    pub run: String,
    pub timeout_ms: Option<u64>,
}

/// Where a pipeline comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The configuration file.
    #[default]
    File,
    /// It was made over the API.
    Api,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pipeline {
    pub connection_id: ConnectionId,
    pub name: String,
    #[serde(default)]
    pub origin: Origin,
    pub description: Option<String>,
    pub queue: String,
    pub timeout_ms: Option<u64>,
    pub params: Vec<ParamDef>,
    pub schedule: Option<Schedule>,
    /// Attempts a run has at most.
    pub max_attempts: u32,
    /// The pause before the second attempt; it doubles with each further one up to the longest, and is cut by up to a
    /// half by chance.
    #[serde(default)]
    pub retry_delay_ms: u64,
    #[serde(default)]
    pub retry_max_delay_ms: u64,
    /// Whether a run that was lost (its machine went down, its executor was killed) is tried again.
    #[serde(default)]
    pub retries_lost: bool,
    pub priority: i32,
    /// Runs of it that go on at a time at most; null: as many as the queue has slots.
    pub max_concurrent: Option<u32>,
    pub steps: Vec<PipelineStep>,
    /// Its newest jobs, newest first: at most 10 in the list, at most 50 on its own page.
    pub last: Vec<Job>,
    /// Of the last 100 runs that completed or failed: how many did what.
    pub completed: u32,
    pub failed: u32,
}

/// What becomes of a run that is due while the one before it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    Queue,
    #[default]
    Skip,
}

/// When a pipeline runs by itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Schedule {
    pub cron: String,
    /// IANA name.
    pub timezone: String,
    pub overlap: Overlap,
    pub catch_up: bool,
    /// The next times, soonest first, at most 5.
    pub next: Vec<Timestamp>,
    /// The newest time that was skipped because the run before it went on.
    pub skipped_at: Option<Timestamp>,
}
