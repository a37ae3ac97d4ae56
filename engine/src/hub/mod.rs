//! The live event log: what was committed, encoded once, read by any number of streams.
//!
//! The [`crate::board`] publishes events in the order of their numbers; a [`Subscription`] is a cursor that joins
//! everything after it into one write. Nothing is queued for a reader, so none can be waited for:
//! past what is kept it is told to fetch a snapshot (`reset`) and goes on from the head.

use crate::{Caller, store::Store};
use bytes::Bytes;
use shared::{ConnectionId, EventId, JobId};
use std::task::{Context, Poll};

/// What a stream wants to hear of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// Connections to hear of; one that has no events yet may be named too.
    pub connections: Vec<ConnectionId>,
    /// `job:*`
    pub jobs: bool,
    /// `worker:*`
    pub workers: bool,
    /// `queue:*`
    pub queues: bool,
}

/// Handle of the event log; cheap to clone. Its threads end with the last clone.
#[derive(Clone)]
pub struct Hub {}

impl Hub {
    /// Begins at the store's head and fills the rings from it in the background.
    pub fn start(_store: &Store) -> std::io::Result<Self> {
        unimplemented!()
    }

    /// The newest event that was published. Read it before the rows that it goes with.
    pub fn head(&self) -> EventId {
        unimplemented!()
    }

    /// A stream of what happens after `since` (absent: after now). `contract` names it in [`Hub::streams`].
    pub fn subscribe(
        &self,
        _caller: &Caller,
        _contract: &'static str,
        _interest: Interest,
        _since: Option<EventId>,
    ) -> Subscription {
        unimplemented!()
    }

    /// Woken by what happens to this job from now on, and by nothing else.
    pub fn watch_job(&self, _caller: &Caller, _contract: &'static str, _job: JobId) -> JobWatch {
        unimplemented!()
    }

    /// Open streams by contract.
    pub fn streams(&self) -> Vec<(&'static str, usize)> {
        unimplemented!()
    }
}

/// A cursor in the event log.
pub struct Subscription {}

impl Subscription {
    /// Frames of the dashboard stream after the cursor that pass the interest, in the order of their
    /// numbers, joined up to 64 KiB. Pending: the waker is kept and woken when there is more.
    pub fn poll_frames(&mut self, _cx: &mut Context<'_>) -> Poll<Bytes> {
        unimplemented!()
    }

    /// The position, if it moved past events that did not match since the last id given out.
    pub fn moved(&mut self) -> Option<EventId> {
        unimplemented!()
    }
}

/// Wakes for one job.
pub struct JobWatch {}

impl JobWatch {
    /// Resolves when something of the job was committed since this was made or last resolved.
    pub async fn changed(&mut self) {
        unimplemented!()
    }
}
