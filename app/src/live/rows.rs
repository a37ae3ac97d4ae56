//! Rows on the screen: one list, one signal. Events come once per frame, and what draws the rows
//! touches those that changed only.

use leptos::prelude::*;
use shared::{Connection, ConnectionId, Job, JobId, Queue, Worker};

/// Something with a key and the number of the event that last changed it.
pub trait Row: Clone + Send + Sync + 'static {
    type Key: Clone + PartialEq + std::hash::Hash + Eq + Send + Sync + 'static;

    fn key(&self) -> Self::Key;
    fn revision(&self) -> u64;
}

impl Row for Job {
    type Key = JobId;

    fn key(&self) -> JobId {
        self.id
    }

    fn revision(&self) -> u64 {
        self.revision
    }
}

impl Row for Worker {
    type Key = (ConnectionId, String);

    fn key(&self) -> Self::Key {
        (self.connection_id, self.id.clone())
    }

    fn revision(&self) -> u64 {
        self.revision
    }
}

impl Row for Queue {
    type Key = (ConnectionId, String);

    fn key(&self) -> Self::Key {
        (self.connection_id, self.name.clone())
    }

    fn revision(&self) -> u64 {
        self.revision
    }
}

impl Row for Connection {
    type Key = ConnectionId;

    fn key(&self) -> ConnectionId {
        self.id
    }

    fn revision(&self) -> u64 {
        self.revision
    }
}

/// The rows of one list, in the order in which they are shown. Short: what is on the screen and
/// no more, so a row is found by walking.
#[derive(Clone)]
pub struct Rows<R: Row>(ArcRwSignal<Vec<R>>);

// === impl Rows ===

impl<R: Row> Rows<R> {
    pub fn new(rows: Vec<R>) -> Self {
        Self(ArcRwSignal::new(rows))
    }

    /// Reads all rows; tracked.
    pub fn with<T>(&self, read: impl FnOnce(&[R]) -> T) -> T {
        self.0.with(|rows| read(rows))
    }

    /// Reads every row; tracked.
    pub fn map<T>(&self, read: impl FnMut(&R) -> T) -> Vec<T> {
        self.0.with(|rows| rows.iter().map(read).collect())
    }

    /// Whether there are none; tracked.
    pub fn is_empty(&self) -> bool {
        self.0.with(Vec::is_empty)
    }

    /// Reads a row for who is not to be told when it changes.
    pub fn find<T>(&self, key: &R::Key, read: impl FnOnce(&R) -> T) -> Option<T> {
        self.0.with_untracked(|rows| rows.iter().find(|row| row.key() == *key).map(read))
    }

    /// The same for all of them.
    pub fn peek<T>(&self, read: impl FnOnce(&[R]) -> T) -> T {
        self.0.with_untracked(|rows| read(rows))
    }

    /// Changes a row that is there; `None` when it is not. An older change changes nothing.
    pub fn change(&self, row: R) -> Option<()> {
        let newer = self.find(&row.key(), |old| row.revision() > old.revision())?;
        if newer {
            self.update(&row.key(), |old| *old = row.clone());
        }
        Some(())
    }

    /// Changes a row in place.
    pub fn update(&self, key: &R::Key, change: impl FnOnce(&mut R)) {
        self.0.update(|rows| {
            if let Some(row) = rows.iter_mut().find(|row| row.key() == *key) {
                change(row);
            }
        });
    }

    /// Puts a row in that is not there yet, before the first one that it `is_before`; tells where.
    pub fn insert(&self, row: R, is_before: impl Fn(&R, &R) -> bool) -> usize {
        let at = self.peek(|rows| {
            rows.iter().position(|other| is_before(&row, other)).unwrap_or(rows.len())
        });
        self.0.update(|rows| rows.insert(at, row));
        at
    }

    /// Changes the row or puts it at the end.
    pub fn put(&self, row: R) {
        if self.change(row.clone()).is_none() {
            self.insert(row, |_, _| false);
        }
    }

    /// Takes a row out; whether it was there.
    pub fn remove(&self, key: &R::Key) -> bool {
        let found = self.find(key, |_| ()).is_some();
        if found {
            self.0.update(|rows| rows.retain(|row| row.key() != *key));
        }
        found
    }

    /// Keeps the first `room` rows; whether any went.
    pub fn truncate(&self, room: usize) -> bool {
        let over = self.peek(|rows| rows.len() > room);
        if over {
            self.0.update(|rows| rows.truncate(room));
        }
        over
    }

    /// Shows these rows instead. One that stays keeps what it knows if that is newer.
    pub fn replace(&self, mut rows: Vec<R>) {
        self.0.update(|old| {
            for row in &mut rows {
                let kept = old.iter().find(|old| old.key() == row.key());
                if let Some(kept) = kept.filter(|kept| kept.revision() > row.revision()) {
                    row.clone_from(kept);
                }
            }
            *old = rows;
        });
    }
}
