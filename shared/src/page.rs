//! What lists and pages answer with. `as_of` was read before the rows: a stream opened with
//! `since=as_of` misses nothing that the rows do not show.

use crate::{Connection, EventId, Job, JobId, JobState, Pipeline, Queue, Timestamp, Worker};
use serde::{Deserialize, Serialize};

/// How many rows match; counting stops at 10,000, or earlier where too many rows would have to be looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Total {
    pub count: u64,
    /// False: there are more than `count`, or may be.
    pub exact: bool,
}

/// One page of a list with a keyset cursor.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Opaque; valid with the same filters only. Null on the last page; a page with fewer rows than asked for,
    /// or none, is not the last one as long as this is here.
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
    /// The last 60 minutes, oldest first; the last one is not over yet.
    pub activity: Vec<Minute>,
    /// What somebody should look at, the worst first, at most 20.
    pub attention: Vec<Attention>,
    pub as_of: EventId,
}

/// How many jobs ended in one minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Minute {
    /// When it began.
    pub at: Timestamp,
    pub completed: u32,
    pub failed: u32,
    pub cancelled: u32,
}

/// Why something needs attention.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AttentionKind {
    /// The disk is nearly full: nothing new runs.
    DiskLow,
    WorkerOffline,
    /// The last three runs of a pipeline failed.
    Failing,
    /// Five or more jobs of a pipeline wait for another attempt, or there were ten attempts after the first in the last
    /// hour.
    RetryStorm,
    /// A job has waited longer than ten minutes for a slot.
    WaitingLong,
    QueuePaused,
    /// The log of a run of the last hour reached `max_log_bytes`: the rest of what it printed was left out.
    LogCut,
}

/// One thing that somebody should look at.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attention {
    pub kind: AttentionKind,
    /// What it is about: a pipeline, queue or worker. Null for the whole board.
    pub name: Option<String>,
    /// The job to look at, if there is one.
    pub job: Option<JobId>,
    /// One sentence.
    pub text: String,
    /// Since when it is so; null where that is not known.
    pub since: Option<Timestamp>,
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

/// One pipeline.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PipelinePage {
    pub pipeline: Pipeline,
    pub as_of: EventId,
}

/// What the pipelines page shows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PipelinesPage {
    pub pipelines: Vec<Pipeline>,
    pub connections: Vec<Connection>,
    pub as_of: EventId,
}
