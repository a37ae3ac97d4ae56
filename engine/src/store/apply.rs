//! The statements of each [`Change`].

use super::{Change, events, pipelines, requests::KEY_KEPT_MS, row, search};
use rusqlite::{Transaction, named_params, params};
use shared::{Job, Timestamp};

/// Due times kept per pipeline.
const DUES_KEPT: i64 = 1_000;

/// What a change does to the rows.
pub(super) fn apply(tx: &Transaction<'_>, change: &Change) -> rusqlite::Result<()> {
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
            // More than come, so that those past their day become fewer.
            tx.prepare_cached(
                "DELETE FROM request_keys WHERE (caller, key) IN \
                 (SELECT caller, key FROM request_keys WHERE at <= ? ORDER BY at LIMIT 16)",
            )?
            .execute([at.0.saturating_sub(KEY_KEPT_MS)])?;
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
