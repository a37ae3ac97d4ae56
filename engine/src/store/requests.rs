//! What may be asked for again: requests with a key, due times; and what is to be tidied up.

use super::{Store, StoreError, Writer, row};
use crate::observation::RequestKey;
use rusqlite::{OptionalExtension, params};
use shared::{ConnectionId, JobId, Timestamp};
use uuid::Uuid;

/// How long a request may be repeated.
pub const KEY_KEPT_MS: i64 = 24 * 60 * 60 * 1000;

impl Writer {
    /// What a request with this key asked for, and the job it made, if that is less than 24 hours ago.
    pub fn request(&self, key: &RequestKey) -> Result<Option<(Uuid, JobId)>, StoreError> {
        let since = Timestamp::now().0 - KEY_KEPT_MS;
        let mut query = self.db().prepare_cached(
            "SELECT request, job FROM request_keys WHERE caller = ? AND key = ? AND at > ?",
        )?;
        let found = query.query_row(params![key.caller, key.key, since], |found| {
            Ok((row::uuid(found, 0)?, JobId(row::uuid(found, 1)?)))
        });
        Ok(found.optional()?)
    }

    /// The job that was made for a due time.
    pub fn due(&self, pipeline: &str, at: Timestamp) -> Result<Option<JobId>, StoreError> {
        let mut query =
            self.db().prepare_cached("SELECT job FROM dues WHERE pipeline = ? AND at = ?")?;
        let found = query.query_row(params![pipeline, at.0], |found| row::optional_uuid(found, 0));
        Ok(found.optional()?.flatten().map(JobId))
    }
}

/// A queue that is paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    pub connection: ConnectionId,
    pub queue: String,
    pub by: String,
    pub since: Timestamp,
}

impl Store {
    /// Every paused queue.
    pub fn paused(&self) -> Result<Vec<Paused>, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT connection, queue, by, at FROM paused")?;
            let rows = query.query_map([], |found| {
                Ok(Paused {
                    connection: ConnectionId(row::uuid(found, 0)?),
                    queue: found.get(1)?,
                    by: found.get(2)?,
                    since: Timestamp(found.get(3)?),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Deleted jobs whose directory may still be there, at most 1,000.
    pub fn garbage(&self) -> Result<Vec<JobId>, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT job FROM garbage LIMIT 1000")?;
            let rows = query.query_map([], |found| Ok(JobId(row::uuid(found, 0)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
