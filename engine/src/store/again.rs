//! What was tried again lately.

use super::{Store, StoreError, row};
use crate::Caller;
use shared::{JobId, Timestamp};

/// Attempts that are looked at: the newest of a storm tell as much as all of it.
const MOST: u32 = 2_000;

/// Attempts after the first of all jobs of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedAgain {
    pub name: String,
    pub attempts: u64,
    /// Jobs that these are of, and the newest of them.
    pub jobs: u64,
    pub newest: JobId,
    /// When the first of them began.
    pub since: Timestamp,
}

impl Store {
    /// Attempts after the first that began at or after `since`, the newest 2,000 of them, by the name of their job.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn tried_again(
        &self,
        _caller: &Caller,
        since: Timestamp,
    ) -> Result<Vec<TriedAgain>, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT jobs.name, count(*), count(DISTINCT again.job), max(again.job), \
                 min(again.started_at) FROM (\
                     SELECT job, started_at FROM attempts INDEXED BY attempts_again \
                     WHERE number > 1 AND started_at >= ?1 ORDER BY started_at DESC LIMIT ?2\
                 ) AS again JOIN jobs ON jobs.id = again.job GROUP BY jobs.name",
            )?;
            let rows = query.query_map([since.0, MOST.into()], |found| {
                Ok(TriedAgain {
                    name: found.get(0)?,
                    attempts: row::number(found, 1)?.unwrap_or(0),
                    jobs: row::number(found, 2)?.unwrap_or(0),
                    newest: JobId(row::uuid(found, 3)?),
                    since: Timestamp(found.get(4)?),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
