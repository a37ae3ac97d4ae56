//! A queue: where jobs wait.

use crate::ConnectionId;
use serde::{Deserialize, Serialize};

/// One queue as it stands now.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Queue {
    #[serde(alias = "connectionId")]
    pub connection_id: ConnectionId,
    pub name: String,
    /// Jobs that wait.
    pub depth: u64,
    /// Workers that take from it.
    pub consumers: u32,
    /// Jobs of it that run.
    pub active: u64,
    /// Places for running jobs.
    pub concurrency: Option<u32>,
    pub paused: bool,
    #[serde(alias = "oldestWaitingMs")]
    pub oldest_waiting_ms: Option<u64>,
    /// Jobs that completed or failed in the last minute. One whose attempt failed and which is tried again has not ended.
    #[serde(alias = "ratePerMin")]
    pub rate_per_min: f64,
    /// How many of these failed.
    #[serde(alias = "failedPerMin")]
    pub failed_per_min: f64,
    /// Its last hour; null when nothing began or ended in it, and in a row made of an event.
    pub stats: Option<QueueStats>,
    pub revision: u64,
}

/// What the last hour of a queue was like.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QueueStats {
    /// Attempts that began, on average.
    pub started_per_minute: f64,
    /// Jobs that ended, on average.
    pub finished_per_minute: f64,
    /// Milliseconds from when a job could run to its start.
    pub wait: Percentiles,
    /// Milliseconds from a job's first start to its end.
    pub run: Percentiles,
}

/// What half, 95 and 99 of a hundred do not exceed, to within 41 %; null when there was none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Percentiles {
    pub p50: Option<u64>,
    pub p95: Option<u64>,
    pub p99: Option<u64>,
}
