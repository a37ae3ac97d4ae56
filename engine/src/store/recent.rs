//! What the last hour was like.

use super::{Store, StoreError, row};
use crate::Caller;
use rusqlite::params;
use shared::{ConnectionId, JobState, Timestamp, page::Minute};

/// Minutes of it.
const MINUTES: i64 = 60;
const MINUTE_MS: i64 = 60_000;

impl Store {
    /// How many jobs ended in each of the last 60 minutes, oldest first; the last minute goes on.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn activity(&self, _caller: &Caller, now: Timestamp) -> Result<Vec<Minute>, StoreError> {
        let first = now.0.div_euclid(MINUTE_MS) - MINUTES + 1;
        let mut minutes: Vec<_> = (first..first + MINUTES)
            .map(|minute| Minute { at: Timestamp(minute * MINUTE_MS), ..Minute::default() })
            .collect();
        self.read(|db| {
            let mut known = db.prepare_cached("SELECT id FROM connections")?;
            let connections = known.query_map([], |found| row::uuid(found, 0).map(ConnectionId))?;
            let mut query = db.prepare_cached(
                "SELECT finished_at / ?4, count(*) FROM jobs INDEXED BY jobs_by_finished \
                 WHERE connection = ?1 AND state = ?2 AND finished_at IS NOT NULL \
                 AND finished_at >= ?3 GROUP BY 1",
            )?;
            for connection in connections {
                let connection = connection?;
                for state in [JobState::Completed, JobState::Failed, JobState::Cancelled] {
                    let since = first * MINUTE_MS;
                    let given = params![connection.0.as_bytes(), state.as_str(), since, MINUTE_MS];
                    let rows =
                        query.query_map(given, |found| Ok((found.get(0)?, found.get(1)?)))?;
                    for found in rows {
                        let (minute, count): (i64, u32) = found?;
                        // One that ended after now belongs to no minute yet.
                        let at = usize::try_from(minute - first).unwrap_or(usize::MAX);
                        let Some(minute) = minutes.get_mut(at) else { continue };
                        match state {
                            JobState::Completed => minute.completed += count,
                            JobState::Failed => minute.failed += count,
                            _ => minute.cancelled += count,
                        }
                    }
                }
            }
            Ok::<_, StoreError>(())
        })?;
        Ok(minutes)
    }
}
