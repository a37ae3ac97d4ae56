//! What a source saw. The board decides what becomes of it: a duplicate or a late one changes nothing.

use shared::{
    CancelRequest, Connection, ConnectionId, JobId, JobState, Phase, Queue, StepState, Timestamp,
    Worker,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// One thing that was observed.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// A job was put into a queue.
    Queued(Box<NewJob>),
    /// A free slot took the job: it becomes `active`.
    Claimed {
        job: JobId,
        attempt: u32,
        worker: String,
        boot_id: String,
        at: Timestamp,
    },
    /// What the journal of one attempt says since it was last read.
    Run(Box<RunProgress>),
    /// Somebody asked for the job to be cancelled. A waiting job is cancelled by this alone; of an
    /// active one only the request is kept, its executor's last word decides.
    CancelRequested {
        job: JobId,
        request: CancelRequest,
    },
    /// A scheduled job is due, or the next attempt of a retrying one: it is queued.
    Ready {
        job: JobId,
        at: Timestamp,
    },
    /// A due time of a pipeline that makes no job, as the run before goes on.
    DueSkipped {
        pipeline: String,
        at: Timestamp,
    },
    /// Due times of a pipeline up to this one are dealt with, whether they made a job or not.
    DuesPassed {
        pipeline: String,
        upto: Timestamp,
    },
    /// A queue was paused (by whom, since when), or goes on.
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
    /// One that was made over the API is deleted.
    PipelineDeleted {
        name: String,
    },
    /// Events of a connection are told again, or no more: by whom, since when.
    EventsSwitched {
        connection: ConnectionId,
        on: bool,
        by: String,
        at: Timestamp,
    },
    /// A job that is over was deleted, with all that is stored of it.
    Deleted {
        job: JobId,
        connection: ConnectionId,
    },
    /// The directory of a deleted job is gone, too.
    DirectoryRemoved {
        job: JobId,
    },
    /// A queue or a worker is not there any more.
    QueueGone {
        connection: ConnectionId,
        queue: String,
    },
    WorkerGone {
        connection: ConnectionId,
        worker: String,
    },
    /// Why an active job has not begun to run yet (no process to be had, …).
    StartDelayed {
        job: JobId,
        attempt: u32,
        reason: String,
        at: Timestamp,
    },
    /// Progress of an active job; not stored, the newest value wins.
    Progress {
        job: JobId,
        attempt: u32,
        progress: Option<f32>,
        step: Option<String>,
    },
    /// A worker's heartbeat or its going offline; `revision` is given by the board.
    Worker(Box<Worker>),
    /// A queue as it stands now; `revision` is given by the board.
    Queue(Box<Queue>),
    /// A connection came, went, or changed its freshness; `revision` is given by the board.
    Connection(Box<Connection>),
}

/// A job as it is queued.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    pub id: JobId,
    pub connection: ConnectionId,
    pub external_id: Option<String>,
    pub name: String,
    pub pipeline: Option<String>,
    pub queue: String,
    pub params: BTreeMap<String, String>,
    pub steps: Vec<NewStep>,
    /// The definition it runs, as JSON; only the source that queued it reads it.
    pub definition: Option<String>,
    pub max_attempts: u32,
    pub priority: i32,
    /// Not to be run before; it is `scheduled` until then.
    pub run_at: Option<Timestamp>,
    pub retry_of: Option<JobId>,
    /// The time of its pipeline's schedule that it was made for; each makes one job at most.
    pub due: Option<Timestamp>,
    /// What the request was marked with; the same one makes one job at most.
    pub key: Option<RequestKey>,
    pub created_by: String,
    pub created_at: Timestamp,
}

/// A request that may be repeated: the same one is answered with the same job for 24 hours.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestKey {
    /// Whose it is: everybody has keys of their own.
    pub caller: String,
    pub key: String,
    /// What was asked for: another request may not use the same key.
    pub request: Uuid,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStep {
    pub name: String,
    pub phase: Phase,
}

/// News of one attempt. All of it is committed in one transaction with `journal_position`.
#[derive(Clone, Debug, PartialEq)]
pub struct RunProgress {
    pub job: JobId,
    pub attempt: u32,
    /// Bytes of the attempt's journal that have been read; one at or below the stored one is a
    /// duplicate. None: not from the journal (a lost run).
    pub journal_position: Option<u64>,
    pub changes: Vec<RunChange>,
}

/// Where the log stood when something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LogMark {
    pub offset: u64,
    pub lines: u64,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Exit {
    pub code: Option<i32>,
    pub signal: Option<i32>,
}

/// One thing that happened in an attempt, in the executor's time.
#[derive(Clone, Debug, PartialEq)]
pub enum RunChange {
    /// The executor has the plan and begins.
    Started {
        at: Timestamp,
        mark: LogMark,
    },
    StepStarted {
        ordinal: u32,
        at: Timestamp,
        mark: LogMark,
    },
    /// `state` is completed, failed, skipped or cancelled.
    StepEnded {
        ordinal: u32,
        state: StepState,
        at: Timestamp,
        duration_ms: Option<u64>,
        exit: Exit,
        error: Option<String>,
        mark: LogMark,
    },
    /// The executor is ending the run because it was asked to.
    Cancelling {
        at: Timestamp,
    },
    /// The last word: completed, failed or cancelled.
    Ended {
        state: JobState,
        at: Timestamp,
        duration_ms: Option<u64>,
        exit: Exit,
        error: Option<String>,
        mark: LogMark,
        /// If it failed, and nobody asked for its cancel: when it is tried again.
        retry_at: Option<Timestamp>,
    },
    /// The executor is gone without a last word. Steps that ran end as failed, those that did not as skipped.
    Lost {
        at: Timestamp,
        reason: String,
        mark: LogMark,
        /// As above.
        retry_at: Option<Timestamp>,
    },
}
