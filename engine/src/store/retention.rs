//! Which jobs are past their time.

use super::{Store, StoreError, row};
use crate::Retention;
use rusqlite::{Connection, params};
use shared::{ConnectionId, JobId, Timestamp};
use std::time::Duration;

/// A job, and whose it is.
type Found = (JobId, ConnectionId);

impl Store {
    /// The oldest `limit` jobs that are past what is kept of them; by age first, then by number, then
    /// by the size of all logs: of the latter two those that failed last.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn past_retention(
        &self,
        kept: &Retention,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Found>, StoreError> {
        self.read_unhurried(|db| {
            let ages = [
                ("completed", kept.completed),
                ("cancelled", kept.completed),
                ("failed", kept.failed),
            ];
            for (state, age) in ages {
                let Some(age) = age else { continue };
                let found = ended_before(db, state, before(now, age), limit)?;
                if !found.is_empty() {
                    return Ok(found);
                }
            }
            let (jobs, bytes) =
                db.prepare_cached("SELECT jobs, log_bytes FROM over")?.query_row([], |row| {
                    Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64))
                })?;
            let too_many = jobs.saturating_sub(kept.jobs);
            if too_many == 0 && bytes <= kept.log_bytes {
                return Ok(Vec::new());
            }
            let limit = if too_many > 0 { limit.min(too_many as usize) } else { 1 };
            for state in ["completed", "cancelled", "failed"] {
                let found = ended_before(db, state, Timestamp(i64::MAX), limit)?;
                if !found.is_empty() {
                    return Ok(found);
                }
            }
            Ok(Vec::new())
        })
    }
}

fn before(now: Timestamp, age: Duration) -> Timestamp {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Timestamp(now.0.saturating_sub(age))
}

/// The jobs of a state that ended before then, oldest first. A range of `jobs_by_finished` for each
/// connection.
fn ended_before(
    db: &Connection,
    state: &str,
    before: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<Found>> {
    let mut known = db.prepare_cached("SELECT id FROM connections")?;
    let connections = known.query_map([], |found| row::uuid(found, 0).map(ConnectionId))?;
    let mut query = db.prepare_cached(
        "SELECT id FROM jobs INDEXED BY jobs_by_finished \
         WHERE connection = ? AND state = ? AND finished_at IS NOT NULL AND finished_at < ? \
         ORDER BY finished_at, id LIMIT ?",
    )?;
    let mut all = Vec::new();
    for connection in connections {
        let connection = connection?;
        let given = params![connection.0.as_bytes(), state, before.0, (limit - all.len()) as i64];
        for found in query.query_map(given, |found| row::uuid(found, 0))? {
            all.push((JobId(found?), connection));
        }
    }
    Ok(all)
}
