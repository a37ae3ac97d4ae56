//! All that the hub holds: one ring per connection, the latest-wins events, and how far both go.

use super::{
    Event, Interest, Key, Topic,
    chunks::Chunks,
    latest::Latest,
    ring::{Entry, Limits, Reach, Ring},
};
use bytes::Bytes;
use shared::{ConnectionId, Epoch, EventId};
use std::collections::HashMap;

#[derive(Debug)]
pub(super) struct Log {
    pub epoch: Epoch,
    /// The newest number published.
    pub head: u64,
    pub limits: Limits,
    pub rings: HashMap<ConnectionId, Ring>,
    pub latest: Latest,
    pub aside: Aside,
    pub chunks: Chunks,
}

/// Frames outside the order of numbers: what has to be said while nothing can be numbered.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// Goes up when the frames change.
    pub version: u64,
    pub frames: Vec<(ConnectionId, Bytes)>,
}

impl Log {
    pub fn new(epoch: Epoch, head: u64, limits: Limits) -> Self {
        let (rings, latest) = (HashMap::new(), Latest::default());
        let (aside, chunks) = (Aside::default(), Chunks::default());
        Self { epoch, head, limits, rings, latest, aside, chunks }
    }

    pub fn id(&self, seq: u64) -> EventId {
        EventId { epoch: self.epoch, seq }
    }

    /// Takes in what a commit made known; the head moves last.
    pub fn publish(&mut self, events: Vec<Event>, over: &[Key]) {
        let head = events.last().map_or(self.head, |event| event.seq);
        for mut event in events {
            debug_assert!(
                event.seq > self.head,
                "events are published in the order of their numbers"
            );
            let new = || Ring::new(self.limits);
            if event.after_gap {
                self.rings.entry(event.connection).or_insert_with(new).begin_at(event.seq);
            }
            match event.key.take() {
                Some(key) => self.latest.put(key, event),
                None => {
                    let ring = self.rings.entry(event.connection).or_insert_with(new);
                    let (seq, topic, frame) = (event.seq, event.topic, event.frame);
                    ring.push(Entry { seq, topic, frame });
                }
            }
        }
        for key in over {
            self.latest.remove(key);
        }
        self.head = head;
        self.chunks.clear();
    }

    /// Whether a reader of a connection can go on from a position. One without a ring never had an event.
    pub fn reach(&self, connection: ConnectionId, position: u64) -> Reach {
        self.rings.get(&connection).map_or(Reach::Here, |ring| ring.reach(position))
    }

    /// What passes the interest, in the order of numbers, from after `from` up to `upto`, except of the
    /// connections in `without`, of which only their freshness is told.
    pub fn read<'a>(
        &'a self,
        interest: &'a Interest,
        without: &'a [ConnectionId],
        from: u64,
        upto: u64,
    ) -> impl Iterator<Item = (u64, &'a Bytes)> {
        let watched = interest.connections.iter().filter(|id| !without.contains(id));
        let rings = watched.filter_map(|id| self.rings.get(id));
        let mut rings: Vec<_> = rings.map(|ring| ring.after(from).peekable()).collect();
        let latest = self.latest.after(from).filter(move |(_, newest)| {
            interest.connections.contains(&newest.connection)
                && (newest.topic == Topic::Connection || !without.contains(&newest.connection))
                && interest.wants(newest.topic)
        });
        let mut latest = latest.peekable();
        std::iter::from_fn(move || {
            loop {
                // A stream watches few connections: looking at each is cheaper than a heap.
                let next = rings
                    .iter_mut()
                    .filter_map(|ring| ring.peek().map(|entry| entry.seq).map(|seq| (seq, ring)))
                    .min_by_key(|(seq, _)| *seq);
                let newest = latest.peek().map(|(seq, _)| *seq);
                let (seq, topic, frame) = match next {
                    Some((seq, ring)) if newest.is_none_or(|newest| seq < newest) => {
                        let entry = ring.next()?;
                        (seq, entry.topic, &entry.frame)
                    }
                    _ => {
                        let (seq, newest) = latest.next()?;
                        (seq, newest.topic, &newest.frame)
                    }
                };
                if seq > upto {
                    return None;
                }
                if interest.wants(topic) {
                    return Some((seq, frame));
                }
            }
        })
    }
}

impl Interest {
    pub(super) fn wants(&self, topic: Topic) -> bool {
        match topic {
            Topic::Job => self.jobs,
            Topic::Worker => self.workers,
            Topic::Queue => self.queues,
            Topic::Connection => true,
        }
    }
}
