//! What is counted with every change, so that nobody has to look at all rows for it.

use super::{Store, StoreError, row};
use crate::Caller;
use shared::{ConnectionId, JobState};

/// How many jobs a queue has in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub connection: ConnectionId,
    pub queue: String,
    pub state: JobState,
    pub count: u64,
}

impl Store {
    /// Every count, by connection, queue and state; 0 where there once was a job.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn counted(&self, _caller: &Caller) -> Result<Vec<Counted>, StoreError> {
        self.read(|db| {
            let mut query =
                db.prepare_cached("SELECT connection, queue, state, count FROM jobs_counted")?;
            let rows = query.query_map([], |found| {
                Ok(Counted {
                    connection: ConnectionId(row::uuid(found, 0)?),
                    queue: found.get(1)?,
                    state: row::word(found, 2, JobState::ALL, JobState::as_str)?,
                    count: row::number(found, 3)?.unwrap_or(0),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Bytes of the logs of all jobs that are over.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn log_bytes(&self, _caller: &Caller) -> Result<u64, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT log_bytes FROM over")?;
            Ok(query.query_row([], |found| row::number(found, 0))?.unwrap_or(0))
        })
    }
}
