//! The events of the dashboard stream (`GET /api/events/stream`), as they stand in `data:`.
//! The names of the fields are published: they may be added to, never renamed.

use crate::{
    Connection, ConnectionId, ConnectionKind, Freshness, Job, JobId, JobState, Queue, Timestamp,
    Worker, WorkerState,
};
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

/// `job:state_change`. The camel-case fields of the source, and ours.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobChange {
    pub id: JobId,
    pub name: String,
    pub state: JobState,
    /// Null for a new job.
    pub previous_state: Option<JobState>,
    pub timestamp: Timestamp,
    pub connection_id: ConnectionId,
    pub external_id: Option<String>,
    pub pipeline: Option<String>,
    pub queue: String,
    pub worker: Option<String>,
    pub attempt: u32,
    pub max_attempts: u32,
    pub priority: i32,
    pub run_at: Option<Timestamp>,
    pub retry_of: Option<JobId>,
    pub progress: Option<f32>,
    pub step: Option<String>,
    pub steps_done: u32,
    pub steps_total: u32,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub duration_ms: Option<u64>,
    pub error: Option<String>,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub revision: u64,
}

impl JobChange {
    pub fn new(job: &Job, previous_state: Option<JobState>, timestamp: Timestamp) -> Self {
        let job = job.clone();
        Self {
            id: job.id,
            name: job.name,
            state: job.state,
            previous_state,
            timestamp,
            connection_id: job.connection_id,
            external_id: job.external_id,
            pipeline: job.pipeline,
            queue: job.queue,
            worker: job.worker,
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            priority: job.priority,
            run_at: job.run_at,
            retry_of: job.retry_of,
            progress: job.progress,
            step: job.step,
            steps_done: job.steps_done,
            steps_total: job.steps_total,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
            duration_ms: job.duration_ms,
            error: job.error,
            exit_code: job.exit_code,
            signal: job.signal,
            revision: job.revision,
        }
    }

    /// The row as it stands after this event.
    pub fn into_job(self) -> Job {
        Job {
            id: self.id,
            connection_id: self.connection_id,
            external_id: self.external_id,
            name: self.name,
            pipeline: self.pipeline,
            queue: self.queue,
            worker: self.worker,
            state: self.state,
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            priority: self.priority,
            run_at: self.run_at,
            retry_of: self.retry_of,
            progress: self.progress,
            step: self.step,
            steps_done: self.steps_done,
            steps_total: self.steps_total,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
            duration_ms: self.duration_ms,
            error: self.error,
            exit_code: self.exit_code,
            signal: self.signal,
            revision: self.revision,
        }
    }
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

/// `worker:heartbeat`, and with `previousState` also `worker:state_change`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerChange {
    pub id: String,
    pub hostname: String,
    pub state: WorkerState,
    pub active_jobs: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_state: Option<WorkerState>,
    pub connection_id: ConnectionId,
    pub queues: Vec<String>,
    pub concurrency: u32,
    pub processed: u64,
    pub failed: u64,
    pub since: Option<Timestamp>,
    pub timestamp: Timestamp,
    pub revision: u64,
}

impl WorkerChange {
    pub fn new(worker: &Worker, previous_state: Option<WorkerState>) -> Self {
        Self {
            id: worker.id.clone(),
            hostname: worker.hostname.clone(),
            state: worker.state,
            active_jobs: worker.active_jobs,
            previous_state,
            connection_id: worker.connection_id,
            queues: worker.queues.clone(),
            concurrency: worker.concurrency,
            processed: worker.processed,
            failed: worker.failed,
            since: worker.since,
            timestamp: worker.seen_at,
            revision: worker.revision,
        }
    }

    /// The row as it stands after this event.
    pub fn into_worker(self) -> Worker {
        Worker {
            id: self.id,
            connection_id: self.connection_id,
            hostname: self.hostname,
            state: self.state,
            queues: self.queues,
            active_jobs: self.active_jobs,
            concurrency: self.concurrency,
            processed: self.processed,
            failed: self.failed,
            since: self.since,
            seen_at: self.timestamp,
            revision: self.revision,
        }
    }
}

/// `queue:snapshot`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueSnapshot {
    pub name: String,
    pub depth: u64,
    pub consumers: u32,
    pub connection_id: ConnectionId,
    pub active: u64,
    pub concurrency: Option<u32>,
    pub paused: bool,
    pub oldest_waiting_ms: Option<u64>,
    pub rate_per_min: f64,
    pub failed_per_min: f64,
    pub revision: u64,
}

impl From<QueueSnapshot> for Queue {
    fn from(q: QueueSnapshot) -> Self {
        Self {
            connection_id: q.connection_id,
            name: q.name,
            depth: q.depth,
            consumers: q.consumers,
            active: q.active,
            concurrency: q.concurrency,
            paused: q.paused,
            oldest_waiting_ms: q.oldest_waiting_ms,
            rate_per_min: q.rate_per_min,
            failed_per_min: q.failed_per_min,
            stats: None,
            revision: q.revision,
        }
    }
}

impl From<Queue> for QueueSnapshot {
    fn from(q: Queue) -> Self {
        Self {
            connection_id: q.connection_id,
            name: q.name,
            depth: q.depth,
            consumers: q.consumers,
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

/// `connection:state_change`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ConnectionChange {
    pub id: ConnectionId,
    pub name: String,
    pub kind: ConnectionKind,
    pub freshness: Freshness,
    pub since: Timestamp,
    pub reason: Option<String>,
    pub revision: u64,
}

impl From<ConnectionChange> for Connection {
    fn from(c: ConnectionChange) -> Self {
        Self {
            id: c.id,
            name: c.name,
            kind: c.kind,
            freshness: c.freshness,
            since: c.since,
            reason: c.reason,
            revision: c.revision,
        }
    }
}

impl From<Connection> for ConnectionChange {
    fn from(c: Connection) -> Self {
        Self {
            id: c.id,
            name: c.name,
            kind: c.kind,
            freshness: c.freshness,
            since: c.since,
            reason: c.reason,
            revision: c.revision,
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
