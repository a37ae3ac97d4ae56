//! What the board publishes.

use bytes::Bytes;
use shared::{ConnectionId, JobId};
use std::sync::Arc;

/// The part of an event's name before the colon.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Topic {
    Job = 0,
    Worker = 1,
    Queue = 2,
    /// Sent whatever a stream's interest.
    Connection = 3,
}

impl Topic {
    /// From the number it is stored as.
    pub(super) fn from_stored(number: u8) -> Option<Self> {
        [Self::Job, Self::Worker, Self::Queue, Self::Connection]
            .into_iter()
            .find(|topic| *topic as u8 == number)
    }
}

/// What a latest-wins event is the newest of.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Key {
    Connection(ConnectionId),
    Queue(ConnectionId, Arc<str>),
    Worker(ConnectionId, Arc<str>),
    /// The progress of a job.
    Progress(JobId),
}

/// One event, numbered and encoded.
#[derive(Clone, Debug)]
pub struct Event {
    pub seq: u64,
    pub connection: ConnectionId,
    pub topic: Topic,
    /// Latest-wins: only the newest of this key is kept. None: history, kept in the ring.
    pub key: Option<Key>,
    /// Of its connection some before it were not published: who has not seen this one cannot go on.
    pub after_gap: bool,
    pub frame: Bytes,
}

/// What one commit made known.
#[derive(Clone, Debug, Default)]
pub struct Publication {
    /// In the order of their numbers.
    pub events: Vec<Event>,
    /// Keys of which there will be no more, and whose last value says nothing any more.
    pub over: Vec<Key>,
    /// Jobs of which anything changed, whether it is an event or not.
    pub jobs: Vec<JobId>,
}
