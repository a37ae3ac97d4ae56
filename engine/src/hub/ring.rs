//! The history of one connection: as much as is kept, without a hole.

use super::Topic;
use bytes::Bytes;
use std::{collections::VecDeque, mem::size_of};

/// How much is kept of one connection, and how much of it is given out at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub events: usize,
    /// Of frames and what holds them.
    pub bytes: usize,
    /// Bytes that are joined into one write, a larger event alone apart.
    pub joined: usize,
}

impl Limits {
    pub const DEFAULT: Self = Self { events: 65_536, bytes: 32 << 20, joined: 64 << 10 };
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub seq: u64,
    pub topic: Topic,
    pub frame: Bytes,
}

impl Entry {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.frame.len()
    }
}

/// Every event of its connection with a number above the floor.
#[derive(Debug)]
pub(super) struct Ring {
    entries: VecDeque<Entry>,
    bytes: usize,
    limits: Limits,
    /// Number of the last event that is not here, or a later one before the next.
    floor: u64,
    /// While the ring is filled from the store: the floor it has there.
    stored: Option<u64>,
    /// Positions below this one miss events that were never published.
    gap: u64,
}

/// Whether a reader can go on from a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reach {
    Here,
    /// It will be, when the ring is filled.
    Soon,
    Gone,
    /// Not even once could it: events were not published.
    Gap,
}

impl Ring {
    /// Empty, of a connection that never had an event.
    pub fn new(limits: Limits) -> Self {
        Self { entries: VecDeque::new(), bytes: 0, limits, floor: 0, stored: None, gap: 0 }
    }

    /// Empty, of a connection whose events up to `head` are to be filled in from the store.
    pub fn to_fill(limits: Limits, head: u64, stored: u64) -> Self {
        Self { floor: head, stored: Some(stored), ..Self::new(limits) }
    }

    pub fn floor(&self) -> u64 {
        self.floor
    }

    pub fn reach(&self, position: u64) -> Reach {
        match self.stored {
            _ if position >= self.floor => Reach::Here,
            _ if position < self.gap => Reach::Gap,
            Some(stored) if position >= stored => Reach::Soon,
            _ => Reach::Gone,
        }
    }

    /// Empties it: whoever stands before this number has missed what was not published.
    pub fn begin_at(&mut self, number: u64) {
        *self = Self { floor: number, gap: number, ..Self::new(self.limits) };
    }

    /// Appends the newest event; the oldest go when it is full.
    pub fn push(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        while self.entries.len() > self.limits.events || self.bytes > self.limits.bytes {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.bytes();
            self.floor = oldest.seq;
        }
    }

    /// Puts older events before the others, newest first. `below`: the floor they were read for; `floor`: the
    /// stored one if there are no others. False: the ring is as full as it gets.
    pub fn fill(
        &mut self,
        below: u64,
        older: impl Iterator<Item = Entry>,
        floor: Option<u64>,
    ) -> bool {
        let mut open = self.floor == below && self.stored.is_some();
        for entry in older {
            let room = self.entries.len() < self.limits.events
                && self.bytes + entry.bytes() <= self.limits.bytes;
            open = open && room;
            if !open {
                break;
            }
            self.floor = entry.seq - 1;
            self.bytes += entry.bytes();
            self.entries.push_front(entry);
        }
        if open && let Some(floor) = floor {
            self.floor = floor;
            open = false;
        }
        if !open {
            self.stored = None;
        }
        open
    }

    /// Events with a number above `position`, in order.
    pub fn after(&self, position: u64) -> impl Iterator<Item = &Entry> {
        let start = self.entries.partition_point(|entry| entry.seq <= position);
        self.entries.range(start..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { events: 3, bytes: 1 << 20, joined: 1 };

    fn entry(seq: u64) -> Entry {
        Entry { seq, topic: Topic::Job, frame: Bytes::from_static(b"data: 1\n\n") }
    }

    fn seqs(ring: &Ring, after: u64) -> Vec<u64> {
        ring.after(after).map(|entry| entry.seq).collect()
    }

    #[test]
    fn a_full_ring_drops_the_oldest_and_its_floor_says_so() {
        let mut ring = Ring::new(LIMITS);
        for seq in [2, 4, 6, 8] {
            ring.push(entry(seq));
        }
        assert_eq!((seqs(&ring, 0), ring.floor()), (vec![4, 6, 8], 2));
        assert_eq!((ring.reach(2), ring.reach(1)), (Reach::Here, Reach::Gone));
        assert_eq!(seqs(&ring, 5), [6, 8]);
    }

    #[test]
    fn a_ring_is_bounded_by_bytes_too() {
        let bytes = entry(1).bytes() * 2;
        let mut ring = Ring::new(Limits { events: 100, bytes, joined: 1 });
        for seq in 1..=5 {
            ring.push(entry(seq));
        }
        assert_eq!((seqs(&ring, 0), ring.floor()), (vec![4, 5], 3));
    }

    #[test]
    fn a_position_that_is_still_being_filled_in_waits_for_it() {
        let mut ring = Ring::to_fill(LIMITS, 100, 10);
        assert_eq!(
            (ring.reach(9), ring.reach(10), ring.reach(100)),
            (Reach::Gone, Reach::Soon, Reach::Here)
        );
        assert!(ring.fill(100, [entry(60), entry(50)].into_iter(), None));
        assert_eq!((ring.reach(49), ring.reach(48)), (Reach::Here, Reach::Soon));
        assert!(!ring.fill(49, [entry(20)].into_iter(), Some(10)));
        assert_eq!((ring.reach(10), ring.reach(9)), (Reach::Here, Reach::Gone));
        assert_eq!(seqs(&ring, 10), [20, 50, 60]);
    }

    #[test]
    fn what_was_pushed_out_meanwhile_is_not_filled_in_again() {
        let mut ring = Ring::to_fill(LIMITS, 100, 0);
        for seq in 101..=104 {
            ring.push(entry(seq));
        }
        assert!(!ring.fill(100, [entry(60)].into_iter(), Some(0)));
        assert_eq!((seqs(&ring, 0), ring.floor()), (vec![102, 103, 104], 101));
        assert_eq!(ring.reach(50), Reach::Gone);
    }
}
