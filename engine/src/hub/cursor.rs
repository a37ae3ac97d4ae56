//! A position in the log, and how it moves on: in order, each event once, or with a `reset` that says where not.

use super::{
    Interest,
    chunks::Chunk,
    frame::{frame, without_id},
    log::Log,
    ring::Reach,
};
use bytes::{Bytes, BytesMut};
use shared::{
    ConnectionId, EventId,
    event::{Reset, ResetReason, name},
};

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
    reason: ResetReason,
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
            reason: ResetReason::Expired,
            reset: restarted.then(|| Due {
                reason: ResetReason::Restarted,
                connections: interest.connections.clone(),
                upto: log.head,
            }),
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
            let reason = match log.reach(connection, self.at) {
                Reach::Here => continue,
                Reach::Soon => return false,
                Reach::Gone => self.reason,
                Reach::Gap => ResetReason::Gap,
            };
            let none = || Due { reason, connections: Vec::new(), upto: 0 };
            let due = self.reset.get_or_insert_with(none);
            due.connections.push(connection);
            // The head of this moment: what is lost now may lie past that of an earlier one.
            due.upto = log.head;
        }
        true
    }

    fn advance(&mut self, log: &Log, interest: &Interest, joined: &mut Joined) {
        match self.reset.take() {
            None => self.go_on(log, interest, joined),
            Some(due) => self.replay(log, interest, due, joined),
        }
        if self.at == log.head {
            // What it cannot reach from here on, it was too slow for.
            self.reason = ResetReason::Lagged;
        }
    }

    /// What is new; joined once for all who stand here and want the same.
    fn go_on(&mut self, log: &Log, interest: &Interest, joined: &mut Joined) {
        if let Some(chunk) = log.chunks.find(self.at, interest) {
            (self.at, self.told) = (chunk.upto, chunk.told);
            joined.push(chunk.frames);
            return;
        }
        let (from, mut own) = (self.at, Joined::default());
        self.at = log.head;
        for (seq, frame) in log.read(interest, &[], from, log.head) {
            if !own.fits(frame, log.limits.joined) {
                self.at = self.told;
                break;
            }
            own.push(frame.clone());
            self.told = seq;
        }
        if let Some(frames) = own.into_bytes() {
            joined.push(frames.clone());
            let (upto, told) = (self.at, self.told);
            log.chunks.keep(from, interest, Chunk { frames, upto, told });
        }
    }

    /// What there is of the other connections before the reset, and how fresh all are; then the reset.
    fn replay(&mut self, log: &Log, interest: &Interest, due: Due, joined: &mut Joined) {
        let mut left = log.read(interest, &due.connections, self.at, due.upto);
        let full = left.find(|(seq, frame)| {
            let full = !joined.fits(frame, log.limits.joined);
            if !full {
                joined.push(without_id(frame));
                self.at = *seq;
            }
            full
        });
        drop(left);
        if full.is_some() {
            self.reset = Some(due);
            return;
        }
        let reset = Reset { reason: due.reason, connection_ids: due.connections };
        joined.push(frame(Some(log.id(due.upto)), name::RESET, &reset));
        (self.at, self.told) = (due.upto, due.upto);
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
    /// Whether a frame can be joined; the first always can.
    fn fits(&self, frame: &Bytes, limit: usize) -> bool {
        self.bytes == 0 || self.bytes + frame.len() <= limit
    }

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
