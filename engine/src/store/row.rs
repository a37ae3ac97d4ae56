//! Rows of the tables as the types that travel, and back.

use rusqlite::{Connection, Row, types::Type};
use shared::{
    ConnectionId, Job, JobId, JobState, Phase, Step, StepId, StepState, StoryEntry, StoryKind,
    Timestamp,
};
use uuid::Uuid;

pub(super) const JOB: &str = "id, connection, external_id, name, pipeline, queue, worker, state, \
    attempt, max_attempts, progress, step, steps_done, steps_total, created_at, started_at, \
    finished_at, duration_ms, error, exit_code, signal, revision, \
    priority, run_at, retry_of";
/// How many columns [`JOB`] has: where those after it begin.
pub(super) const JOB_COLUMNS: usize = 25;

/// A row that begins with the columns of [`JOB`].
pub(super) fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: JobId(uuid(row, 0)?),
        connection_id: ConnectionId(uuid(row, 1)?),
        external_id: row.get(2)?,
        name: row.get(3)?,
        pipeline: row.get(4)?,
        queue: row.get(5)?,
        worker: row.get(6)?,
        state: word(row, 7, JobState::ALL, JobState::as_str)?,
        attempt: row.get(8)?,
        max_attempts: row.get(9)?,
        progress: row.get(10)?,
        step: row.get(11)?,
        steps_done: row.get(12)?,
        steps_total: row.get(13)?,
        created_at: Timestamp(row.get(14)?),
        started_at: row.get::<_, Option<i64>>(15)?.map(Timestamp),
        finished_at: row.get::<_, Option<i64>>(16)?.map(Timestamp),
        duration_ms: number(row, 17)?,
        error: row.get(18)?,
        exit_code: row.get(19)?,
        signal: row.get(20)?,
        revision: row.get::<_, i64>(21)? as u64,
        priority: row.get(22)?,
        run_at: row.get::<_, Option<i64>>(23)?.map(Timestamp),
        retry_of: optional_uuid(row, 24)?.map(JobId),
    })
}

/// The job of this number.
pub(super) fn by_number(db: &Connection, number: i64) -> rusqlite::Result<Job> {
    let sql = format!("SELECT {JOB} FROM jobs WHERE number = ?");
    db.prepare_cached(&sql)?.query_row([number], job)
}

pub(super) const STEP: &str = "attempt, ordinal, name, phase, state, started_at, finished_at, \
    coalesce(duration_ms, max(finished_at - started_at, 0)), \
    exit_code, signal, error, log_line, log_offset, log_line_end, log_offset_end";

/// A row that begins with the columns of [`STEP`].
pub(super) fn step(job: JobId, row: &Row<'_>) -> rusqlite::Result<Step> {
    let (attempt, ordinal) = (row.get(0)?, row.get(1)?);
    Ok(Step {
        id: StepId::of(job, attempt, ordinal),
        attempt,
        ordinal,
        name: row.get(2)?,
        phase: word(row, 3, Phase::ALL, Phase::as_str)?,
        state: word(row, 4, StepState::ALL, StepState::as_str)?,
        started_at: row.get::<_, Option<i64>>(5)?.map(Timestamp),
        finished_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
        duration_ms: number(row, 7)?,
        exit_code: row.get(8)?,
        signal: row.get(9)?,
        error: row.get(10)?,
        log_line: number(row, 11)?,
        log_offset: number(row, 12)?,
        log_line_end: number(row, 13)?,
        log_offset_end: number(row, 14)?,
    })
}

pub(super) const STORY: &str = "n, at, kind, attempt, step_id, step, state, duration_ms, exit_code, \
    signal, detail, log_offset, log_line";

/// A row that begins with the columns of [`STORY`].
pub(super) fn story(row: &Row<'_>) -> rusqlite::Result<StoryEntry> {
    Ok(StoryEntry {
        n: row.get::<_, i64>(0)? as u64,
        at: Timestamp(row.get(1)?),
        kind: word(row, 2, KINDS.map(|(kind, _)| kind), kind_word)?,
        attempt: row.get(3)?,
        step_id: row.get::<_, Option<[u8; 16]>>(4)?.map(|id| StepId(Uuid::from_bytes(id))),
        step: row.get(5)?,
        state: row.get(6)?,
        duration_ms: number(row, 7)?,
        exit_code: row.get(8)?,
        signal: row.get(9)?,
        detail: row.get(10)?,
        log_offset: number(row, 11)?,
        log_line: number(row, 12)?,
    })
}

const KINDS: [(StoryKind, &str); 8] = [
    (StoryKind::Queued, "queued"),
    (StoryKind::Started, "started"),
    (StoryKind::StepStarted, "step_started"),
    (StoryKind::StepEnded, "step_ended"),
    (StoryKind::CancelRequested, "cancel_requested"),
    (StoryKind::Retrying, "retrying"),
    (StoryKind::Lost, "lost"),
    (StoryKind::Ended, "ended"),
];

/// The word a kind is stored as.
pub(super) fn kind_word(kind: StoryKind) -> &'static str {
    // Every kind is in the list, which a test checks.
    KINDS.iter().find(|(known, _)| *known == kind).map_or("", |(_, word)| word)
}

pub(super) fn uuid(row: &Row<'_>, at: usize) -> rusqlite::Result<Uuid> {
    row.get(at).map(Uuid::from_bytes)
}

pub(super) fn optional_uuid(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Uuid>> {
    Ok(row.get::<_, Option<[u8; 16]>>(at)?.map(Uuid::from_bytes))
}

/// A number that was stored as SQLite's signed one.
pub(super) fn number(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(at)?.map(|n| n as u64))
}

/// One of the words of a closed list.
pub(super) fn word<T: Copy, const N: usize>(
    row: &Row<'_>,
    at: usize,
    all: [T; N],
    spelling: impl Fn(T) -> &'static str,
) -> rusqlite::Result<T> {
    let text = row.get_ref(at)?.as_str()?;
    all.into_iter().find(|&value| spelling(value) == text).ok_or_else(|| {
        let unknown = format!("unknown word {text:?}").into();
        rusqlite::Error::FromSqlConversionFailure(at, Type::Text, unknown)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_story_is_stored_as_the_word_of_the_wire() {
        for (kind, word) in KINDS {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{word}\""));
            assert_eq!(kind_word(kind), word);
        }
    }
}
