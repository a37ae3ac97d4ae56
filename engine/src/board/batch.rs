//! What gathers for one commit: changes of rows, numbered events, answers.

use super::{line::Reply, published::Row, state::Outcome, switch::SwitchedOff};
use crate::{
    hub::{Event, Key, Publication, Topic, frame_exact},
    store::Change,
};
use bytes::Bytes;
use serde::Serialize;
use shared::{ConnectionId, Epoch, EventId, JobId};

/// One commit's worth.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// In the order in which they happened.
    pub changes: Vec<Change>,
    pub publication: Publication,
    /// Jobs of which anything changed, and whose they are.
    pub touched: Vec<(JobId, ConnectionId)>,
    pub rows: Vec<Row>,
    pub answers: Vec<(Reply, Outcome)>,
}

impl Batch {
    /// Something of the job changed.
    pub fn touch(&mut self, job: JobId, of: ConnectionId) {
        if self.touched.last() != Some(&(job, of)) {
            self.touched.push((job, of));
        }
    }
}

/// Gives out the numbers; the only place that does.
#[derive(Debug)]
pub(super) struct Numbers {
    epoch: Epoch,
    last: u64,
    /// Connections whose events are switched off: they are numbered, and nobody is told of them.
    pub off: SwitchedOff,
    buffer: Vec<u8>,
}

impl Numbers {
    /// `last`: the last number that may have been given out before.
    pub fn new(epoch: Epoch, last: u64, off: SwitchedOff) -> Self {
        Self { epoch, last, off, buffer: Vec::new() }
    }

    pub fn last(&self) -> u64 {
        self.last
    }

    pub fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn encode(&mut self, name: &'static str, data: &impl Serialize) -> Bytes {
        let id = EventId { epoch: self.epoch, seq: self.last };
        frame_exact(&mut self.buffer, id, name, data)
    }

    /// An event with the number given out last, that a stream may resume over: stored and kept in the ring.
    pub fn history(
        &mut self,
        batch: &mut Batch,
        connection: ConnectionId,
        topic: Topic,
        name: &'static str,
        data: &impl Serialize,
    ) {
        if self.off.contains(connection) {
            return;
        }
        let (seq, frame) = (self.last, self.encode(name, data));
        let stored = Change::Event { seq, connection, topic: topic as u8, frame: frame.clone() };
        batch.changes.push(stored);
        let (key, after_gap) = (None, false);
        batch.publication.events.push(Event { seq, connection, topic, key, after_gap, frame });
    }

    /// An event with the number given out last, of which only the newest counts. How fresh a connection is
    /// is told whether its events are switched off or not.
    pub fn latest(
        &mut self,
        batch: &mut Batch,
        connection: ConnectionId,
        (topic, key): (Topic, Key),
        name: &'static str,
        data: &impl Serialize,
    ) {
        if topic != Topic::Connection && self.off.contains(connection) {
            return;
        }
        let (seq, frame) = (self.last, self.encode(name, data));
        let (key, after_gap) = (Some(key), false);
        batch.publication.events.push(Event { seq, connection, topic, key, after_gap, frame });
    }
}
