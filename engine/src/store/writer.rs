//! The writing connection: one transaction per commit, however much gathered for it.

use super::{
    Change, StoreError, apply::apply, directory::DirectoryLock, row, unfinished::NOT_OVER,
};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use shared::{ConnectionId, Job, JobId, StepState};
use std::{collections::HashMap, sync::Arc};

/// Events kept per connection.
pub const EVENTS_KEPT: u64 = 65_536;
/// Events trimmed at a time: enough to be rare, few enough not to be felt by a commit.
const TRIM: u64 = 256;

/// The writing connection; there is one, and the board owns it.
#[derive(Debug)]
pub struct Writer {
    db: Connection,
    /// Stored events by connection.
    events: HashMap<ConnectionId, u64>,
    _lock: Arc<DirectoryLock>,
}

/// What the board needs to know of a job to go on with it.
#[derive(Clone, Debug)]
pub struct Head {
    pub job: Job,
    /// Whether its cancel was asked for.
    pub cancel: bool,
    /// Whether it says why its attempt has not begun to run yet.
    pub delayed: bool,
    /// Bytes read of the newest attempt's journal.
    pub journal_position: u64,
    /// Entries in its story.
    pub story: u64,
}

impl Writer {
    pub(super) fn new(db: Connection, lock: Arc<DirectoryLock>) -> Result<Self, StoreError> {
        let events = {
            let mut query = db.prepare("SELECT connection, count(*) FROM events GROUP BY 1")?;
            let rows = query.query_map([], |row| {
                Ok((ConnectionId(row::uuid(row, 0)?), row.get::<_, i64>(1)? as u64))
            })?;
            rows.collect::<Result<_, _>>()?
        };
        Ok(Self { db, events, _lock: lock })
    }

    pub(super) fn db(&self) -> &Connection {
        &self.db
    }

    /// Commits the changes, all or none. `reserve`: event numbers up to this one are given out from now on.
    pub fn commit(&mut self, changes: &[Change], reserve: Option<u64>) -> Result<(), StoreError> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(upto) = reserve {
            tx.prepare_cached("UPDATE board SET reserved = ?")?.execute([upto as i64])?;
        }
        let mut counted: HashMap<ConnectionId, u64> = HashMap::new();
        for change in changes {
            apply(&tx, change)?;
            match change {
                Change::Event { connection, .. } => {
                    let before = || self.events.get(connection).copied().unwrap_or(0);
                    *counted.entry(*connection).or_insert_with(before) += 1;
                }
                Change::EventsOn { connection, .. } => drop(counted.insert(*connection, 0)),
                _ => {}
            }
        }
        for (connection, count) in &mut counted {
            if !self.events.contains_key(connection) {
                let mut known = tx.prepare_cached(
                    "INSERT OR IGNORE INTO connections (id, floor) VALUES (?, 0)",
                )?;
                known.execute([connection.0.as_bytes()])?;
            }
            if *count >= EVENTS_KEPT + TRIM {
                trim(&tx, *connection, *count - EVENTS_KEPT)?;
                *count = EVENTS_KEPT;
            }
        }
        tx.commit()?;
        self.events.extend(counted);
        Ok(())
    }

    /// One job, as far as the board goes on with it.
    pub fn head(&self, id: JobId) -> Result<Option<Head>, StoreError> {
        let sql = format!("SELECT {}, {HEAD} FROM jobs WHERE id = ?", row::JOB);
        let mut query = self.db.prepare_cached(&sql)?;
        Ok(query.query_row([id.0.as_bytes()], head).optional()?)
    }

    /// Every job that is not over, oldest first.
    pub fn unfinished(&self) -> Result<Vec<Head>, StoreError> {
        let from = "FROM jobs INDEXED BY jobs_by_state";
        let sql = format!("SELECT {}, {HEAD} {from} WHERE {NOT_OVER}", row::JOB);
        let mut query = self.db.prepare(&sql)?;
        Ok(query.query_map([], head)?.collect::<Result<_, _>>()?)
    }

    /// Names and states of the steps of one attempt, in the order of the plan.
    pub fn steps(&self, job: JobId, attempt: u32) -> Result<Vec<(String, StepState)>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT name, state FROM steps WHERE job = ? AND attempt = ? ORDER BY ordinal",
        )?;
        let rows = query.query_map(params![job.0.as_bytes(), attempt], |row| {
            Ok((row.get(0)?, row::word(row, 1, StepState::ALL, StepState::as_str)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Follows the columns of [`row::JOB`].
const HEAD: &str = "cancel_at IS NOT NULL, delay IS NOT NULL, \
    (SELECT journal_position FROM attempts WHERE job = jobs.id AND number = jobs.attempt), \
    (SELECT max(n) FROM story WHERE job = jobs.id)";

fn head(row: &rusqlite::Row<'_>) -> rusqlite::Result<Head> {
    Ok(Head {
        job: row::job(row)?,
        cancel: row.get(row::JOB_COLUMNS)?,
        delayed: row.get(row::JOB_COLUMNS + 1)?,
        journal_position: row::number(row, row::JOB_COLUMNS + 2)?.unwrap_or(0),
        story: row::number(row, row::JOB_COLUMNS + 3)?.unwrap_or(0),
    })
}

/// Removes the oldest `count` events of a connection and notes the last of them as its floor.
fn trim(tx: &Transaction<'_>, connection: ConnectionId, count: u64) -> rusqlite::Result<()> {
    let id = connection.0.as_bytes();
    let last: i64 = tx
        .prepare_cached(
            "SELECT seq FROM events WHERE connection = ? ORDER BY seq LIMIT 1 OFFSET ?",
        )?
        .query_row(params![id, count as i64 - 1], |row| row.get(0))?;
    tx.prepare_cached("DELETE FROM events WHERE connection = ? AND seq <= ?")?
        .execute(params![id, last])?;
    tx.prepare_cached("UPDATE connections SET floor = ? WHERE id = ?")?
        .execute(params![last, id])?;
    Ok(())
}
