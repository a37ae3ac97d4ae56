//! What a commit consists of: the board says what changed, the [`super::Writer`] how it is stored.

use crate::observation::{Exit, LogMark, NewStep, RequestKey};
use bytes::Bytes;
use shared::{CancelRequest, ConnectionId, Job, JobId, JobState, StepState, StoryEntry, Timestamp};
use std::{collections::BTreeMap, sync::Arc};

/// One change of rows. A commit applies them in their order.
#[derive(Clone, Debug)]
pub enum Change {
    /// A new job, with the steps of its first attempt.
    Queued {
        job: Box<Job>,
        plan: Box<Plan>,
        steps: Vec<NewStep>,
    },
    /// The job reached another state: its row as it is now.
    Moved(Box<Job>),
    /// The job went on to another step, or ended one; its state and revision stay.
    Stepped {
        job: JobId,
        step: Option<Arc<str>>,
        steps_done: u32,
    },
    /// A request with a key made this job.
    Requested {
        key: Box<RequestKey>,
        job: JobId,
        at: Timestamp,
    },
    /// A due time made this job; none: it was skipped.
    Due {
        pipeline: String,
        at: Timestamp,
        job: Option<JobId>,
    },
    DuesPassed {
        pipeline: String,
        upto: Timestamp,
    },
    QueuePaused {
        connection: ConnectionId,
        queue: String,
        paused: Option<(String, Timestamp)>,
    },
    /// A pipeline was made over the API, or changed.
    PipelinePut {
        name: String,
        /// As JSON.
        definition: String,
        by: String,
        at: Timestamp,
    },
    PipelineDeleted {
        name: String,
    },
    /// Nothing more of the connection is told.
    EventsOff {
        connection: ConnectionId,
        by: String,
        at: Timestamp,
    },
    /// The connection is told of again. Its events up to this number are history with a hole, and go.
    EventsOn {
        connection: ConnectionId,
        floor: u64,
    },
    /// All rows of a job that is over, which leaves its directory as garbage.
    Deleted {
        job: JobId,
    },
    /// The directory of a deleted job is gone.
    DirectoryRemoved {
        job: JobId,
    },
    CancelRequested {
        job: JobId,
        request: Box<CancelRequest>,
    },
    /// Why the attempt has not begun to run yet; None: it has.
    Delayed {
        job: JobId,
        reason: Option<String>,
    },
    /// A new attempt, with its steps.
    AttemptClaimed {
        job: JobId,
        number: u32,
        boot_id: String,
    },
    AttemptStarted {
        job: JobId,
        number: u32,
        at: Timestamp,
    },
    AttemptEnded {
        job: JobId,
        number: u32,
        state: JobState,
        at: Timestamp,
        duration_ms: Option<u64>,
        error: Option<String>,
    },
    /// The attempt's journal was read up to here.
    JournalRead {
        job: JobId,
        attempt: u32,
        position: u64,
    },
    StepStarted {
        job: JobId,
        attempt: u32,
        ordinal: u32,
        at: Timestamp,
        mark: LogMark,
    },
    StepEnded {
        job: JobId,
        attempt: u32,
        ordinal: u32,
        state: StepState,
        at: Timestamp,
        duration_ms: Option<u64>,
        exit: Exit,
        error: Option<String>,
        mark: Option<LogMark>,
    },
    Told {
        job: JobId,
        entry: Box<StoryEntry>,
    },
    /// An event that a stream may resume over, encoded.
    Event {
        seq: u64,
        connection: ConnectionId,
        topic: u8,
        frame: Bytes,
    },
}

/// What a job was queued with.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub params: BTreeMap<String, String>,
    pub definition: Option<String>,
    pub created_by: String,
}
