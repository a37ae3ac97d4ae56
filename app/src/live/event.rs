//! What comes over the stream, read once.

use serde::Deserialize;
use shared::{
    Connection, ConnectionId, Job, JobState, Queue, Worker,
    event::{Heartbeat, JobDeleted, JobLog, JobProgress, name, previous_state},
};

/// One event of the dashboard stream.
#[derive(Clone, Debug)]
pub enum Event {
    /// The row as it is now, and the state it was in; none for a new one.
    Job(Box<Job>, Option<JobState>),
    Progress(JobProgress),
    JobDeleted(JobDeleted),
    Log(JobLog),
    Worker(Worker),
    WorkerDeleted(Deleted),
    /// Without its last hour.
    Queue(Queue),
    QueueDeleted(Deleted),
    Connection(Connection),
    Heartbeat(Heartbeat),
    /// The position moved; nothing to show.
    Cursor,
    /// The stream could not be continued: all rows have to be fetched.
    Reset,
}

/// A worker or a queue is gone.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deleted {
    #[serde(alias = "name")]
    pub id: String,
    pub connection_id: ConnectionId,
    pub revision: u64,
}

impl Event {
    /// Reads an event by its name; `None` for one that this page does not know or cannot read,
    /// which a newer server may send.
    pub fn parse(event: &str, data: &str) -> Option<Self> {
        fn read<'a, T: Deserialize<'a>>(data: &'a str) -> Option<T> {
            serde_json::from_str(data).ok()
        }
        Some(match event {
            name::JOB_STATE => Self::Job(read(data)?, previous_state(data)),
            name::JOB_PROGRESS => Self::Progress(read(data)?),
            name::JOB_DELETED => Self::JobDeleted(read(data)?),
            name::JOB_LOG => Self::Log(read(data)?),
            name::WORKER_HEARTBEAT | name::WORKER_STATE => Self::Worker(read(data)?),
            name::WORKER_DELETED => Self::WorkerDeleted(read(data)?),
            name::QUEUE_SNAPSHOT => Self::Queue(read(data)?),
            name::QUEUE_DELETED => Self::QueueDeleted(read(data)?),
            name::CONNECTION_STATE => Self::Connection(read(data)?),
            name::HEARTBEAT => Self::Heartbeat(read(data)?),
            name::CURSOR => Self::Cursor,
            name::RESET => Self::Reset,
            _ => return None,
        })
    }

    /// The number of the event; `None` for those that are about the stream or a log, not a row.
    pub fn revision(&self) -> Option<u64> {
        match self {
            Self::Job(e, _) => Some(e.revision),
            Self::Progress(e) => Some(e.revision),
            Self::JobDeleted(e) => Some(e.revision),
            Self::Worker(e) => Some(e.revision),
            Self::WorkerDeleted(e) | Self::QueueDeleted(e) => Some(e.revision),
            Self::Queue(e) => Some(e.revision),
            Self::Connection(e) => Some(e.revision),
            Self::Log(_) | Self::Heartbeat(_) | Self::Cursor | Self::Reset => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_name_is_read() {
        let id = "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1";
        let queue = format!(r#"{{"name":"q","connectionId":"{id}","revision":7}}"#);
        let event = Event::parse(name::QUEUE_DELETED, &queue).unwrap();
        assert_eq!(event.revision(), Some(7));
        assert!(matches!(Event::parse(name::CURSOR, "{}"), Some(Event::Cursor)));
        let log = format!(r#"{{"id":"{id}","lines":1,"bytes":2,"open":0,"closed":false}}"#);
        assert!(matches!(Event::parse(name::JOB_LOG, &log), Some(Event::Log(_))));
    }

    #[test]
    fn a_job_comes_with_the_state_it_was_in() {
        let id = "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1";
        let job = format!(
            r#"{{"id":"{id}","name":"\"previousState\":\"failed\"","state":"active","previousState":"queued","timestamp":"2026-11-01T00:00:00.000Z",
            "connectionId":"{id}","queue":"q","attempt":1,"maxAttempts":3,"priority":0,"stepsDone":0,"stepsTotal":2,
            "createdAt":"2026-11-01T00:00:00.000Z","durationMs":5,"revision":7}}"#
        );
        let Some(Event::Job(job, Some(JobState::Queued))) = Event::parse(name::JOB_STATE, &job)
        else {
            panic!("a job that was queued")
        };
        assert_eq!((job.max_attempts, job.steps_total, job.duration_ms), (3, 2, Some(5)));
    }

    #[test]
    fn what_a_newer_server_sends_is_passed_over() {
        assert!(Event::parse("job:dreamt", "{}").is_none());
        assert!(Event::parse(name::JOB_STATE, "{}").is_none());
    }
}
