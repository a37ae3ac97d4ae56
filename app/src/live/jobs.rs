//! A list of jobs that stays what the server would answer now: the same filter, the same order.

use super::{
    Event, Verdict,
    rows::{Mounted, Row, Rows},
};
use leptos::prelude::*;
use shared::{Job, JobFilter, Timestamp, event::JobProgress};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Which jobs, in what order, and how many.
#[derive(Clone)]
pub struct Shape {
    pub filter: JobFilter,
    pub order: Order,
    /// How many rows the server answers with.
    pub room: usize,
    /// How many more may gather before the list is cut back. Whoever pages on from the last row
    /// needs a new cursor then, so the cut asks for the list to be fetched.
    pub slack: usize,
    /// Whether new jobs enter: not on a page of older ones.
    pub newest: bool,
}

/// Newest first, by one of two times.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Created,
    Finished,
}

/// The list.
#[derive(Clone)]
pub struct JobList {
    shape: Arc<Shape>,
    rows: Rows<Job>,
    /// Whether the server has more rows than these.
    more: Arc<AtomicBool>,
    /// New jobs that were kept back because the reader is looking at something else.
    held: ArcRwSignal<u32>,
}

// === impl Order ===

impl Order {
    fn key(self, job: &Job) -> (Timestamp, shared::JobId) {
        let at = match self {
            Self::Created => job.created_at,
            Self::Finished => job.finished_at.unwrap_or(job.created_at),
        };
        (at, job.id)
    }
}

// === impl JobList ===

impl JobList {
    pub fn new(shape: Shape, jobs: Vec<Job>, more: bool) -> Self {
        Self {
            shape: Arc::new(shape),
            rows: Rows::new(jobs),
            more: Arc::new(AtomicBool::new(more)),
            held: ArcRwSignal::new(0),
        }
    }

    /// The rows in order; tracked.
    pub fn list(&self) -> Vec<Mounted<Job>> {
        self.rows.list()
    }

    /// Tracked.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// New jobs that wait for the reader; tracked.
    pub fn held(&self) -> u32 {
        self.held.get()
    }

    /// Shows what the server answered.
    pub fn replace(&self, jobs: Vec<Job>, more: bool) {
        self.more.store(more, Ordering::Relaxed);
        self.held.set(0);
        self.rows.replace(jobs);
    }

    /// Applies an event. `hold`: the reader has scrolled, so nothing may enter above.
    pub fn apply(&self, event: &Event, hold: bool) -> Verdict {
        match event {
            Event::Job(change) => self.job(change.clone().into_job(), hold),
            Event::Progress(progress) => {
                self.progress(progress);
                Verdict::Kept
            }
            Event::JobDeleted(gone) => self.left(self.rows.remove(&gone.id)),
            _ => Verdict::Kept,
        }
    }

    fn job(&self, job: Job, hold: bool) -> Verdict {
        if let Some(row) = self.rows.find(&job.id) {
            if row.with_untracked(|old| job.revision <= old.revision) {
                return Verdict::Kept;
            }
            if !self.shape.filter.matches(&job) {
                return self.left(self.rows.remove(&job.id));
            }
            row.set(job);
            return Verdict::Kept;
        }
        if !self.shape.newest || !self.shape.filter.matches(&job) {
            return Verdict::Kept;
        }
        if hold {
            self.held.update(|held| *held += 1);
            return Verdict::Kept;
        }
        let order = self.shape.order;
        let at = self.rows.insert(job, |job, other| order.key(job) > order.key(other));
        if at >= self.shape.room && self.more.load(Ordering::Relaxed) {
            // Past the last row the server told of there are others that are not known here.
            self.rows.truncate(at);
            return Verdict::Kept;
        }
        if self.rows.truncate(self.shape.room + self.shape.slack) {
            self.more.store(true, Ordering::Relaxed);
            return if self.shape.slack > 0 { Verdict::Refetch } else { Verdict::Kept };
        }
        Verdict::Kept
    }

    fn progress(&self, new: &JobProgress) {
        if let Some(row) = self.rows.find(&new.id)
            && row.with_untracked(|old| new.revision > Row::revision(old))
        {
            row.update(|job| advance(job, new));
        }
    }

    /// After a row left there may be another to move up.
    fn left(&self, removed: bool) -> Verdict {
        if removed && self.more.load(Ordering::Relaxed) { Verdict::Refetch } else { Verdict::Kept }
    }
}

/// Brings a row to where its progress says it is.
pub fn advance(job: &mut Job, new: &JobProgress) {
    job.progress = new.progress;
    job.step.clone_from(&new.step);
    job.steps_done = new.steps_done;
    job.steps_total = new.steps_total;
    job.revision = new.revision;
}
