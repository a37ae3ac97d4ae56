//! A list of jobs that stays what the server would answer now: the same filter, the same order.

use super::{
    Event, Verdict,
    rows::{Row, Rows},
};
use leptos::prelude::*;
use shared::{Job, JobFilter, JobState, Timestamp, event::JobProgress};
use std::ops::Range;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
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
    /// Rows that were added at the end.
    grown: Arc<AtomicUsize>,
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
            grown: Arc::default(),
            held: ArcRwSignal::new(0),
        }
    }

    /// Reads every row, in order; tracked.
    pub fn map<T>(&self, read: impl FnMut(&Job) -> T) -> Vec<T> {
        self.rows.map(read)
    }

    /// How many there are; tracked.
    pub fn count(&self) -> usize {
        self.rows.with(<[Job]>::len)
    }

    /// Reads some of the rows, which must be there; tracked.
    pub fn range<T>(&self, range: Range<usize>, read: impl FnMut(&Job) -> T) -> Vec<T> {
        self.rows.with(|rows| rows.get(range).unwrap_or_default().iter().map(read).collect())
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
        self.grown.store(0, Ordering::Relaxed);
        self.held.set(0);
        self.rows.replace(jobs);
    }

    /// Adds what the server has after the last row.
    pub fn extend(&self, jobs: Vec<Job>, more: bool) {
        self.more.store(more, Ordering::Relaxed);
        self.grown.fetch_add(jobs.len(), Ordering::Relaxed);
        for job in jobs {
            self.rows.put(job);
        }
    }

    /// Brings rows that are here up to date, and lets none in.
    pub fn refresh(&self, jobs: Vec<Job>) {
        for job in jobs {
            let _ = self.rows.change(job);
        }
    }

    /// Applies an event. `hold`: the reader has scrolled, so nothing may enter above.
    pub fn apply(&self, event: &Event, hold: bool) -> Verdict {
        match event {
            Event::Job(job, before) => self.job(job, *before, hold),
            Event::Progress(progress) => {
                self.progress(progress);
                Verdict::Kept
            }
            Event::JobDeleted(gone) => self.left(self.rows.remove(&gone.id)),
            _ => Verdict::Kept,
        }
    }

    fn job(&self, job: &Job, before: Option<JobState>, hold: bool) -> Verdict {
        if let Some(newer) = self.rows.find(&job.id, |old| job.revision > old.revision) {
            if newer && !self.shape.filter.matches(job) {
                return self.left(self.rows.remove(&job.id));
            }
            let _ = self.rows.change(job.clone());
            return Verdict::Kept;
        }
        if !self.shape.newest || !self.shape.filter.matches(job) {
            return Verdict::Kept;
        }
        let order = self.shape.order;
        if hold {
            // Counted when it comes, not at each of its changes, nor if it belongs further down.
            let states = &self.shape.filter.states;
            let was = before.is_some_and(|p| states.is_empty() || states.contains(&p));
            let above = self
                .rows
                .peek(|rows| rows.last().is_none_or(|last| order.key(job) > order.key(last)));
            if above && !was {
                self.held.update(|held| *held += 1);
            }
            return Verdict::Kept;
        }
        let at = self.rows.insert(job.clone(), |job, other| order.key(job) > order.key(other));
        if at + 1 == self.rows.peek(<[Job]>::len) && self.more.load(Ordering::Relaxed) {
            // Between it and the row above there are others that are not known here.
            self.rows.truncate(at);
            return Verdict::Kept;
        }
        let grown = self.grown.load(Ordering::Relaxed);
        if self.rows.truncate(self.shape.room + self.shape.slack + grown) {
            self.more.store(true, Ordering::Relaxed);
            return if self.shape.slack > 0 { Verdict::Refetch } else { Verdict::Kept };
        }
        Verdict::Kept
    }

    fn progress(&self, new: &JobProgress) {
        if self.rows.find(&new.id, |old| new.revision > Row::revision(old)) == Some(true) {
            self.rows.update(&new.id, |job| advance(job, new));
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

#[cfg(test)]
mod tests {
    use super::*;
    use shared::event::JobDeleted;

    /// Job number `n`, created `n` seconds after the epoch, as event `revision` left it.
    fn job(n: u64, state: JobState, revision: u64) -> Job {
        let id = format!("0193f2c4-7b1e-7c3a-9d20-{n:012x}");
        Job {
            id: id.parse().unwrap(),
            connection_id: "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1".parse().unwrap(),
            external_id: None,
            name: "hello".to_owned(),
            pipeline: None,
            queue: "default".to_owned(),
            worker: None,
            state,
            attempt: 1,
            max_attempts: 1,
            priority: 0,
            run_at: None,
            retry_of: None,
            progress: None,
            step: None,
            steps_done: 0,
            steps_total: 1,
            created_at: Timestamp(n as i64 * 1000),
            started_at: None,
            finished_at: None,
            duration_ms: None,
            error: None,
            exit_code: None,
            signal: None,
            revision,
        }
    }

    fn change(n: u64, from: Option<JobState>, to: JobState, revision: u64) -> Event {
        Event::Job(Box::new(job(n, to, revision)), from)
    }

    /// Three rows of room, one of slack; holds the jobs 30, 20 and 10.
    fn list(states: &[JobState], more: bool) -> JobList {
        let shape = Shape {
            filter: JobFilter { states: states.to_vec(), ..JobFilter::default() },
            order: Order::Created,
            room: 3,
            slack: 1,
            newest: true,
        };
        let rows = [30, 20, 10].map(|n| job(n, Queued, 1));
        JobList::new(shape, rows.to_vec(), more)
    }

    fn seconds(list: &JobList) -> Vec<i64> {
        untrack(|| list.map(|job| job.created_at.0 / 1000))
    }

    use JobState::{Active, Completed, Queued};

    #[test]
    fn a_new_job_enters_in_its_place_and_an_older_change_changes_nothing() {
        let list = list(&[], false);
        assert_eq!(list.apply(&change(25, None, Queued, 2), false), Verdict::Kept);
        assert_eq!(seconds(&list), [30, 25, 20, 10]);
        let _ = list.apply(&change(25, Some(Queued), Active, 4), false);
        let _ = list.apply(&change(25, None, Queued, 3), false);
        assert_eq!(untrack(|| list.map(|job| job.state))[1], Active);
    }

    #[test]
    fn a_job_that_belongs_further_down_stays_out() {
        let list = list(&[], true);
        assert_eq!(list.apply(&change(5, Some(Queued), Active, 2), false), Verdict::Kept);
        assert_eq!(seconds(&list), [30, 20, 10]);
    }

    #[test]
    fn a_list_that_is_cut_back_asks_for_a_new_cursor() {
        let list = list(&[], true);
        assert_eq!(list.apply(&change(40, None, Queued, 2), false), Verdict::Kept);
        assert_eq!(list.apply(&change(50, None, Queued, 3), false), Verdict::Refetch);
        assert_eq!(seconds(&list), [50, 40, 30, 20]);
    }

    #[test]
    fn what_no_longer_matches_leaves_and_makes_room_for_the_next() {
        let list = list(&[Queued], true);
        assert_eq!(list.apply(&change(20, Some(Queued), Active, 2), false), Verdict::Refetch);
        assert_eq!(seconds(&list), [30, 10]);
        let (id, connection_id) = (job(10, Queued, 1).id, job(10, Queued, 1).connection_id);
        let gone = Event::JobDeleted(JobDeleted { id, connection_id, revision: 3 });
        assert_eq!(list.apply(&gone, false), Verdict::Refetch);
        assert_eq!(seconds(&list), [30]);
    }

    #[test]
    fn while_the_reader_reads_new_jobs_are_counted_once_and_kept_back() {
        let list = list(&[], true);
        for (from, to, revision) in
            [(None, Queued, 2), (Some(Queued), Active, 3), (Some(Active), Completed, 4)]
        {
            let _ = list.apply(&change(40, from, to, revision), true);
        }
        let _ = list.apply(&change(5, None, Queued, 5), true);
        assert_eq!((seconds(&list), untrack(|| list.held())), (vec![30, 20, 10], 1));
    }
}
