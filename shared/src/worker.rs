//! A worker: what runs jobs.

use crate::{ConnectionId, JobId, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WorkerState {
    Online,
    Offline,
}

impl WorkerState {
    /// The word used on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
        }
    }
}

/// One worker as it was last seen.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Worker {
    /// The built-in runner has one per queue: `local:<queue>@<host>`.
    pub id: String,
    #[serde(alias = "connectionId")]
    pub connection_id: ConnectionId,
    pub hostname: String,
    pub state: WorkerState,
    pub queues: Vec<String>,
    #[serde(alias = "activeJobs")]
    pub active_jobs: u32,
    /// Slots.
    pub concurrency: u32,
    /// Jobs that ended on it, whether they completed, failed or were cancelled, and how many of them failed. One whose
    /// attempt failed and which is tried again has not ended.
    pub processed: u64,
    pub failed: u64,
    /// Since when these two are counted: its start, which for the built-in runner is that of the server.
    pub since: Option<Timestamp>,
    /// Last heartbeat.
    #[serde(alias = "timestamp")]
    pub seen_at: Timestamp,
    pub revision: u64,
}

/// A worker with what it runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkerJobs {
    #[serde(flatten)]
    pub worker: Worker,
    /// Newest first; of all workers together the newest 200.
    pub running: Vec<RunningJob>,
}

/// A job that a worker runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunningJob {
    pub id: JobId,
    pub name: String,
    /// When its first attempt began.
    pub since: Option<Timestamp>,
}
