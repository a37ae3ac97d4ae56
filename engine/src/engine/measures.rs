//! What is measured of the board, for those who collect it.

use super::{Engine, ReadError};
use crate::{
    Caller,
    board::{Histogram, Measured},
    store::Counted,
};
use shared::ConnectionId;

/// What was measured since the start, and the counts as they stand.
#[derive(Clone, Debug)]
pub struct Measures {
    /// Every job there is, by connection, queue and state.
    pub jobs: Vec<Counted>,
    /// Bytes of the logs of jobs that are over.
    pub log_bytes: u64,
    /// By queue, at most 256 of them.
    pub queues: Vec<Measured>,
    /// In microseconds.
    pub commits: Histogram,
    /// The floor of each connection's ring: the number of the last event that a stream cannot resume over.
    pub floors: Vec<(ConnectionId, u64)>,
}

impl Engine {
    /// What is measured, as it stands.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn measures(&self, caller: &Caller) -> Result<Measures, ReadError> {
        let (_, (jobs, log_bytes)) = self
            .ask(caller, |store, caller| Ok((store.counted(caller)?, store.log_bytes(caller)?)))
            .await?;
        let (queues, commits) = (self.inner.board.measured(), self.inner.board.commits());
        Ok(Measures { jobs, log_bytes, queues, commits, floors: self.inner.hub.floors() })
    }
}
