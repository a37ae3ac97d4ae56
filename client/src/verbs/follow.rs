//! A job with its log as it grows, to the end of both.

use super::{
    lines::{Choice, Lines},
    outcome,
};
use crate::{
    failure::Failure, job_ref::short, live::Live, plain, session::Session, sse::Event, words,
};
use serde::Deserialize;
use shared::{Job, JobDetail, JobId, JobState};
use std::{process::ExitCode, time::Duration};
use tokio::time::{Instant, MissedTickBehavior};

/// Prints the log of a job from its beginning, waits for its end, and ends as it does. Ctrl-C ends the
/// command alone.
pub async fn to_end(session: &Session, id: JobId) -> Result<ExitCode, Failure> {
    let mut lines = Lines::after(session, id, 0, Choice::default());
    let mut status = Status::of(session, id);
    let both = async {
        let (mut has_log, mut runs) = (true, true);
        while has_log || runs {
            tokio::select! {
                biased;
                more = lines.next(true), if has_log => has_log = more?,
                more = status.next(), if runs => runs = more?,
            }
        }
        Ok(())
    };
    interruptible(id, both).await?;
    ended(session, id).await
}

/// The work, unless Ctrl-C comes first: then what becomes of the job is said.
pub async fn interruptible<T>(
    id: JobId,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        done = work => done,
        Ok(()) = tokio::signal::ctrl_c() => Err(Failure::Interrupted(format!(
            "\njob {id} goes on; `tailboard cancel {}` ends it", short(id)
        ))),
    }
}

/// How a job ended, in words and as a status.
pub async fn ended(session: &Session, id: JobId) -> Result<ExitCode, Failure> {
    let text = id.to_string();
    let detail: JobDetail = session.api.get(&["api", "v1", "jobs", &text], &[]).await?;
    session.console.note(&summary(&detail.job));
    Ok(outcome(detail.job.state))
}

/// `failed after 12.3 s: step build: exit status 3`.
pub fn summary(job: &Job) -> String {
    let mut text = job.state.to_string();
    if let Some(ms) = job.duration_ms {
        let word = if job.state == JobState::Completed { "in" } else { "after" };
        text += &format!(" {word} {}", words::span(ms));
    }
    if let Some(error) = &job.error {
        text += &format!(": {}", plain::text(error));
    }
    text
}

/// The data of an event of ours.
pub fn read<'a, T: Deserialize<'a>>(event: &'a Event) -> Result<T, Failure> {
    serde_json::from_str(&event.data).map_err(|error| {
        Failure::Unreachable(format!("an event {} cannot be read: {error}", event.name))
    })
}

/// The status of a job as it changes, and the line of progress that says so.
pub struct Status<'a> {
    session: &'a Session,
    stream: Live<'a>,
    id: JobId,
    began: Instant,
    tick: tokio::time::Interval,
    said: String,
}

/// What is shown of a `job_status`.
#[derive(Deserialize)]
struct JobStatus {
    status: String,
    progress_percent: f32,
    total_steps: u32,
    current_step: Option<u32>,
}

impl<'a> Status<'a> {
    pub fn of(session: &'a Session, id: JobId) -> Self {
        let path = ["api", "jobs", &id.to_string(), "stream"];
        let stream = Live::new(session, &path, Vec::new(), None);
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { session, stream, id, began: Instant::now(), tick, said: String::new() }
    }

    /// Waits for the next change; false when the job is over.
    pub async fn next(&mut self) -> Result<bool, Failure> {
        loop {
            let event = tokio::select! {
                event = self.stream.next() => event?,
                _ = self.tick.tick(), if !self.said.is_empty() => {
                    self.show();
                    continue;
                }
            };
            let Some(event) = event else { return Ok(false) };
            match event.name.as_str() {
                "job_status" => {
                    self.said = self.words(&read(&event)?).await;
                    self.show();
                    return Ok(true);
                }
                "job_finished" => {
                    self.stream.finish();
                    self.session.console.clear_progress();
                    return Ok(false);
                }
                "job_deleted" => {
                    return Err(Failure::Other(format!("job {} was deleted", self.id)));
                }
                _ => {}
            }
        }
    }

    fn show(&self) {
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let elapsed = words::span(ms / 1000 * 1000);
        self.session.console.progress(&format!("{} · {elapsed}", self.said));
    }

    async fn words(&self, status: &JobStatus) -> String {
        match (status.status.as_str(), status.current_step) {
            ("pending" | "paused", _) if self.session.console.shows_progress => {
                // Why is in the job alone; one that cannot be read now still waits.
                let text = self.id.to_string();
                let path = ["api", "v1", "jobs", &text];
                let job: Result<JobDetail, _> = self.session.api.get(&path, &[]).await;
                let why = job.ok().and_then(|job| job.waiting);
                why.map_or("waiting".to_owned(), |why| format!("waiting: {}", plain::text(&why)))
            }
            ("running", Some(step)) => format!(
                "running: step {step} of {}, {:.0} %",
                status.total_steps, status.progress_percent
            ),
            (word, _) => plain::text(word),
        }
    }
}
