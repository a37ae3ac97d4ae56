//! The job as signals.

use crate::{
    api::{self, PageError},
    live::{Event, Model, Verdict, advance},
};
use leptos::prelude::*;
use shared::{EventId, JobId, Step, event::JobProgress, job::JobDetail, log::LogInfo};

#[derive(Clone)]
pub struct JobModel {
    id: JobId,
    /// All but the log's size, which changes ten times a second.
    pub detail: ArcRwSignal<JobDetail>,
    pub log: ArcRwSignal<LogInfo>,
    /// It was deleted while it was looked at.
    pub gone: ArcRwSignal<bool>,
}

// === impl JobModel ===

impl JobModel {
    pub fn new(detail: JobDetail) -> Self {
        Self {
            id: detail.job.id,
            log: ArcRwSignal::new(detail.log),
            detail: ArcRwSignal::new(detail),
            gone: ArcRwSignal::new(false),
        }
    }

    /// The steps of all attempts, told of only when they change.
    pub fn steps(&self) -> Memo<Vec<Step>> {
        let detail = self.detail.clone();
        Memo::new(move |_| {
            detail.with(|detail| detail.earlier.iter().chain(&detail.steps).cloned().collect())
        })
    }

    fn newer(&self, revision: u64) -> bool {
        self.detail.with_untracked(|detail| revision > detail.job.revision)
    }

    /// Whether it has not begun, in that queue.
    fn waits_in(&self, queue: &str) -> bool {
        self.detail.with_untracked(|detail| detail.waiting.is_some() && detail.job.queue == queue)
    }

    fn progress(&self, progress: &JobProgress) -> Verdict {
        let step_is_known = self.detail.with_untracked(|detail| {
            detail.job.step == progress.step && detail.job.steps_done == progress.steps_done
        });
        self.detail.update(|detail| advance(&mut detail.job, progress));
        if step_is_known { Verdict::Kept } else { Verdict::Refetch }
    }
}

impl Model for JobModel {
    type Snapshot = JobDetail;
    const PAUSE_MS: f64 = 500.0;

    fn as_of(&self) -> EventId {
        self.detail.with_untracked(|detail| detail.as_of)
    }

    fn apply(&self, event: &Event) -> Verdict {
        match event {
            Event::Job(job, _) if job.id == self.id && self.newer(job.revision) => {
                self.detail.update(|detail| detail.job.clone_from(job));
                // Steps and story are not told of by events.
                Verdict::Refetch
            }
            Event::Progress(change) if change.id == self.id && self.newer(change.revision) => {
                self.progress(change)
            }
            // What it waits for is for the server to say: its queue is told of when it changes, and its
            // workers beat for whatever else there is to wait for.
            Event::Queue(queue) if self.waits_in(&queue.name) => Verdict::Refetch,
            Event::Worker(worker) if worker.queues.iter().any(|queue| self.waits_in(queue)) => {
                Verdict::Refetch
            }
            Event::JobDeleted(gone) if gone.id == self.id => {
                self.gone.set(true);
                Verdict::Kept
            }
            Event::Log(log) if log.id == self.id => {
                let (lines, bytes, open, closed) = (log.lines, log.bytes, log.open, log.closed);
                self.log.set(LogInfo { lines, bytes, open, closed });
                Verdict::Kept
            }
            _ => Verdict::Kept,
        }
    }

    fn fetch(&self) -> impl Future<Output = Result<JobDetail, PageError>> + 'static {
        api::job(self.id)
    }

    fn replace(&self, mut snapshot: JobDetail) {
        // The log only grows, and the stream may have told of more already.
        if snapshot.log.bytes >= self.log.with_untracked(|log| log.bytes) {
            self.log.set(snapshot.log);
        }
        self.detail.update(|detail| {
            if detail.job.revision > snapshot.job.revision {
                snapshot.job = detail.job.clone();
            }
            *detail = snapshot;
        });
    }

    fn refused(&self, why: PageError) {
        if why == PageError::NotFound {
            self.gone.set(true);
        }
    }
}
