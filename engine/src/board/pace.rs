//! At most so many a second, and the last one always: what stands before the number of a latest-wins event.

use crate::hub::Key;
use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    time::{Duration, Instant},
};

/// Four a second.
const GAP: Duration = Duration::from_millis(250);

/// Points in time, one per key.
#[derive(Debug)]
pub(super) struct Deadlines<K> {
    due: HashMap<K, Instant>,
    order: BTreeSet<(Instant, K)>,
}

impl<K: Clone + Eq + Hash + Ord> Deadlines<K> {
    pub fn new() -> Self {
        Self { due: HashMap::new(), order: BTreeSet::new() }
    }

    pub fn set(&mut self, key: K, at: Instant) {
        self.remove(&key);
        self.due.insert(key.clone(), at);
        self.order.insert((at, key));
    }

    pub fn remove(&mut self, key: &K) {
        if let Some((key, at)) = self.due.remove_entry(key) {
            self.order.remove(&(at, key));
        }
    }

    pub fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes out the first that is due.
    pub fn pop(&mut self, now: Instant) -> Option<K> {
        let key = self.order.first().filter(|(at, _)| *at <= now)?.1.clone();
        self.remove(&key);
        Some(key)
    }
}

/// Lets values of a key through at their pace. It keeps no values: the newest is wherever it lives.
#[derive(Debug)]
pub(super) struct Pace {
    last: HashMap<Key, Instant>,
    held: Deadlines<Key>,
}

impl Pace {
    pub fn new() -> Self {
        Self { last: HashMap::new(), held: Deadlines::new() }
    }

    /// The key has a new value: whether it may go now. If not, [`Pace::pop`] says when.
    pub fn touch(&mut self, key: &Key, now: Instant) -> bool {
        let next = self.last.get(key).map(|last| *last + GAP).filter(|next| *next > now);
        match next {
            Some(next) => self.held.set(key.clone(), next),
            None => {
                self.held.remove(key);
                self.last.insert(key.clone(), now);
            }
        }
        next.is_none()
    }

    /// When the first held value may go.
    pub fn next(&self) -> Option<Instant> {
        self.held.next()
    }

    /// A key whose held value may go now.
    pub fn pop(&mut self, now: Instant) -> Option<Key> {
        let key = self.held.pop(now)?;
        self.last.insert(key.clone(), now);
        Some(key)
    }

    /// Drops what is held of the key.
    pub fn forget(&mut self, key: &Key) {
        self.last.remove(key);
        self.held.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::JobId;
    use uuid::Uuid;

    fn key() -> Key {
        Key::Progress(JobId(Uuid::nil()))
    }

    #[test]
    fn at_most_four_a_second_go_through_and_the_last_value_always_does() {
        let (mut pace, start) = (Pace::new(), Instant::now());
        let mut went = Vec::new();
        // A value each 10 ms for a second, then nothing more.
        for ms in (0..1_000).step_by(10) {
            let now = start + Duration::from_millis(ms);
            if pace.pop(now).is_some() || pace.touch(&key(), now) {
                went.push(ms);
            }
        }
        assert_eq!(went, [0, 250, 500, 750]);
        assert_eq!(pace.next(), Some(start + Duration::from_millis(1_000)));
        assert_eq!(pace.pop(start + Duration::from_millis(999)), None);
        assert_eq!(pace.pop(start + Duration::from_millis(1_000)), Some(key()));
        assert_eq!((pace.next(), pace.pop(start + Duration::from_secs(9))), (None, None));
    }

    #[test]
    fn what_is_forgotten_is_not_let_through_later() {
        let (mut pace, now) = (Pace::new(), Instant::now());
        assert!(pace.touch(&key(), now));
        assert!(!pace.touch(&key(), now));
        pace.forget(&key());
        assert_eq!(pace.pop(now + Duration::from_secs(1)), None);
    }
}
