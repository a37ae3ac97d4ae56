//! Events of which only the newest counts, by key and by number.

use super::{Event, Key, Topic};
use bytes::Bytes;
use shared::ConnectionId;
use std::collections::{BTreeMap, HashMap};

#[derive(Debug)]
pub(super) struct Newest {
    pub connection: ConnectionId,
    pub topic: Topic,
    pub frame: Bytes,
}

/// The newest event of each key. Ordered by number too, so that reading costs what is new.
#[derive(Debug, Default)]
pub(super) struct Latest {
    numbers: HashMap<Key, u64>,
    events: BTreeMap<u64, Newest>,
}

impl Latest {
    /// Takes the place of the one before of the same key.
    pub fn put(&mut self, key: Key, event: Event) {
        if let Some(before) = self.numbers.insert(key, event.seq) {
            self.events.remove(&before);
        }
        let Event { seq, connection, topic, frame, .. } = event;
        self.events.insert(seq, Newest { connection, topic, frame });
    }

    pub fn remove(&mut self, key: &Key) {
        if let Some(number) = self.numbers.remove(key) {
            self.events.remove(&number);
        }
    }

    /// Events with a number above `position`, in order.
    pub fn after(&self, position: u64) -> impl Iterator<Item = (u64, &Newest)> {
        self.events.range(position.saturating_add(1)..).map(|(seq, newest)| (*seq, newest))
    }
}
