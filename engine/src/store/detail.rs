//! One job with all that belongs to it.

use super::{Store, StoreError, row};
use crate::Caller;
use rusqlite::{OptionalExtension, Row, params, types::Type};
use shared::{CancelRequest, Job, JobId, JobState, Step, StoryEntry, Timestamp, job::Attempt};
use std::collections::BTreeMap;

/// Attempts whose steps are told of: the newest and those before it.
const ATTEMPTS: u32 = 11;

/// All that is stored of one job.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredJob {
    pub job: Job,
    pub params: BTreeMap<String, String>,
    pub created_by: String,
    /// The newest job that does this one again.
    pub retried_by: Option<JobId>,
    /// As it was queued with, as JSON.
    pub definition: Option<String>,
    pub cancel: Option<CancelRequest>,
    /// Why its attempt has not begun to run yet, in one sentence.
    pub delay: Option<String>,
    /// Of the newest attempt (of the first while none was claimed), in the order of the plan.
    pub steps: Vec<Step>,
    pub earlier: Vec<Step>,
    pub attempts: Vec<Attempt>,
    pub story: Vec<StoryEntry>,
}

impl Store {
    /// All of one job.
    pub fn job_detail(&self, _caller: &Caller, id: JobId) -> Result<Option<StoredJob>, StoreError> {
        self.read(|db| {
            let key = id.0.as_bytes();
            let sql = format!(
                "SELECT {}, params, definition, cancel_by, cancel_at, cancel_why, created_by, delay \
                 FROM jobs JOIN plans ON plans.job = jobs.id WHERE id = ?",
                row::JOB
            );
            let job = db.prepare_cached(&sql)?.query_row([key], |row| {
                Ok(StoredJob {
                    job: row::job(row)?,
                    params: params(row, row::JOB_COLUMNS)?,
                    definition: row.get(row::JOB_COLUMNS + 1)?,
                    cancel: cancel(row, row::JOB_COLUMNS + 2)?,
                    created_by: row.get(row::JOB_COLUMNS + 5)?,
                    delay: row.get(row::JOB_COLUMNS + 6)?,
                    retried_by: None,
                    steps: Vec::new(),
                    earlier: Vec::new(),
                    attempts: Vec::new(),
                    story: Vec::new(),
                })
            });
            let Some(mut found) = job.optional()? else { return Ok(None) };

            let mut retried =
                db.prepare_cached("SELECT max(id) FROM jobs WHERE retry_of IS NOT NULL AND retry_of = ?")?;
            found.retried_by =
                retried.query_row([key], |row| row::optional_uuid(row, 0))?.map(JobId);

            let sql = format!(
                "SELECT {} FROM steps WHERE job = ? AND attempt > ? ORDER BY attempt, ordinal",
                row::STEP
            );
            let newest = found.job.attempt.max(1);
            let mut steps = db.prepare_cached(&sql)?;
            let oldest = newest.saturating_sub(ATTEMPTS);
            let rows = steps.query_map(params![key, oldest], |r| row::step(id, r))?;
            let all = rows.collect::<Result<Vec<_>, _>>()?;
            (found.steps, found.earlier) = all.into_iter().partition(|step| step.attempt == newest);

            // What lost its executor has no duration that was measured: that of the clock on the wall then.
            let mut attempts = db.prepare_cached(
                "SELECT number, state, started_at, finished_at, \
                 coalesce(duration_ms, max(finished_at - started_at, 0)), error FROM attempts WHERE job = ? ORDER BY number",
            )?;
            let rows = attempts.query_map([key], attempt)?;
            found.attempts = rows.collect::<Result<_, _>>()?;

            let sql = format!("SELECT {} FROM story WHERE job = ? ORDER BY n", row::STORY);
            let mut story = db.prepare_cached(&sql)?;
            found.story = story.query_map([key], row::story)?.collect::<Result<_, _>>()?;
            Ok(Some(found))
        })
    }
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        number: row.get(0)?,
        state: row::word(row, 1, JobState::ALL, JobState::as_str)?,
        started_at: row.get::<_, Option<i64>>(2)?.map(Timestamp),
        finished_at: row.get::<_, Option<i64>>(3)?.map(Timestamp),
        duration_ms: row::number(row, 4)?,
        error: row.get(5)?,
    })
}

/// The column `params`: a JSON object of strings.
pub(super) fn params(row: &Row<'_>, at: usize) -> rusqlite::Result<BTreeMap<String, String>> {
    serde_json::from_str(row.get_ref(at)?.as_str()?)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(at, Type::Text, e.into()))
}

/// The columns `cancel_by, cancel_at, cancel_why`.
pub(super) fn cancel(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<CancelRequest>> {
    let Some(when) = row.get(at + 1)? else { return Ok(None) };
    Ok(Some(CancelRequest { by: row.get(at)?, at: Timestamp(when), why: row.get(at + 2)? }))
}
