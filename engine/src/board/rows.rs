//! Workers, queues and connections: what is observed of them, and the events of it.

use super::{
    batch::Batch,
    published::Row,
    state::{CHANGED, Outcome, State, UNCHANGED},
};
use crate::hub::{Key, Topic};
use shared::{
    Connection, ConnectionId, Queue, Worker, WorkerState,
    event::{ConnectionChange, QueueSnapshot, WorkerChange, name},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Three missed beats of two seconds.
const SILENCE: Duration = Duration::from_secs(6);

impl State {
    pub(super) fn worker(&mut self, worker: Worker, now: Instant, batch: &mut Batch) -> Outcome {
        let id = (worker.connection_id, self.jobs.name(&worker.id));
        match worker.state {
            WorkerState::Online => self.beats.set(id.clone(), now + SILENCE),
            WorkerState::Offline => self.beats.remove(&id),
        }
        let before = self.workers.get(&id).map(|known| known.state);
        let state = worker.state;
        self.workers.insert(id.clone(), worker);
        if before == Some(state) {
            self.changed(Key::Worker(id.0, id.1), now, batch);
        } else {
            self.worker_moved(&id, before, batch);
        }
        CHANGED
    }

    /// Nothing was heard of an online worker for too long.
    pub(super) fn missed(&mut self, id: &(ConnectionId, Arc<str>), batch: &mut Batch) {
        if let Some(worker) = self.workers.get_mut(id) {
            worker.state = WorkerState::Offline;
            self.worker_moved(id, Some(WorkerState::Online), batch);
        }
    }

    /// `worker:state_change`: history, and never held back.
    fn worker_moved(
        &mut self,
        id: &(ConnectionId, Arc<str>),
        before: Option<WorkerState>,
        batch: &mut Batch,
    ) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        let key = Key::Worker(id.0, id.1.clone());
        // The event has the whole row: a beat that was held back, or is in the hub, says nothing more.
        self.pace.forget(&key);
        batch.publication.over.push(key);
        worker.revision = self.numbers.next();
        let change = WorkerChange::new(worker, before);
        batch.rows.push(Row::Worker(id.1.clone(), worker.clone()));
        self.numbers.history(batch, id.0, Topic::Worker, name::WORKER_STATE, &change);
    }

    pub(super) fn emit_worker(&mut self, of: ConnectionId, id: Arc<str>, batch: &mut Batch) {
        let Some(worker) = self.workers.get_mut(&(of, id.clone())) else { return };
        worker.revision = self.numbers.next();
        let beat = WorkerChange::new(worker, None);
        batch.rows.push(Row::Worker(id.clone(), worker.clone()));
        let key = (Topic::Worker, Key::Worker(of, id));
        self.numbers.latest(batch, of, key, name::WORKER_HEARTBEAT, &beat);
    }

    pub(super) fn queue(&mut self, queue: Queue, now: Instant, batch: &mut Batch) -> Outcome {
        let id = (queue.connection_id, self.jobs.name(&queue.name));
        let known = self.queues.get(&id);
        if known.is_some_and(|known| *known == Queue { revision: known.revision, ..queue.clone() })
        {
            return UNCHANGED;
        }
        let revision = known.map_or(0, |known| known.revision);
        self.queues.insert(id.clone(), Queue { revision, ..queue });
        self.changed(Key::Queue(id.0, id.1), now, batch);
        CHANGED
    }

    pub(super) fn emit_queue(&mut self, of: ConnectionId, id: Arc<str>, batch: &mut Batch) {
        let Some(queue) = self.queues.get_mut(&(of, id.clone())) else { return };
        queue.revision = self.numbers.next();
        let snapshot = QueueSnapshot::from(queue.clone());
        batch.rows.push(Row::Queue(id.clone(), queue.clone()));
        let key = (Topic::Queue, Key::Queue(of, id));
        self.numbers.latest(batch, of, key, name::QUEUE_SNAPSHOT, &snapshot);
    }

    pub(super) fn connection(
        &mut self,
        connection: Connection,
        now: Instant,
        batch: &mut Batch,
    ) -> Outcome {
        let id = connection.id;
        let known = self.connections.get(&id);
        let same = |known: &Connection| {
            *known == Connection { revision: known.revision, ..connection.clone() }
        };
        if known.is_some_and(same) {
            return UNCHANGED;
        }
        let revision = known.map_or(0, |known| known.revision);
        self.connections.insert(id, Connection { revision, ..connection });
        self.changed(Key::Connection(id), now, batch);
        CHANGED
    }

    /// Every connection is told of anew: what was said of them aside is over.
    pub(super) fn all_connections_changed(&mut self, now: Instant, batch: &mut Batch) {
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            self.changed(Key::Connection(id), now, batch);
        }
    }

    pub(super) fn emit_connection(&mut self, id: ConnectionId, batch: &mut Batch) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.revision = self.numbers.next();
        let change = ConnectionChange::from(connection.clone());
        batch.rows.push(Row::Connection(connection.clone()));
        let key = (Topic::Connection, Key::Connection(id));
        self.numbers.latest(batch, id, key, name::CONNECTION_STATE, &change);
    }
}
