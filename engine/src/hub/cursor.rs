//! A position in the log, and how it moves on: in order, each event once, or with a `reset` that says where not.

use super::{Interest, frame::frame, frame::without_id, log::Log, ring::Reach};
use bytes::{Bytes, BytesMut};
use shared::{
    ConnectionId, EventId,
    event::{Reset, ResetReason, name},
};

/// Bytes that are joined into one write, a larger event alone apart.
const JOINED: usize = 64 << 10;

/// Where one stream stands.
#[derive(Debug)]
pub(super) struct Cursor {
    /// All up to here was given out or did not match.
    at: u64,
    /// The last id that was given out.
    told: u64,
    /// Version of the frames outside the order that was given out.
    aside: u64,
    /// Why to tell, should a position be out of reach.
    reason: ResetReason,
    /// A reset that is due. Connections that can be resumed are replayed up to its position first; without
    /// ids, so that a break before the reset leads to the same again and never past what was lost.
    reset: Option<Due>,
}

#[derive(Debug)]
struct Due {
    connections: Vec<ConnectionId>,
    upto: u64,
}

impl Cursor {
    /// After `since`; without it, or where it says nothing here, after the head.
    pub fn new(log: &Log, interest: &Interest, since: Option<EventId>) -> Self {
        let ours = since.filter(|id| id.epoch == log.epoch && id.seq <= log.head);
        let at = ours.map_or(log.head, |id| id.seq);
        let restarted = since.is_some() && ours.is_none();
        Self {
            at,
            told: at,
            aside: 0,
            reason: if restarted { ResetReason::Restarted } else { ResetReason::Expired },
            reset: restarted
                .then(|| Due { connections: interest.connections.clone(), upto: log.head }),
        }
    }

    /// What is new, joined; None: nothing yet.
    pub fn read(&mut self, log: &Log, interest: &Interest) -> Option<Bytes> {
        let mut joined = Joined::default();
        if self.aside < log.aside.version {
            self.aside = log.aside.version;
            for (connection, frame) in &log.aside.frames {
                if interest.connections.contains(connection) {
                    joined.push(frame.clone());
                }
            }
        }
        if self.settle(log, interest) {
            self.advance(log, interest, &mut joined);
        }
        joined.into_bytes()
    }

    /// The position, if it moved past what did not match since the last id given out.
    pub fn moved(&mut self, log: &Log, interest: &Interest) -> Option<EventId> {
        if !self.settle(log, interest) || self.reset.is_some() {
            return None;
        }
        if log.read(interest, &[], self.at, log.head).next().is_some() {
            return None;
        }
        self.at = log.head;
        let moved = self.at > self.told;
        self.told = self.at;
        moved.then(|| log.id(self.at))
    }

    /// Finds out which connections are out of reach. False: history that is needed is still on its way.
    fn settle(&mut self, log: &Log, interest: &Interest) -> bool {
        for &connection in &interest.connections {
            if self.reset.as_ref().is_some_and(|due| due.connections.contains(&connection)) {
                continue;
            }
            match log.reach(connection, self.at) {
                Reach::Here => {}
                Reach::Soon => return false,
                Reach::Gone => {
                    let none = || Due { connections: Vec::new(), upto: 0 };
                    let due = self.reset.get_or_insert_with(none);
                    due.connections.push(connection);
                    // The head of this moment: what is lost now may lie past that of an earlier one.
                    due.upto = log.head;
                }
            }
        }
        true
    }

    fn advance(&mut self, log: &Log, interest: &Interest, joined: &mut Joined) {
        let (without, upto) = match &self.reset {
            Some(due) => (&due.connections[..], due.upto),
            None => (&[][..], log.head),
        };
        for (seq, frame) in log.read(interest, without, self.at, upto) {
            if joined.bytes > 0 && joined.bytes + frame.len() > JOINED {
                return;
            }
            self.at = seq;
            if self.reset.is_none() {
                self.told = seq;
                joined.push(frame.clone());
            } else {
                joined.push(without_id(frame));
            }
        }
        self.at = upto;
        if let Some(due) = self.reset.take() {
            let reset = Reset { reason: self.reason, connection_ids: due.connections };
            joined.push(frame(Some(log.id(upto)), name::RESET, &reset));
            self.told = upto;
        }
        // From now on it has seen the head: what it cannot reach later, it was too slow for.
        self.reason = ResetReason::Lagged;
    }
}

/// Frames in one piece. A single one is shared, not copied.
#[derive(Default)]
struct Joined {
    first: Option<Bytes>,
    rest: BytesMut,
    bytes: usize,
}

impl Joined {
    fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        match &self.first {
            None => self.first = Some(frame),
            Some(first) => {
                if self.rest.is_empty() {
                    self.rest.reserve(4 * self.bytes);
                    self.rest.extend_from_slice(first);
                }
                self.rest.extend_from_slice(&frame);
            }
        }
    }

    fn into_bytes(self) -> Option<Bytes> {
        if self.rest.is_empty() { self.first } else { Some(self.rest.freeze()) }
    }
}
