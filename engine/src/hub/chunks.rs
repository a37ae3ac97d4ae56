//! What was last joined, for the next reader at the same place: a burst is copied once per kind of stream,
//! not once per stream.

use super::Interest;
use bytes::Bytes;
use std::sync::{Mutex, PoisonError};

/// Kinds of streams (pages and scripts differ in what they want) that are told apart.
const KINDS: usize = 4;

/// Frames in one piece, and where they lead to.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub frames: Bytes,
    /// All up to here is in it or did not match.
    pub upto: u64,
    /// The last id in it.
    pub told: u64,
}

/// The chunks of one moment: a publication ends them.
#[derive(Debug, Default)]
pub(super) struct Chunks(Mutex<Vec<(u64, Interest, Chunk)>>);

impl Chunks {
    pub fn find(&self, from: u64, interest: &Interest) -> Option<Chunk> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(at, wanted, _)| *at == from && wanted == interest);
        found.map(|(_, _, chunk)| chunk.clone())
    }

    pub fn keep(&self, from: u64, interest: &Interest, chunk: Chunk) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KINDS {
            kept.remove(0);
        }
        kept.push((from, interest.clone(), chunk));
    }

    pub fn clear(&mut self) {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
