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
