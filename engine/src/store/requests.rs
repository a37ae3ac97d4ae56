//! What may be asked for again: requests with a key, due times; and what is to be tidied up.

use super::{Store, StoreError, Writer, row};
use crate::observation::RequestKey;
use rusqlite::{OptionalExtension, params};
use shared::{ConnectionId, JobId, Timestamp};
use std::collections::HashMap;
use uuid::Uuid;

/// Milliseconds for which a request may be repeated.
pub const KEY_KEPT_MS: i64 = 24 * 60 * 60 * 1000;

impl Writer {
    /// What a request with this key asked for, and the job it made, if that is less than 24 hours before `at`.
    pub fn request(
        &self,
        key: &RequestKey,
        at: Timestamp,
    ) -> Result<Option<(Uuid, JobId)>, StoreError> {
        let since = at.0.saturating_sub(KEY_KEPT_MS);
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

/// Where the schedule of a pipeline stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    /// Due times up to this one are dealt with.
    pub upto: Timestamp,
    /// The job it made last.
    pub last: Option<JobId>,
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
        self.read_unhurried(|db| {
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

    /// Where each schedule stands.
    pub fn schedules(&self) -> Result<HashMap<String, Stand>, StoreError> {
        self.read_unhurried(|db| {
            let mut query = db.prepare_cached(
                "SELECT pipeline, upto, (SELECT job FROM dues WHERE pipeline = schedules.pipeline \
                 AND job IS NOT NULL ORDER BY at DESC LIMIT 1) FROM schedules",
            )?;
            let rows = query.query_map([], |found| {
                let last = row::optional_uuid(found, 2)?.map(JobId);
                Ok((found.get(0)?, Stand { upto: Timestamp(found.get(1)?), last }))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The newest due time of each pipeline that made no job.
    pub fn skipped(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT pipeline, max(at) FROM dues WHERE job IS NULL GROUP BY pipeline",
            )?;
            let rows =
                query.query_map([], |found| Ok((found.get(0)?, Timestamp(found.get(1)?))))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Due times of a pipeline that are kept, with the jobs they made, oldest first.
    pub fn dues(&self, pipeline: &str) -> Result<Vec<(Timestamp, Option<JobId>)>, StoreError> {
        self.read_unhurried(|db| {
            let mut query =
                db.prepare_cached("SELECT at, job FROM dues WHERE pipeline = ? ORDER BY at")?;
            let rows = query.query_map([pipeline], |found| {
                Ok((Timestamp(found.get(0)?), row::optional_uuid(found, 1)?.map(JobId)))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Deleted jobs whose directory may still be there, at most 1,000.
    pub fn garbage(&self) -> Result<Vec<JobId>, StoreError> {
        self.read_unhurried(|db| {
            let mut query = db.prepare_cached("SELECT job FROM garbage LIMIT 1000")?;
            let rows = query.query_map([], |found| Ok(JobId(row::uuid(found, 0)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
