//! A stream's place in the log.

use super::{Interest, Shared, cursor::Cursor, fan_out::Seat};
use bytes::Bytes;
use shared::EventId;
use std::{
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

/// A cursor in the event log. Holds no events: what it has not read is in the rings, or past them.
#[derive(Debug)]
pub struct Subscription {
    shared: Arc<Shared>,
    number: u64,
    seat: Arc<Seat>,
    cursor: Cursor,
}

impl Subscription {
    pub(super) fn new(shared: Arc<Shared>, interest: Interest, since: Option<EventId>) -> Self {
        shared.open.fetch_add(1, Ordering::Relaxed);
        let (number, seat) = shared.fan_out.sit(interest);
        let cursor = Cursor::new(&shared.read(), &seat.interest, since);
        Self { shared, number, seat, cursor }
    }

    /// Frames of the dashboard stream after the cursor that pass the interest, in the order of their
    /// numbers, joined up to 64 KiB; `reset` frames among them where history is out of reach. Pending: the
    /// waker is kept and woken when there is more.
    ///
    /// Every frame carries its number as `id:`, but for those that are replayed before a `reset` and for
    /// `connection:state_change` while the store cannot write.
    pub fn poll_frames(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        self.seat.wait(cx.waker());
        let frames = self.cursor.read(&self.shared.read(), &self.seat.interest);
        frames.map_or(Poll::Pending, Poll::Ready)
    }

    /// The position, if it moved past events that did not match since the last id given out. None as well
    /// while there are frames to be polled.
    pub fn moved(&mut self) -> Option<EventId> {
        self.cursor.moved(&self.shared.read(), &self.seat.interest)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.fan_out.leave(self.number);
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
    }
}
