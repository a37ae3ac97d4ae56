//! The events of the dashboard stream (`GET /api/events/stream`), as they stand in `data:`.
//! The names of the fields are published: they may be added to, never renamed. What is a row as well is written from the
//! row and read into it; `connection:state_change` is a [`Connection`](crate::Connection) as it is.

use crate::{ConnectionId, Job, JobId, JobState, Queue, Timestamp, Worker, WorkerState};
use serde::{Deserialize, Serialize};

/// Names of the events, as they stand in `event:`.
pub mod name {
    pub const JOB_STATE: &str = "job:state_change";
    pub const JOB_PROGRESS: &str = "job:progress";
    pub const JOB_DELETED: &str = "job:deleted";
    pub const JOB_LOG: &str = "job:log";
    pub const WORKER_HEARTBEAT: &str = "worker:heartbeat";
    pub const WORKER_STATE: &str = "worker:state_change";
    pub const WORKER_DELETED: &str = "worker:deleted";
    pub const QUEUE_SNAPSHOT: &str = "queue:snapshot";
    pub const QUEUE_DELETED: &str = "queue:deleted";
    pub const CONNECTION_STATE: &str = "connection:state_change";
    pub const HEARTBEAT: &str = "heartbeat";
    pub const CURSOR: &str = "cursor";
    pub const RESET: &str = "reset";

    /// Every name a client of the dashboard stream has to listen to.
    pub const ALL: [&str; 13] = [
        JOB_STATE,
        JOB_PROGRESS,
        JOB_DELETED,
        JOB_LOG,
        WORKER_HEARTBEAT,
        WORKER_STATE,
        WORKER_DELETED,
        QUEUE_SNAPSHOT,
        QUEUE_DELETED,
        CONNECTION_STATE,
        HEARTBEAT,
        CURSOR,
        RESET,
    ];
}

/// `job:state_change`: the row as it stands now, and what it was. Read it as a [`Job`], which knows
/// these names too, and with [`previous_state`].
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobChange<'a> {
    id: JobId,
    name: &'a str,
    state: JobState,
    previous_state: Option<JobState>,
    timestamp: Timestamp,
    connection_id: ConnectionId,
    external_id: Option<&'a str>,
    pipeline: Option<&'a str>,
    queue: &'a str,
    worker: Option<&'a str>,
    attempt: u32,
    max_attempts: u32,
    priority: i32,
    run_at: Option<Timestamp>,
    retry_of: Option<JobId>,
    progress: Option<f32>,
    step: Option<&'a str>,
    steps_done: u32,
    steps_total: u32,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    duration_ms: Option<u64>,
    error: Option<&'a str>,
    exit_code: Option<i32>,
    signal: Option<i32>,
    revision: u64,
}

impl<'a> JobChange<'a> {
    pub fn new(job: &'a Job, previous_state: Option<JobState>, timestamp: Timestamp) -> Self {
        Self {
            id: job.id,
            name: &job.name,
            state: job.state,
            previous_state,
            timestamp,
            connection_id: job.connection_id,
            external_id: job.external_id.as_deref(),
            pipeline: job.pipeline.as_deref(),
            queue: &job.queue,
            worker: job.worker.as_deref(),
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            priority: job.priority,
            run_at: job.run_at,
            retry_of: job.retry_of,
            progress: job.progress,
            step: job.step.as_deref(),
            steps_done: job.steps_done,
            steps_total: job.steps_total,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
            duration_ms: job.duration_ms,
            error: job.error.as_deref(),
            exit_code: job.exit_code,
            signal: job.signal,
            revision: job.revision,
        }
    }
}

/// What a job was before a `job:state_change`, of the event's data as the server writes it; None for a new job. Found by
/// its name: to read all of it a second time would cost as much as the row did. A value cannot have the name in it,
/// where its quotes would be escaped.
pub fn previous_state(data: &str) -> Option<JobState> {
    let (_, after) = data.split_once("\"previousState\":\"")?;
    after.split_once('"')?.0.parse().ok()
}

/// `job:progress`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobProgress {
    pub id: JobId,
    pub connection_id: ConnectionId,
    pub progress: Option<f32>,
    pub step: Option<String>,
    pub steps_done: u32,
    pub steps_total: u32,
    pub revision: u64,
}

/// `job:deleted`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobDeleted {
    pub id: JobId,
    pub connection_id: ConnectionId,
    pub revision: u64,
}

/// `queue:deleted`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueDeleted {
    pub name: String,
    pub connection_id: ConnectionId,
    pub revision: u64,
}

/// `worker:deleted`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerDeleted {
    pub id: String,
    pub connection_id: ConnectionId,
    pub revision: u64,
}

/// `job:log`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JobLog {
    pub id: JobId,
    pub lines: u64,
    pub bytes: u64,
    /// Goes up when an unfinished line changed.
    pub open: u64,
    pub closed: bool,
}

/// `worker:heartbeat`, and with `previousState` also `worker:state_change`. Read it as a [`Worker`].
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerChange<'a> {
    id: &'a str,
    hostname: &'a str,
    state: WorkerState,
    active_jobs: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_state: Option<WorkerState>,
    connection_id: ConnectionId,
    queues: &'a [String],
    concurrency: u32,
    processed: u64,
    failed: u64,
    since: Option<Timestamp>,
    timestamp: Timestamp,
    revision: u64,
}

impl<'a> WorkerChange<'a> {
    pub fn new(worker: &'a Worker, previous_state: Option<WorkerState>) -> Self {
        Self {
            id: &worker.id,
            hostname: &worker.hostname,
            state: worker.state,
            active_jobs: worker.active_jobs,
            previous_state,
            connection_id: worker.connection_id,
            queues: &worker.queues,
            concurrency: worker.concurrency,
            processed: worker.processed,
            failed: worker.failed,
            since: worker.since,
            timestamp: worker.seen_at,
            revision: worker.revision,
        }
    }
}

/// `queue:snapshot`. Read it as a [`Queue`], whose last hour it does not tell.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueSnapshot<'a> {
    name: &'a str,
    depth: u64,
    consumers: u32,
    connection_id: ConnectionId,
    active: u64,
    concurrency: Option<u32>,
    paused: bool,
    oldest_waiting_ms: Option<u64>,
    rate_per_min: f64,
    failed_per_min: f64,
    revision: u64,
}

impl<'a> From<&'a Queue> for QueueSnapshot<'a> {
    fn from(q: &'a Queue) -> Self {
        Self {
            name: &q.name,
            depth: q.depth,
            consumers: q.consumers,
            connection_id: q.connection_id,
            active: q.active,
            concurrency: q.concurrency,
            paused: q.paused,
            oldest_waiting_ms: q.oldest_waiting_ms,
            rate_per_min: q.rate_per_min,
            failed_per_min: q.failed_per_min,
            revision: q.revision,
        }
    }
}

/// Why a stream could not be continued.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetReason {
    /// The position is older than what is kept.
    Expired,
    /// The position is of another epoch, or ahead of the head.
    Restarted,
    /// The reader was too slow.
    Lagged,
    /// Events were switched off for a while.
    Gap,
}

/// `reset`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reset {
    pub reason: ResetReason,
    pub connection_ids: Vec<ConnectionId>,
}

/// `heartbeat`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Heartbeat {
    pub timestamp: Timestamp,
}
