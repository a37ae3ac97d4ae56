//! Jobs by state, kept up with what happens.

use leptos::prelude::*;
use shared::{Job, JobFilter, JobState, Total, page::StateCount};
use std::sync::Arc;

/// How many jobs are in each state. A count that the server stopped at stays as it is until the
/// page is fetched again.
#[derive(Clone)]
pub struct Counts {
    /// What is counted, whatever its state.
    filter: Arc<JobFilter>,
    counts: ArcRwSignal<Vec<StateCount>>,
    /// Number of the last event that is counted in.
    seq: ArcRwSignal<u64>,
}

impl Counts {
    /// `seq` is the number of the snapshot the counts were taken with.
    pub fn new(filter: &JobFilter, counts: Vec<StateCount>, seq: u64) -> Self {
        Self {
            filter: Arc::new(filter.any_state()),
            counts: ArcRwSignal::new(counts),
            seq: ArcRwSignal::new(seq),
        }
    }

    pub fn replace(&self, counts: Vec<StateCount>, seq: u64) {
        self.counts.set(counts);
        self.seq.set(seq);
    }

    /// Jobs in any of these states; tracked.
    pub fn of(&self, states: &[JobState]) -> Total {
        self.counts.with(|counts| sum(counts.iter().filter(|c| states.contains(&c.state))))
    }

    /// All jobs; tracked.
    pub fn all(&self) -> Total {
        self.counts.with(|counts| sum(counts.iter()))
    }

    /// Moves a job from one count to another. An event is counted once, and none from before the
    /// snapshot: jobs counted there have no row here that could tell.
    pub fn apply(&self, job: &Job, before: Option<JobState>) {
        let counted = self.seq.with_untracked(|seq| job.revision <= *seq);
        if counted || !self.filter.matches(job) {
            return;
        }
        self.seq.set(job.revision);
        if before != Some(job.state) {
            self.counts.update(|counts| {
                if let Some(before) = before {
                    add(counts, before, false);
                }
                add(counts, job.state, true);
            });
        }
    }
}

fn sum<'a>(counts: impl Iterator<Item = &'a StateCount>) -> Total {
    counts.fold(Total { count: 0, exact: true }, |sum, c| Total {
        count: sum.count + c.total.count,
        exact: sum.exact && c.total.exact,
    })
}

fn add(counts: &mut Vec<StateCount>, state: JobState, one_more: bool) {
    match counts.iter_mut().find(|c| c.state == state) {
        Some(c) if !c.total.exact => {}
        Some(c) if one_more => c.total.count += 1,
        Some(c) => c.total.count = c.total.count.saturating_sub(1),
        None if one_more => {
            counts.push(StateCount { state, total: Total { count: 1, exact: true } })
        }
        None => {}
    }
}
