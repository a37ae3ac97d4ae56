//! What happens inside an attempt, and the job's story of it.

use super::{
    batch::Batch,
    held::Held,
    machine::{self, Move},
};
use crate::{
    observation::{Exit, LogMark, RunChange},
    store::Change,
};
use shared::{JobId, JobState, StepId, StepState, StoryEntry, StoryKind, Timestamp};

/// Characters of an error that are kept in rows.
const ERROR: usize = 500;

/// How a job ended.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub state: JobState,
    pub at: Timestamp,
    pub duration_ms: Option<u64>,
    pub exit: Exit,
    pub error: Option<String>,
    pub mark: Option<LogMark>,
    /// The job is tried again then, so this is the end of one attempt only.
    pub retry_at: Option<Timestamp>,
}

impl End {
    /// Cancelled then, without having run.
    pub fn at(at: Timestamp) -> Self {
        let (state, exit) = (JobState::Cancelled, Exit::default());
        Self { state, at, duration_ms: None, exit, error: None, mark: None, retry_at: None }
    }
}

/// What an entry of the story says, its number, kind and attempt apart.
#[derive(Clone, Debug)]
pub(super) struct Told {
    at: Timestamp,
    step: Option<u32>,
    duration_ms: Option<u64>,
    exit: Exit,
    detail: Option<String>,
    mark: Option<LogMark>,
}

impl Told {
    /// With a reason, an error, or who it was.
    pub fn why(at: Timestamp, detail: String) -> Self {
        Self { detail: Some(detail), ..Self::at(at) }
    }

    fn at(at: Timestamp) -> Self {
        Self { at, step: None, duration_ms: None, exit: Exit::default(), detail: None, mark: None }
    }
}

/// The next entry of the job's story. `state`: what was reached.
pub(super) fn tell(
    held: &mut Held,
    job: JobId,
    kind: StoryKind,
    state: Option<&str>,
    told: Told,
) -> Change {
    held.story += 1;
    let step = told.step.and_then(|ordinal| held.steps.as_ref()?.get(ordinal as usize));
    let entry = StoryEntry {
        n: held.story,
        at: told.at,
        kind,
        attempt: held.attempt,
        step_id: told.step.map(|ordinal| StepId::of(job, held.attempt, ordinal)),
        step: step.map(|step| step.name.as_ref().to_owned()),
        state: state.map(str::to_owned),
        duration_ms: told.duration_ms,
        exit_code: told.exit.code,
        signal: told.exit.signal,
        detail: told.detail,
        log_offset: told.mark.map(|mark| mark.offset),
        log_line: told.mark.map(|mark| mark.lines),
    };
    Change::Told { job, entry: Box::new(entry) }
}

/// One change of an attempt that runs. Some: it was the last.
pub(super) fn step_on(
    held: &mut Held,
    job: JobId,
    change: RunChange,
    batch: &mut Batch,
) -> Option<End> {
    let attempt = held.attempt;
    match change {
        RunChange::Started { at, .. } => {
            batch.changes.push(Change::AttemptStarted { job, number: attempt, at });
            if std::mem::take(&mut held.delayed) {
                batch.changes.push(Change::Delayed { job, reason: None });
            }
            None
        }
        RunChange::StepStarted { ordinal, at, mark } => {
            if move_step(held, ordinal, StepState::Active) {
                held.step = name_of(held, ordinal);
                batch.changes.push(Change::StepStarted { job, attempt, ordinal, at, mark });
                let told = Told { step: Some(ordinal), mark: Some(mark), ..Told::at(at) };
                let state = Some(StepState::Active.as_str());
                batch.changes.push(tell(held, job, StoryKind::StepStarted, state, told));
            }
            None
        }
        RunChange::StepEnded { ordinal, state, at, duration_ms, exit, error, mark } => {
            let detail = error.as_deref().map(cut);
            let told =
                Told { at, step: Some(ordinal), duration_ms, exit, detail, mark: Some(mark) };
            end_step(held, job, ordinal, state, told, batch);
            None
        }
        // The request is in the story; the end will say what came of it.
        RunChange::Cancelling { .. } => None,
        RunChange::Ended { state, at, duration_ms, exit, error, mark, retry_at } => {
            // Not a last word: nothing to do but wait for one.
            let state = machine::next(held.state, Move::End(state))?;
            let error = error.as_deref().map(cut);
            let retry_at = retry_at.filter(|_| state == JobState::Failed && !held.cancel);
            Some(End { state, at, duration_ms, exit, error, mark: Some(mark), retry_at })
        }
        RunChange::Lost { at, reason, mark, retry_at } => {
            let error = cut(&format!("lost: {}", reason.strip_prefix("lost: ").unwrap_or(&reason)));
            let told = Told { detail: Some(error.clone()), mark: Some(mark), ..Told::at(at) };
            batch.changes.push(tell(held, job, StoryKind::Lost, None, told));
            let state = machine::next(held.state, Move::End(JobState::Failed))?;
            let retry_at = retry_at.filter(|_| !held.cancel);
            Some(End { state, error: Some(error), mark: Some(mark), retry_at, ..End::at(at) })
        }
    }
}

/// The end of the attempt and, if it is not tried again, of the job: steps that are not over end with it, those that ran as the job
/// did, those that did not as skipped.
pub(super) fn close(held: &mut Held, job: JobId, end: &End, batch: &mut Batch) {
    let ran = match end.state {
        JobState::Completed => StepState::Completed,
        JobState::Cancelled => StepState::Cancelled,
        _ => StepState::Failed,
    };
    let open: Vec<_> = held.steps.iter().flatten().map(|step| step.state).collect();
    for (ordinal, state) in (0..).zip(open) {
        let to = match state {
            StepState::Active => ran,
            StepState::Pending => StepState::Skipped,
            _ => continue,
        };
        let told = Told { step: Some(ordinal), mark: end.mark, ..Told::at(end.at) };
        end_step(held, job, ordinal, to, told, batch);
    }
    if held.state == JobState::Active {
        batch.changes.push(Change::AttemptEnded {
            job,
            number: held.attempt,
            state: end.state,
            at: end.at,
            duration_ms: end.duration_ms,
            error: end.error.clone(),
        });
    }
    let (kind, state) = match end.retry_at {
        Some(_) => (StoryKind::Retrying, JobState::Retrying),
        None => (StoryKind::Ended, end.state),
    };
    let told = Told {
        at: end.at,
        step: None,
        duration_ms: end.duration_ms,
        exit: end.exit,
        detail: end.error.clone(),
        mark: end.mark,
    };
    batch.changes.push(tell(held, job, kind, Some(state.as_str()), told));
}

fn end_step(
    held: &mut Held,
    job: JobId,
    ordinal: u32,
    state: StepState,
    told: Told,
    batch: &mut Batch,
) {
    if !state.is_over() || !move_step(held, ordinal, state) {
        return;
    }
    if state == StepState::Completed {
        held.steps_done += 1;
    }
    if held.step == name_of(held, ordinal) {
        // What it said of itself is about no other step.
        (held.step, held.progress) = (None, None);
    }
    batch.changes.push(Change::StepEnded {
        job,
        // A job that was never claimed shows the steps of its first attempt.
        attempt: held.attempt.max(1),
        ordinal,
        state,
        at: told.at,
        duration_ms: told.duration_ms,
        exit: told.exit,
        error: told.detail.clone(),
        mark: told.mark,
    });
    batch.changes.push(tell(held, job, StoryKind::StepEnded, Some(state.as_str()), told));
}

/// False: there is no such step, or the change is late.
fn move_step(held: &mut Held, ordinal: u32, to: StepState) -> bool {
    let step = held.steps.as_mut().and_then(|steps| steps.get_mut(ordinal as usize));
    match step {
        Some(step) if machine::step_follows(step.state, to) => {
            step.state = to;
            true
        }
        _ => false,
    }
}

fn name_of(held: &Held, ordinal: u32) -> Option<std::sync::Arc<str>> {
    Some(held.steps.as_ref()?.get(ordinal as usize)?.name.clone())
}

/// The first 500 characters.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(ERROR) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}
