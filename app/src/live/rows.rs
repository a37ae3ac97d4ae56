//! Rows on the screen: one list, one signal per row. A change to a row wakes that row alone; only
//! what enters, leaves or moves wakes the list.

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

/// A row that is on the screen.
#[derive(Clone)]
pub struct Mounted<R: Row> {
    pub key: R::Key,
    pub row: ArcRwSignal<R>,
}

/// The rows of one list, in the order in which they are shown. Short: what is on the screen and
/// no more, so a row is found by walking.
#[derive(Clone)]
pub struct Rows<R: Row>(ArcRwSignal<Vec<Mounted<R>>>);

// === impl Rows ===

impl<R: Row> Rows<R> {
    pub fn new(rows: Vec<R>) -> Self {
        Self(ArcRwSignal::new(rows.into_iter().map(Mounted::new).collect()))
    }

    /// The rows as they stand in order; tracked, for `<For>`.
    pub fn list(&self) -> Vec<Mounted<R>> {
        self.0.get()
    }

    /// How many there are; tracked.
    pub fn len(&self) -> usize {
        self.0.with(Vec::len)
    }

    /// Whether there are none; tracked.
    pub fn is_empty(&self) -> bool {
        self.0.with(Vec::is_empty)
    }

    /// Reads every row; tracked, each of them too.
    pub fn map<T>(&self, read: impl Fn(&R) -> T) -> Vec<T> {
        self.0.with(|rows| rows.iter().map(|mounted| mounted.row.with(&read)).collect())
    }

    /// How many there are, for who is not to be told when that changes.
    pub fn count(&self) -> usize {
        self.0.with_untracked(Vec::len)
    }

    /// The last row as it stands.
    pub fn last(&self) -> Option<R> {
        self.0.with_untracked(|rows| rows.last().map(|mounted| mounted.row.get_untracked()))
    }

    pub fn find(&self, key: &R::Key) -> Option<ArcRwSignal<R>> {
        self.0.with_untracked(|rows| {
            rows.iter().find(|mounted| mounted.key == *key).map(|mounted| mounted.row.clone())
        })
    }

    /// Changes a row that is there; `None` when it is not. An older change changes nothing.
    pub fn change(&self, row: R) -> Option<()> {
        let mounted = self.find(&row.key())?;
        if mounted.with_untracked(|old| row.revision() > old.revision()) {
            mounted.set(row);
        }
        Some(())
    }

    /// Puts a row in that is not there yet, before the first one that it `is_before`; tells where.
    pub fn insert(&self, row: R, is_before: impl Fn(&R, &R) -> bool) -> usize {
        self.0
            .try_update(|rows| {
                let at = rows
                    .iter()
                    .position(|other| other.row.with_untracked(|other| is_before(&row, other)))
                    .unwrap_or(rows.len());
                rows.insert(at, Mounted::new(row));
                at
            })
            // The signal is held by this struct, so it is never disposed of.
            .unwrap_or_default()
    }

    /// Changes the row or puts it at the end.
    pub fn put(&self, row: R) {
        if self.change(row.clone()).is_none() {
            self.insert(row, |_, _| false);
        }
    }

    /// Takes a row out; whether it was there.
    pub fn remove(&self, key: &R::Key) -> bool {
        let found = self.find(key).is_some();
        if found {
            self.0.update(|rows| rows.retain(|mounted| mounted.key != *key));
        }
        found
    }

    /// Keeps the first `room` rows; whether any went.
    pub fn truncate(&self, room: usize) -> bool {
        let over = self.0.with_untracked(|rows| rows.len() > room);
        if over {
            self.0.update(|rows| rows.truncate(room));
        }
        over
    }

    /// Shows these rows instead. One that stays keeps its signal, so its place on the screen is
    /// not made anew, and keeps what it knows if that is newer.
    pub fn replace(&self, rows: Vec<R>) {
        let next: Vec<_> = rows
            .into_iter()
            .map(|row| {
                let key = row.key();
                match self.find(&key) {
                    Some(kept) => {
                        if kept.with_untracked(|old| row.revision() > old.revision()) {
                            kept.set(row);
                        }
                        Mounted { key, row: kept }
                    }
                    None => Mounted::new(row),
                }
            })
            .collect();
        let same = self.0.with_untracked(|old| {
            old.len() == next.len() && old.iter().zip(&next).all(|(a, b)| a.key == b.key)
        });
        if !same {
            self.0.set(next);
        }
    }
}

impl<R: Row> Mounted<R> {
    fn new(row: R) -> Self {
        Self { key: row.key(), row: ArcRwSignal::new(row) }
    }
}
