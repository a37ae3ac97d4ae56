//! The writing connection: one transaction per commit, however much gathered for it.

use super::{
    Change, StoreError, directory::DirectoryLock, events, pipelines, row, search,
    unfinished::NOT_OVER,
};
use rusqlite::{
    Connection, OptionalExtension, Transaction, TransactionBehavior, named_params, params,
};
use shared::{ConnectionId, Job, JobId, StepState, Timestamp};
use std::{collections::HashMap, sync::Arc};

/// Events kept per connection.
pub const EVENTS_KEPT: u64 = 65_536;

/// Due times kept per pipeline.
const DUES_KEPT: i64 = 1_000;
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

fn apply(tx: &Transaction<'_>, change: &Change) -> rusqlite::Result<()> {
    match change {
        Change::Queued { job, plan, steps } => {
            insert_job(tx, job)?;
            let id = job.id.0.as_bytes();
            // Strings to strings: this cannot fail to be JSON.
            let params = serde_json::to_string(&plan.params).unwrap_or_default();
            search::add(tx, job, &params)?;
            tx.prepare_cached(
                "INSERT INTO plans (job, params, definition, created_by) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![id, params, plan.definition, plan.created_by])?;
            let mut insert = tx.prepare_cached(
                "INSERT INTO steps (job, attempt, ordinal, name, phase, state) \
                 VALUES (?, 1, ?, ?, ?, 'pending')",
            )?;
            for (ordinal, step) in steps.iter().enumerate() {
                insert.execute(params![id, ordinal as i64, step.name, step.phase.as_str()])?;
            }
        }
        Change::Moved(job) => {
            tx.prepare_cached(
                "UPDATE jobs SET worker = ?2, state = ?3, attempt = ?4, progress = ?5, step = ?6, \
                 steps_done = ?7, started_at = ?8, finished_at = ?9, duration_ms = ?10, error = ?11, \
                 exit_code = ?12, signal = ?13, revision = ?14, run_at = ?15, max_attempts = ?16, delay = NULL, \
                 log_bytes = coalesce((SELECT max(log_offset) FROM story WHERE job = ?1), 0) \
                 WHERE id = ?1",
            )?
            .execute(params![
                job.id.0.as_bytes(),
                job.worker,
                job.state.as_str(),
                job.attempt,
                job.progress,
                job.step,
                job.steps_done,
                job.started_at.map(|at| at.0),
                job.finished_at.map(|at| at.0),
                job.duration_ms.map(|ms| ms as i64),
                job.error,
                job.exit_code,
                job.signal,
                job.revision as i64,
                job.run_at.map(|at| at.0),
                job.max_attempts,
            ])?;
            if job.error.is_some() {
                search::renew(tx, job)?;
            }
        }
        Change::Stepped { job, step, steps_done } => {
            tx.prepare_cached("UPDATE jobs SET step = ?2, steps_done = ?3 WHERE id = ?1")?
                .execute(params![job.0.as_bytes(), step.as_deref(), steps_done])?;
        }
        Change::Requested { key, job, at } => {
            // One that is past its day may be used again.
            tx.prepare_cached(
                "INSERT OR REPLACE INTO request_keys (caller, key, request, job, at) \
                 VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![
                key.caller,
                key.key,
                key.request.as_bytes(),
                job.0.as_bytes(),
                at.0
            ])?;
        }
        Change::Due { pipeline, at, job } => {
            tx.prepare_cached("INSERT OR IGNORE INTO dues (pipeline, at, job) VALUES (?, ?, ?)")?
                .execute(params![pipeline, at.0, job.as_ref().map(|id| id.0.as_bytes())])?;
            tx.prepare_cached(
                "DELETE FROM dues WHERE pipeline = ?1 AND at < \
                 (SELECT at FROM dues WHERE pipeline = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute(params![pipeline, DUES_KEPT])?;
            dues_passed(tx, pipeline, *at)?;
        }
        Change::DuesPassed { pipeline, upto } => dues_passed(tx, pipeline, *upto)?,
        Change::QueuePaused { connection, queue, paused } => match paused {
            Some((by, at)) => {
                tx.prepare_cached(
                    "INSERT OR REPLACE INTO paused (connection, queue, by, at) VALUES (?, ?, ?, ?)",
                )?
                .execute(params![connection.0.as_bytes(), queue, by, at.0])?;
            }
            None => {
                tx.prepare_cached("DELETE FROM paused WHERE connection = ? AND queue = ?")?
                    .execute(params![connection.0.as_bytes(), queue])?;
            }
        },
        Change::PipelinePut { name, definition, by, at } => {
            pipelines::put(tx, name, definition, by, *at)?;
        }
        Change::PipelineDeleted { name } => pipelines::remove(tx, name)?,
        Change::EventsOff { connection, by, at } => events::off(tx, *connection, by, *at)?,
        Change::EventsOn { connection, floor } => events::on(tx, *connection, *floor)?,
        Change::Deleted { job } => {
            search::remove(tx, *job)?;
            let id = job.0.as_bytes();
            for table in ["plans", "attempts", "steps", "story"] {
                tx.prepare_cached(&format!("DELETE FROM {table} WHERE job = ?"))?.execute([id])?;
            }
            tx.prepare_cached("DELETE FROM jobs WHERE id = ?")?.execute([id])?;
            tx.prepare_cached("INSERT OR IGNORE INTO garbage (job) VALUES (?)")?.execute([id])?;
        }
        Change::DirectoryRemoved { job } => {
            tx.prepare_cached("DELETE FROM garbage WHERE job = ?")?.execute([job.0.as_bytes()])?;
        }
        Change::CancelRequested { job, request } => {
            tx.prepare_cached(
                "UPDATE jobs SET cancel_by = ?2, cancel_at = ?3, cancel_why = ?4 WHERE id = ?1",
            )?
            .execute(params![
                job.0.as_bytes(),
                request.by,
                request.at.0,
                request.why
            ])?;
        }
        Change::Delayed { job, reason } => {
            tx.prepare_cached("UPDATE jobs SET delay = ?2 WHERE id = ?1")?
                .execute(params![job.0.as_bytes(), reason])?;
        }
        Change::AttemptClaimed { job, number, boot_id } => {
            tx.prepare_cached(
                "INSERT INTO attempts (job, number, state, boot_id) VALUES (?, ?, 'active', ?)",
            )?
            .execute(params![job.0.as_bytes(), number, boot_id])?;
            // The steps of the first came with the job.
            tx.prepare_cached(
                "INSERT OR IGNORE INTO steps (job, attempt, ordinal, name, phase, state) \
                 SELECT job, ?2, ordinal, name, phase, 'pending' FROM steps \
                 WHERE job = ?1 AND attempt = 1 AND ?2 > 1",
            )?
            .execute(params![job.0.as_bytes(), number])?;
        }
        Change::AttemptStarted { job, number, at } => {
            tx.prepare_cached(
                "UPDATE attempts SET started_at = ?3 WHERE job = ?1 AND number = ?2",
            )?
            .execute(params![job.0.as_bytes(), number, at.0])?;
        }
        Change::AttemptEnded { job, number, state, at, duration_ms, error } => {
            tx.prepare_cached(
                "UPDATE attempts SET state = ?3, finished_at = ?4, duration_ms = ?5, error = ?6 \
                 WHERE job = ?1 AND number = ?2",
            )?
            .execute(params![
                job.0.as_bytes(),
                number,
                state.as_str(),
                at.0,
                duration_ms.map(|ms| ms as i64),
                error
            ])?;
        }
        Change::JournalRead { job, attempt, position } => {
            tx.prepare_cached(
                "UPDATE attempts SET journal_position = ?3 WHERE job = ?1 AND number = ?2",
            )?
            .execute(params![job.0.as_bytes(), attempt, *position as i64])?;
        }
        Change::StepStarted { job, attempt, ordinal, at, mark } => {
            tx.prepare_cached(
                "UPDATE steps SET state = 'active', started_at = ?4, log_line = ?5, log_offset = ?6 \
                 WHERE job = ?1 AND attempt = ?2 AND ordinal = ?3",
            )?
            .execute(params![
                job.0.as_bytes(),
                attempt,
                ordinal,
                at.0,
                mark.lines as i64,
                mark.offset as i64
            ])?;
        }
        Change::StepEnded { job, attempt, ordinal, state, at, duration_ms, exit, error, mark } => {
            tx.prepare_cached(
                "UPDATE steps SET state = :state, finished_at = :at, duration_ms = :ms, \
                 exit_code = :code, signal = :signal, error = :error, \
                 log_line_end = :lines, log_offset_end = :offset \
                 WHERE job = :job AND attempt = :attempt AND ordinal = :ordinal",
            )?
            .execute(named_params! {
                ":job": job.0.as_bytes(),
                ":attempt": attempt,
                ":ordinal": ordinal,
                ":state": state.as_str(),
                ":at": at.0,
                ":ms": duration_ms.map(|ms| ms as i64),
                ":code": exit.code,
                ":signal": exit.signal,
                ":error": error,
                ":lines": mark.map(|mark| mark.lines as i64),
                ":offset": mark.map(|mark| mark.offset as i64),
            })?;
        }
        Change::Told { job, entry } => {
            tx.prepare_cached(
                "INSERT INTO story (job, n, at, kind, attempt, step_id, step, state, duration_ms, \
                 exit_code, signal, detail, log_offset, log_line) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                job.0.as_bytes(),
                entry.n as i64,
                entry.at.0,
                row::kind_word(entry.kind),
                entry.attempt,
                entry.step_id.as_ref().map(|id| id.0.as_bytes()),
                entry.step,
                entry.state,
                entry.duration_ms.map(|ms| ms as i64),
                entry.exit_code,
                entry.signal,
                entry.detail,
                entry.log_offset.map(|n| n as i64),
                entry.log_line.map(|n| n as i64),
            ])?;
        }
        Change::Event { seq, connection, topic, frame } => {
            tx.prepare_cached(
                "INSERT INTO events (seq, connection, topic, frame) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![
                *seq as i64,
                connection.0.as_bytes(),
                topic,
                frame.as_ref()
            ])?;
        }
    }
    Ok(())
}

fn dues_passed(tx: &Transaction<'_>, pipeline: &str, upto: Timestamp) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO schedules (pipeline, upto) VALUES (?1, ?2) \
         ON CONFLICT (pipeline) DO UPDATE SET upto = max(upto, ?2)",
    )?
    .execute(params![pipeline, upto.0])?;
    Ok(())
}

fn insert_job(tx: &Transaction<'_>, job: &Job) -> rusqlite::Result<()> {
    let sql = format!(
        "INSERT INTO jobs ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row::JOB
    );
    tx.prepare_cached(&sql)?.execute(params![
        job.id.0.as_bytes(),
        job.connection_id.0.as_bytes(),
        job.external_id,
        job.name,
        job.pipeline,
        job.queue,
        job.worker,
        job.state.as_str(),
        job.attempt,
        job.max_attempts,
        job.progress,
        job.step,
        job.steps_done,
        job.steps_total,
        job.created_at.0,
        job.started_at.map(|at| at.0),
        job.finished_at.map(|at| at.0),
        job.duration_ms.map(|ms| ms as i64),
        job.error,
        job.exit_code,
        job.signal,
        job.revision as i64,
        job.priority,
        job.run_at.map(|at| at.0),
        job.retry_of.as_ref().map(|id| id.0.as_bytes()),
    ])?;
    Ok(())
}
