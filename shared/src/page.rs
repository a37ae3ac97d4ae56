//! What lists and pages answer with. `as_of` was read before the rows: a stream opened with
//! `since=as_of` misses nothing that the rows do not show.

use crate::{Connection, EventId, Job, JobState, Pipeline, Queue, Worker};
use serde::{Deserialize, Serialize};

/// How many rows match; counting stops at 10,000.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Total {
    pub count: u64,
    /// False: there are more than `count`.
    pub exact: bool,
}

/// One page of a list with a keyset cursor.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Opaque; valid with the same filters only. Null on the last page.
    pub next_cursor: Option<String>,
    pub total: Total,
    pub as_of: EventId,
}

/// A list that is short enough to come whole.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rows<T> {
    pub items: Vec<T>,
    pub as_of: EventId,
}

/// Jobs by state, counted up to 10,000 each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StateCount {
    pub state: JobState,
    #[serde(flatten)]
    pub total: Total,
}

/// What the overview shows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overview {
    pub connections: Vec<Connection>,
    pub counts: Vec<StateCount>,
    /// Newest first, at most 20.
    pub active: Vec<Job>,
    /// Newest failures first, at most 10.
    pub failed: Vec<Job>,
    pub queues: Vec<Queue>,
    pub workers: Vec<Worker>,
    pub as_of: EventId,
}

/// What the jobs page shows: one page of rows, and the chips above it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobsPage {
    pub jobs: Page<Job>,
    pub counts: Vec<StateCount>,
    pub queues: Vec<String>,
    pub connections: Vec<Connection>,
}

/// What the pipelines page shows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PipelinesPage {
    pub pipelines: Vec<Pipeline>,
    pub connections: Vec<Connection>,
    pub as_of: EventId,
}
