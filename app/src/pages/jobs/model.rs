//! The list and the counts above it: kept true by events, and grown downwards as it is read.

use crate::{
    api::{self, JobsParams, PageError},
    live::{Counts, Event, JobList, Model, Order, Shape, Verdict},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{EventId, JobSort, Total, page::JobsPage};

#[derive(Clone)]
pub struct JobsModel {
    pub params: JobsParams,
    as_of: ArcRwSignal<EventId>,
    pub jobs: JobList,
    pub counts: Counts,
    total: ArcRwSignal<Total>,
    /// Where the rows go on that are not here yet.
    pub older: ArcRwSignal<Option<String>>,
    /// They are on their way.
    pub busy: ArcRwSignal<bool>,
}

// === impl JobsModel ===

impl JobsModel {
    pub fn new(params: JobsParams, page: JobsPage) -> Self {
        let shape = Shape {
            filter: params.filter.clone(),
            order: Order::Created,
            room: params.limit as usize,
            slack: params.limit as usize / 2,
            newest: params.cursor.is_none(),
        };
        let more = page.jobs.next_cursor.is_some();
        Self {
            as_of: ArcRwSignal::new(page.jobs.as_of),
            jobs: JobList::new(shape, page.jobs.items, more),
            counts: Counts::new(&params.filter, page.counts, page.jobs.as_of.seq),
            total: ArcRwSignal::new(page.jobs.total),
            older: ArcRwSignal::new(page.jobs.next_cursor),
            busy: ArcRwSignal::new(false),
            params,
        }
    }

    /// How many match; tracked. The counts know it; where the server stopped counting, whichever went further.
    pub fn matching(&self) -> Total {
        let states = &self.params.filter.states;
        let counted = if states.is_empty() { self.counts.all() } else { self.counts.of(states) };
        // Of a search only the store knows, which counts no states for it; other orders are of jobs that are over.
        let same = self.params.filter.is_decidable() && self.params.sort == JobSort::Created;
        let total = self.total.get();
        if same && (counted.exact || counted.count > total.count) { counted } else { total }
    }

    /// Fetches the rows after the last one, once at a time.
    pub fn grow(&self) {
        let Some(cursor) = self.older.get_untracked() else { return };
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        let this = self.clone();
        spawn_local(async move {
            let params = JobsParams { cursor: Some(cursor.clone()), ..this.params.clone() };
            let answer = api::jobs(params).await;
            // What was fetched meanwhile stands somewhere else.
            if this.older.try_get_untracked() == Some(Some(cursor)) {
                match answer {
                    Ok(page) => {
                        this.jobs.extend(page.jobs.items, page.jobs.next_cursor.is_some());
                        this.older.set(page.jobs.next_cursor);
                    }
                    // The link to the next page is still there.
                    Err(_) => this.older.update(|_| {}),
                }
            }
            this.busy.set(false);
        });
    }

    /// Shows the newest, as the server has them now.
    pub fn show_newest(&self) {
        let this = self.clone();
        spawn_local(async move {
            if let Ok(page) = this.fetch().await {
                this.show(page);
            }
        });
    }

    fn show(&self, page: JobsPage) {
        self.older.set(page.jobs.next_cursor.clone());
        self.jobs.replace(page.jobs.items, page.jobs.next_cursor.is_some());
    }
}

impl Model for JobsModel {
    type Snapshot = JobsPage;
    const PAUSE_MS: f64 = 1000.0;

    fn as_of(&self) -> EventId {
        self.as_of.get_untracked()
    }

    fn apply(&self, event: &Event) -> Verdict {
        if let Event::Job(job, before) = event {
            self.counts.apply(job, *before);
        }
        if !self.params.filter.is_decidable() || self.params.sort != JobSort::Created {
            // Whether and where it belongs is for the store to say.
            return match event {
                Event::Job(..) | Event::JobDeleted(_) => Verdict::Refetch,
                event => self.jobs.apply(event, false),
            };
        }
        // Which count a deleted job belonged to is not told.
        let gone = matches!(event, Event::JobDeleted(_));
        let verdict = self.jobs.apply(event, reading());
        if gone { Verdict::Refetch } else { verdict }
    }

    fn fetch(&self) -> impl Future<Output = Result<JobsPage, PageError>> + 'static {
        api::jobs(self.params.clone())
    }

    fn replace(&self, page: JobsPage) {
        self.as_of.set(page.jobs.as_of);
        self.counts.replace(page.counts.clone(), page.jobs.as_of.seq);
        self.total.set(page.jobs.total);
        if reading() {
            // Nothing may move what is being read: rows that are here are brought up to date.
            self.jobs.refresh(page.jobs.items);
        } else {
            self.show(page);
        }
    }
}

/// Whether the reader has scrolled down: then nothing may push what is being read away.
pub fn reading() -> bool {
    window().scroll_y().is_ok_and(|y| y > 120.0)
}
