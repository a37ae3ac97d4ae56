//! Workers, queues and connections: what is observed of them, and the events of it.

use super::{
    batch::Batch,
    published::Row,
    state::{CHANGED, Outcome, State, UNCHANGED},
};
use crate::hub::{Key, Topic};
use shared::{
    Connection, ConnectionId, Queue, Worker, WorkerState,
    event::{QueueDeleted, QueueSnapshot, WorkerChange, WorkerDeleted, name},
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
        // The event has the whole row: a beat that is held back says nothing more.
        self.pace.forget(&Key::Worker(id.0, id.1.clone()));
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
        batch.rows.push(Row::Queue(id.clone(), queue.clone()));
        let (key, snapshot) = ((Topic::Queue, Key::Queue(of, id)), QueueSnapshot::from(&*queue));
        self.numbers.latest(batch, of, key, name::QUEUE_SNAPSHOT, &snapshot);
    }

    pub(super) fn queue_gone(&mut self, of: ConnectionId, id: &str, batch: &mut Batch) -> Outcome {
        let id = self.jobs.name(id);
        if self.queues.remove(&(of, id.clone())).is_none() {
            return UNCHANGED;
        }
        self.stats.forget(&(of, id.clone()));
        let revision = self.numbers.next();
        let event = QueueDeleted { name: id.as_ref().to_owned(), connection_id: of, revision };
        let key = Key::Queue(of, id);
        self.pace.forget(&key);
        batch.publication.over.push(key);
        self.numbers.history(batch, of, Topic::Queue, name::QUEUE_DELETED, &event);
        CHANGED
    }

    pub(super) fn worker_gone(&mut self, of: ConnectionId, id: &str, batch: &mut Batch) -> Outcome {
        let id = (of, self.jobs.name(id));
        if self.workers.remove(&id).is_none() {
            return UNCHANGED;
        }
        self.beats.remove(&id);
        let revision = self.numbers.next();
        let event = WorkerDeleted { id: id.1.as_ref().to_owned(), connection_id: of, revision };
        let key = Key::Worker(of, id.1);
        self.pace.forget(&key);
        batch.publication.over.push(key);
        self.numbers.history(batch, of, Topic::Worker, name::WORKER_DELETED, &event);
        CHANGED
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
        let shown = self.numbers.off.shown(connection);
        let key = (Topic::Connection, Key::Connection(id));
        self.numbers.latest(batch, id, key, name::CONNECTION_STATE, &shown);
        batch.rows.push(Row::Connection(shown));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Observation, hub::Event, store::Store};
    use shared::Timestamp;
    use uuid::Uuid;

    const CONNECTION: ConnectionId = ConnectionId(Uuid::nil());

    fn beat(active_jobs: u32) -> Observation {
        Observation::Worker(Box::new(Worker {
            id: "one".to_owned(),
            connection_id: CONNECTION,
            hostname: "here".to_owned(),
            state: WorkerState::Online,
            queues: Vec::new(),
            active_jobs,
            concurrency: 1,
            processed: 0,
            failed: 0,
            since: None,
            seen_at: Timestamp(0),
            revision: 0,
        }))
    }

    fn state(dir: &std::path::Path) -> State {
        let (store, writer) = Store::open(dir).unwrap();
        State::new(store.epoch(), 0, Arc::default(), &writer).unwrap()
    }

    fn words(events: &[Event]) -> Vec<String> {
        let word = |event: &Event| {
            let text = String::from_utf8(event.frame.to_vec()).unwrap();
            let online = text.contains(r#""state":"online""#);
            let name = text.lines().nth(1).unwrap().trim_start_matches("event: ").to_owned();
            format!("{name} {}", if online { "online" } else { "offline" })
        };
        events.iter().map(word).collect()
    }

    #[test]
    fn a_worker_that_is_silent_for_three_beats_is_offline_until_it_is_heard_again() {
        let dir = tempfile::tempdir().unwrap();
        let (mut state, start) = (state(dir.path()), Instant::now());
        let mut batch = Batch::default();
        for seconds in [0, 2, 4] {
            let now = start + Duration::from_secs(seconds);
            state.apply(beat(0), now, &mut batch).unwrap();
            state.due(now, &mut batch);
        }
        assert_eq!(state.next_due(), Some(start + Duration::from_secs(10)));
        state.due(start + Duration::from_millis(9_999), &mut batch);
        state.due(start + Duration::from_secs(10), &mut batch);
        state.apply(beat(0), start + Duration::from_secs(11), &mut batch).unwrap();
        assert_eq!(
            words(&batch.publication.events),
            [
                "worker:state_change online",
                "worker:heartbeat online",
                "worker:heartbeat online",
                "worker:state_change offline",
                "worker:state_change online",
            ]
        );
        let stored = batch.changes.len();
        assert_eq!(stored, 3, "its changes of state are history, its beats are not");
    }

    #[test]
    fn every_number_that_is_given_out_is_published() {
        let dir = tempfile::tempdir().unwrap();
        let (mut state, now) = (state(dir.path()), Instant::now());
        let mut batch = Batch::default();
        for active_jobs in 0..3 {
            state.apply(beat(active_jobs), now, &mut batch).unwrap();
        }
        state.due(now + Duration::from_secs(1), &mut batch);
        let numbers = batch.publication.events.iter().map(|event| event.seq);
        assert!(numbers.eq(1..=state.numbers.last()));
        // What the hub forgets at this commit is not of this commit.
        assert_eq!(batch.publication.over, []);
        assert_eq!(batch.rows.len(), batch.publication.events.len());
    }
}
