//! The last events of this page, so that rows fetched a moment ago can be brought up to now.
//!
//! The same rule as on the server: rows come with `as_of`, and rows plus the events after it are
//! later rows. A list that is mounted while the stream is open takes the events after its `as_of`
//! from here and those to come from the stream.

use super::event::Event;
use shared::EventId;
use std::{collections::VecDeque, sync::Arc};

/// About a second of a very busy board, two megabytes at most.
const ROOM: usize = 2048;

/// A bounded run of events, oldest first.
#[derive(Default)]
pub struct Ring {
    events: VecDeque<Arc<Event>>,
    /// Everything after this position is in the ring. `None` while nothing was listened to.
    floor: Option<EventId>,
}

impl Ring {
    /// Forgets everything; from here on the ring is complete after `position`.
    pub fn begin(&mut self, position: EventId) {
        self.events.clear();
        self.floor = Some(position);
    }

    /// Keeps an event that changes rows; others are not worth a replay.
    pub fn push(&mut self, event: Arc<Event>) {
        if event.revision().is_none() {
            return;
        }
        if self.events.len() == ROOM
            && let Some(dropped) = self.events.pop_front()
            && let (Some(floor), Some(revision)) = (&mut self.floor, dropped.revision())
        {
            // Latest-wins events may come late; the floor never goes back.
            floor.seq = floor.seq.max(revision);
        }
        self.events.push_back(event);
    }

    /// The events after `as_of`, or `None` if some of them are gone and only new rows help.
    pub fn after(&self, as_of: EventId) -> Option<Vec<Arc<Event>>> {
        let floor = self.floor?;
        if floor.epoch != as_of.epoch || floor.seq > as_of.seq {
            return None;
        }
        let newer = |event: &&Arc<Event>| event.revision().is_some_and(|n| n > as_of.seq);
        Some(self.events.iter().filter(newer).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::event::Deleted;
    use shared::{ConnectionId, Epoch};

    fn at(seq: u64) -> EventId {
        EventId { epoch: Epoch(1), seq }
    }

    fn event(revision: u64) -> Arc<Event> {
        let connection_id: ConnectionId = "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1".parse().unwrap();
        Arc::new(Event::QueueDeleted(Deleted { id: "q".to_owned(), connection_id, revision }))
    }

    fn numbers(events: Option<Vec<Arc<Event>>>) -> Option<Vec<u64>> {
        Some(events?.iter().filter_map(|event| event.revision()).collect())
    }

    #[test]
    fn later_rows_get_only_what_came_after_them() {
        let mut ring = Ring::default();
        ring.begin(at(10));
        (11..=14).for_each(|n| ring.push(event(n)));
        assert_eq!(numbers(ring.after(at(10))), Some(vec![11, 12, 13, 14]));
        assert_eq!(numbers(ring.after(at(13))), Some(vec![14]));
        assert_eq!(numbers(ring.after(at(99))), Some(vec![]));
    }

    #[test]
    fn rows_older_than_the_ring_are_told_to_be_fetched_again() {
        let mut ring = Ring::default();
        assert!(ring.after(at(1)).is_none(), "nothing was listened to");
        ring.begin(at(10));
        assert!(ring.after(at(9)).is_none(), "before the stream began");
        assert!(ring.after(EventId { epoch: Epoch(2), seq: 10 }).is_none(), "another epoch");
        (11..=10 + ROOM as u64 + 1).for_each(|n| ring.push(event(n)));
        assert!(ring.after(at(10)).is_none(), "overtaken");
        assert!(ring.after(at(11)).is_some());
    }
}
