//! What the story of a job is to a client of contract 3.

use serde::Serialize;
use shared::{JobDetail, JobId, JobState, StepId, StepState, StoryEntry, StoryKind, Timestamp};

/// One event.
pub struct Event<'a> {
    /// `initiated`, `processing`, `completed` or `failed`.
    pub name: &'static str,
    pub data: Data<'a>,
}

/// Its data, as it is on the wire.
#[derive(Serialize)]
pub struct Data<'a> {
    execution_id: JobId,
    scope: Scope,
    /// Of the step, or of the pipeline.
    name: &'a str,
    step_id: Option<StepId>,
    /// The state that was reached, of a step or of a job.
    status: &'a str,
    /// 1-based; 0 while none was begun.
    attempt: u32,
    /// 0 to 100.
    pub progress: Option<f32>,
    duration_ms: Option<u64>,
    error: Option<&'a str>,
    timestamp: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Step,
    Execution,
}

impl<'a> Event<'a> {
    /// What an entry of the story is to a client. None: nothing; what a request to cancel or a lost
    /// process came to is told by the entry after it.
    pub fn of(job: &'a JobDetail, entry: &'a StoryEntry) -> Option<Self> {
        let status = entry.state.as_deref();
        let (name, scope) = match entry.kind {
            StoryKind::Queued | StoryKind::Retrying => ("initiated", Scope::Execution),
            StoryKind::Started => ("processing", Scope::Execution),
            StoryKind::StepStarted => ("processing", Scope::Step),
            StoryKind::StepEnded => (outcome(status, StepState::Completed.as_str()), Scope::Step),
            StoryKind::Ended => (outcome(status, JobState::Completed.as_str()), Scope::Execution),
            StoryKind::CancelRequested | StoryKind::Lost => return None,
        };
        let (error, duration_ms) = match entry.kind {
            // Who asked for it, and who took it.
            StoryKind::Queued | StoryKind::Started => (None, None),
            // Over all attempts.
            StoryKind::Ended => (entry.detail.as_deref(), job.job.duration_ms),
            _ => (entry.detail.as_deref(), entry.duration_ms),
        };
        let is_step = scope == Scope::Step;
        let data = Data {
            execution_id: job.job.id,
            scope,
            name: entry.step.as_deref().filter(|_| is_step).unwrap_or(&job.job.name),
            step_id: entry.step_id.filter(|_| is_step),
            status: status.unwrap_or_default(),
            attempt: entry.attempt,
            progress: None,
            duration_ms,
            error,
            timestamp: entry.at,
        };
        Some(Self { name, data })
    }

    /// How far an execution that runs is, by the step that says so.
    pub fn progress(job: &'a JobDetail) -> Option<Self> {
        let progress = job.job.progress.filter(|_| job.job.state == JobState::Active)?;
        let step = job.steps.iter().find(|step| step.state == StepState::Active);
        let data = Data {
            execution_id: job.job.id,
            scope: if step.is_some() { Scope::Step } else { Scope::Execution },
            name: step.map_or(&job.job.name, |step| &step.name),
            step_id: step.map(|step| step.id),
            status: JobState::Active.as_str(),
            attempt: job.job.attempt,
            progress: Some(progress),
            duration_ms: None,
            error: None,
            timestamp: Timestamp::now(),
        };
        Some(Self { name: "processing", data })
    }

    /// Whether nothing comes after it.
    pub fn is_last(&self) -> bool {
        self.data.scope == Scope::Execution && matches!(self.name, "completed" | "failed")
    }
}

/// Whatever did not complete has failed; `status` says how.
fn outcome(status: Option<&str>, completed: &str) -> &'static str {
    if status == Some(completed) { "completed" } else { "failed" }
}
