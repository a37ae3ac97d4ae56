//! A queue: where jobs wait.

use crate::ConnectionId;
use serde::{Deserialize, Serialize};

/// One queue as it stands now.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Queue {
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
    pub oldest_waiting_ms: Option<u64>,
    /// Jobs finished in the last minute, and how many of them failed.
    pub rate_per_min: f64,
    pub failed_per_min: f64,
    pub revision: u64,
}

/// Half, 95 % and 99 % of the measured times are at most this long, in milliseconds. Null: nothing
/// was measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Percentiles {
    pub p50_ms: Option<u64>,
    pub p95_ms: Option<u64>,
    pub p99_ms: Option<u64>,
}

/// A queue with what the last hour was like.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QueueRow {
    #[serde(flatten)]
    pub queue: Queue,
    /// Jobs that ended in the last hour, and how many of them failed.
    pub finished: u64,
    pub failed: u64,
    /// From being queued (or due) to being claimed.
    pub wait: Percentiles,
    /// From the first start to the end.
    pub run: Percentiles,
}
