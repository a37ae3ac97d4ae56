//! What the board knows, and what becomes of an observation.

use super::{
    Applied, Refused,
    batch::{Batch, Numbers},
    held::Jobs,
    made::Made,
    pace::{Deadlines, Pace},
    stats::Stats,
    switch::SwitchedOff,
};
use crate::{
    Observation,
    hub::Key,
    store::{Change, StoreError, Writer},
};
use shared::{Connection, ConnectionId, Epoch, Queue, Worker};
use std::{collections::BTreeMap, sync::Arc, time::Instant};

/// What became of an observation.
pub(super) type Outcome = Result<Applied, Refused>;

/// Nothing changed: a duplicate, or late.
pub(super) const UNCHANGED: Outcome = Ok(Applied { job: None, changed: false });

/// Something changed, of which the answer need not show the row.
pub(super) const CHANGED: Outcome = Ok(Applied { job: None, changed: true });

/// Jobs, workers, queues and connections as they are now.
#[derive(Debug)]
pub(super) struct State {
    pub numbers: Numbers,
    pub jobs: Jobs,
    pub workers: BTreeMap<(ConnectionId, Arc<str>), Worker>,
    pub queues: BTreeMap<(ConnectionId, Arc<str>), Queue>,
    /// As their sources see them, whether their events are switched off or not.
    pub connections: BTreeMap<ConnectionId, Connection>,
    pub pace: Pace,
    /// Jobs that requests and due times of this and the next commits made: they are not in the store
    /// yet. Bounded by the line.
    pub made: Made,
    /// When a worker that is not heard of again counts as offline.
    pub beats: Deadlines<(ConnectionId, Arc<str>)>,
    pub stats: Arc<Stats>,
}

impl State {
    /// With the jobs that are not over.
    pub fn new(
        epoch: Epoch,
        last: u64,
        stats: Arc<Stats>,
        store: &Writer,
    ) -> Result<Self, StoreError> {
        let mut jobs = Jobs::default();
        store.unfinished()?.into_iter().for_each(|head| jobs.put(head));
        Ok(Self {
            numbers: Numbers::new(epoch, last, SwitchedOff::of(store.events_off()?)),
            jobs,
            workers: BTreeMap::new(),
            queues: BTreeMap::new(),
            connections: BTreeMap::new(),
            pace: Pace::new(),
            made: Made::default(),
            beats: Deadlines::new(),
            stats,
        })
    }

    /// Reads what applying the observation will need. Changes nothing that shows, so it can be tried again.
    pub fn load(&mut self, observation: &Observation, store: &Writer) -> Result<(), StoreError> {
        match observation {
            Observation::Queued(new) => {
                self.known_before(new, store)?;
                self.jobs.load(new.id, false, store)
            }
            Observation::Ready { job, .. } | Observation::Deleted { job, .. } => {
                self.jobs.load(*job, false, store)
            }
            Observation::Claimed { job, .. } | Observation::CancelRequested { job, .. } => {
                self.jobs.load(*job, true, store)
            }
            Observation::Run(run) => self.jobs.load(run.job, true, store),
            Observation::StartDelayed { job, .. } | Observation::Progress { job, .. } => {
                self.jobs.load(*job, false, store)
            }
            Observation::Worker(_)
            | Observation::Queue(_)
            | Observation::Connection(_)
            | Observation::DueSkipped { .. }
            | Observation::DuesPassed { .. }
            | Observation::QueuePaused { .. }
            | Observation::PipelinePut { .. }
            | Observation::PipelineDeleted { .. }
            | Observation::EventsSwitched { .. }
            | Observation::DirectoryRemoved { .. }
            | Observation::QueueGone { .. }
            | Observation::WorkerGone { .. } => Ok(()),
        }
    }

    /// Applies one observation: what it changes, and the events of it, go into the batch.
    pub fn apply(&mut self, observation: Observation, at: Instant, batch: &mut Batch) -> Outcome {
        match observation {
            Observation::Queued(new) => self.queued(*new, batch),
            Observation::Ready { job, at } => self.ready(job, at, batch),
            Observation::Deleted { job, connection } => self.deleted(job, connection, batch),
            Observation::DueSkipped { pipeline, at } => {
                batch.changes.push(Change::Due { pipeline, at, job: None });
                CHANGED
            }
            Observation::DuesPassed { pipeline, upto } => {
                batch.changes.push(Change::DuesPassed { pipeline, upto });
                CHANGED
            }
            Observation::QueuePaused { connection, queue, paused } => {
                batch.changes.push(Change::QueuePaused { connection, queue, paused });
                CHANGED
            }
            Observation::PipelinePut { name, definition, by, at } => {
                batch.changes.push(Change::PipelinePut { name, definition, by, at });
                CHANGED
            }
            Observation::PipelineDeleted { name } => {
                batch.changes.push(Change::PipelineDeleted { name });
                CHANGED
            }
            Observation::EventsSwitched { connection, on, by, at } => {
                self.events_switched(connection, on, by, at, batch)
            }
            Observation::DirectoryRemoved { job } => {
                batch.changes.push(Change::DirectoryRemoved { job });
                CHANGED
            }
            Observation::QueueGone { connection, queue } => {
                self.queue_gone(connection, &queue, batch)
            }
            Observation::WorkerGone { connection, worker } => {
                self.worker_gone(connection, &worker, batch)
            }
            Observation::Claimed { job, attempt, worker, boot_id, at } => {
                self.claimed(job, attempt, &worker, boot_id, at, batch)
            }
            Observation::Run(run) => self.run(*run, at, batch),
            Observation::CancelRequested { job, request } => {
                self.cancel_requested(job, request, at, batch)
            }
            Observation::StartDelayed { job, attempt, reason, .. } => {
                self.start_delayed(job, attempt, reason, at, batch)
            }
            Observation::Progress { job, attempt, progress, step } => {
                self.progress(job, attempt, progress, step.as_deref(), at, batch)
            }
            Observation::Worker(worker) => self.worker(*worker, at, batch),
            Observation::Queue(queue) => self.queue(*queue, at, batch),
            Observation::Connection(connection) => self.connection(*connection, at, batch),
        }
    }

    /// When something happens by itself: a held value may go, a worker counts as offline.
    pub fn next_due(&self) -> Option<Instant> {
        [self.pace.next(), self.beats.next()].into_iter().flatten().min()
    }

    /// Lets out what was held back long enough, and misses the workers that were silent too long.
    pub fn due(&mut self, now: Instant, batch: &mut Batch) {
        while let Some(key) = self.pace.pop(now) {
            self.emit(key, batch);
        }
        while let Some(worker) = self.beats.pop(now) {
            self.missed(&worker, batch);
        }
    }

    /// A key has a new value: it goes out now, or when its pace allows.
    pub fn changed(&mut self, key: Key, now: Instant, batch: &mut Batch) {
        if self.pace.touch(&key, now) {
            self.emit(key, batch);
        }
    }

    /// The newest value of a key, numbered.
    fn emit(&mut self, key: Key, batch: &mut Batch) {
        match key {
            Key::Progress(job) => self.emit_progress(job, batch),
            Key::Worker(connection, id) => self.emit_worker(connection, id, batch),
            Key::Queue(connection, name) => self.emit_queue(connection, name, batch),
            Key::Connection(id) => self.emit_connection(id, batch),
        }
    }
}
