//! What is read of the board by others: rows as they were published.
//!
//! They change before the hub's head moves, so whoever reads the head first never finds an older row.

use crate::hub::Key;
use shared::{Connection, ConnectionId, Freshness, Job, JobId, JobState, Queue, Timestamp, Worker};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// Why every connection is stale while the store takes no commits.
pub(super) const CANNOT_WRITE: &str = "the store cannot write";

#[derive(Debug, Default)]
pub(super) struct Published(RwLock<Rows>);

#[derive(Debug, Default)]
pub(super) struct Rows {
    connections: BTreeMap<ConnectionId, Connection>,
    queues: BTreeMap<(ConnectionId, Arc<str>), Queue>,
    workers: BTreeMap<(ConnectionId, Arc<str>), Worker>,
    progress: HashMap<JobId, Live>,
    /// The store has taken no commit since.
    failing: Option<Failing>,
}

#[derive(Clone, Debug)]
pub(super) struct Failing {
    pub since: Timestamp,
    /// What the store says.
    pub error: String,
}

/// The progress of a job that runs, on top of its row of one revision.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Live {
    /// Number of the `job:state_change` it belongs to.
    pub base: u64,
    pub revision: u64,
    pub progress: Option<f32>,
    pub step: Option<Arc<str>>,
    pub steps_done: u32,
}

/// One row that an event made known.
#[derive(Clone, Debug)]
pub(super) enum Row {
    Connection(Connection),
    Queue(Arc<str>, Queue),
    Worker(Arc<str>, Worker),
    Progress(JobId, Live),
}

impl Published {
    fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rows> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn put(&self, rows: Vec<Row>, over: &[Key]) {
        if rows.is_empty() && over.is_empty() {
            return;
        }
        let mut all = self.write();
        for row in rows {
            match row {
                Row::Connection(row) => drop(all.connections.insert(row.id, row)),
                Row::Queue(name, row) => drop(all.queues.insert((row.connection_id, name), row)),
                Row::Worker(id, row) => drop(all.workers.insert((row.connection_id, id), row)),
                Row::Progress(job, live) => drop(all.progress.insert(job, live)),
            }
        }
        for key in over {
            match key {
                Key::Progress(job) => drop(all.progress.remove(job)),
                Key::Queue(of, name) => drop(all.queues.remove(&(*of, name.clone()))),
                Key::Worker(of, id) => drop(all.workers.remove(&(*of, id.clone()))),
                Key::Connection(id) => drop(all.connections.remove(id)),
            }
        }
    }

    /// Whether commits fail, and since when.
    pub fn set_failing(&self, failing: Option<Failing>) {
        self.write().failing = failing;
    }

    pub fn failing(&self) -> Option<Failing> {
        self.read().failing.clone()
    }

    pub fn connections(&self) -> Vec<Connection> {
        let all = self.read();
        let mut rows: Vec<_> = all.connections.values().cloned().collect();
        if let Some(failing) = &all.failing {
            for row in &mut rows {
                stale(row, failing);
            }
        }
        rows
    }

    pub fn queues(&self) -> Vec<Queue> {
        self.read().queues.values().cloned().collect()
    }

    pub fn workers(&self) -> Vec<Worker> {
        self.read().workers.values().cloned().collect()
    }

    /// Puts progress onto rows of the state it belongs to. A row of another revision is left alone: with the
    /// number of its progress it would hide the change of state that lies between.
    pub fn overlay(&self, jobs: &mut [Job]) {
        let all = self.read();
        for job in jobs.iter_mut().filter(|job| job.state == JobState::Active) {
            let live = all.progress.get(&job.id).filter(|live| live.base == job.revision);
            if let Some(live) = live {
                job.progress = live.progress;
                job.step = live.step.as_deref().map(str::to_owned);
                job.steps_done = live.steps_done;
                job.revision = live.revision;
            }
        }
    }
}

/// The row as it is shown while the store cannot write. Its revision stays: nothing was numbered.
pub(super) fn stale(row: &mut Connection, failing: &Failing) {
    row.freshness = Freshness::Stale;
    row.since = failing.since;
    row.reason = Some(CANNOT_WRITE.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn progress_is_put_onto_a_row_of_the_state_it_belongs_to_and_no_other() {
        let published = Published::default();
        let id = JobId(Uuid::nil());
        let (progress, step) = (Some(50.0), Some(Arc::from("greet")));
        let live = Live { base: 10, revision: 15, progress, step, steps_done: 1 };
        published.put(vec![Row::Progress(id, live)], &[]);
        let row = |revision| Job {
            id,
            connection_id: ConnectionId(Uuid::nil()),
            external_id: None,
            name: String::new(),
            pipeline: None,
            queue: String::new(),
            worker: None,
            state: JobState::Active,
            attempt: 1,
            max_attempts: 2,
            priority: 0,
            run_at: None,
            retry_of: None,
            progress: None,
            step: None,
            steps_done: 0,
            steps_total: 2,
            created_at: Timestamp(0),
            started_at: None,
            finished_at: None,
            duration_ms: None,
            error: None,
            exit_code: None,
            signal: None,
            revision,
        };
        // The second was read before a retry of which the progress is already: with number 15 it would hide
        // what became of it at 10.
        let mut rows = [row(10), row(5)];
        published.overlay(&mut rows);
        assert_eq!((rows[0].progress, rows[0].steps_done, rows[0].revision), (Some(50.0), 1, 15));
        assert_eq!(rows[1], row(5));
        published.put(Vec::new(), &[Key::Progress(id)]);
        let mut rows = [row(10)];
        published.overlay(&mut rows);
        assert_eq!(rows[0], row(10));
    }
}
