//! A pipeline: a named list of steps the built-in runner executes.

use crate::{ConnectionId, Job, Phase};
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

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pipeline {
    pub connection_id: ConnectionId,
    pub name: String,
    pub description: Option<String>,
    pub queue: String,
    pub timeout_ms: Option<u64>,
    pub steps: Vec<PipelineStep>,
    /// Its newest jobs, newest first, at most 10.
    pub last: Vec<Job>,
}
