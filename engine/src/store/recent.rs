//! What the last hour was like.

use super::{Store, StoreError, row};
use crate::Caller;
use rusqlite::params;
use shared::{ConnectionId, JobState, Timestamp, page::Minute};
use std::sync::Arc;

/// Minutes of it.
const MINUTES: i64 = 60;
const MINUTE_MS: i64 = 60_000;
/// Jobs that are read back of an hour, of each state and connection: 20 ms.
const READ_BACK: i64 = 50_000;

/// A job that began or ended in the last hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    pub connection: ConnectionId,
    pub queue: Arc<str>,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    /// From its creation to its first start.
    pub wait_ms: Option<u64>,
    /// From there to its end.
    pub run_ms: Option<u64>,
}

impl Store {
    /// Jobs that ended in the last hour, the newest where there are too many, and those that run since.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_hour(&self, now: Timestamp) -> Result<Vec<Recent>, StoreError> {
        let since = now.0 - MINUTES * MINUTE_MS;
        self.read_unhurried(|db| {
            let mut known = db.prepare_cached("SELECT id FROM connections")?;
            let connections = known.query_map([], |found| row::uuid(found, 0).map(ConnectionId))?;
            // Started when it ended less what it took: that is in the index.
            let mut over = db.prepare(
                "SELECT queue, created_at, finished_at - duration_ms, finished_at, duration_ms \
                 FROM jobs INDEXED BY jobs_by_finished WHERE connection = ? AND state = ? \
                 AND finished_at IS NOT NULL AND finished_at >= ? ORDER BY finished_at DESC LIMIT ?",
            )?;
            let mut active = db.prepare(
                "SELECT queue, created_at, started_at, NULL, NULL FROM jobs INDEXED BY jobs_by_state \
                 WHERE connection = ? AND state = ? AND started_at >= ? LIMIT ?",
            )?;
            let mut recent = Vec::new();
            for connection in connections {
                let connection = connection?;
                for state in [JobState::Completed, JobState::Failed, JobState::Cancelled, JobState::Active] {
                    let query = if state.is_over() { &mut over } else { &mut active };
                    let given = params![connection.0.as_bytes(), state.as_str(), since, READ_BACK];
                    let rows = query.query_map(given, |found| {
                        let created = Timestamp(found.get(1)?);
                        let time = |at| found.get::<_, Option<i64>>(at).map(|ms| ms.map(Timestamp));
                        let started = time(2)?;
                        Ok::<_, rusqlite::Error>(Recent {
                            connection,
                            queue: found.get(0)?,
                            started,
                            finished: time(3)?,
                            wait_ms: started.map(|at| at.since(created)),
                            run_ms: row::number(found, 4)?,
                        })
                    })?;
                    for found in rows {
                        recent.push(found?);
                    }
                }
            }
            Ok(recent)
        })
    }

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
