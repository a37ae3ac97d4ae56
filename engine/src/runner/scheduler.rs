//! Makes jobs of schedules: what is due is queued once, whatever dies in between.
//!
//! A due time and its job are one transaction of the board, which knows which times made one. Where a
//! pipeline's schedule stands is in the store too, so a server goes on where the one before it ended.

use crate::{
    Definition, Observation, ScheduleDef,
    board::{Board, Refused},
    engine::new_job,
    observation::NewJob,
    params,
    schedule::{self, Schedule},
    store::{Stand, Store, StoreError},
};
use shared::{ConnectionId, Job, Overlap, Timestamp};
use std::collections::BTreeMap;

/// A due time that was missed by no more than this still makes a job, unless the one after it has come: a
/// restart takes less.
pub const GRACE_MS: i64 = 60_000;
/// A clock that was set back by more than this is believed; by less, it is waited for.
const SET_BACK_MS: i64 = 3 * 60 * 60 * 1000;
/// Who queued a job that a schedule made.
pub const BY: &str = "schedule";

/// Every schedule there is, and where it stands.
pub struct Scheduler {
    board: Board,
    store: Store,
    connection: ConnectionId,
    entries: BTreeMap<String, Entry>,
}

struct Entry {
    definition: Definition,
    schedule: Schedule,
    rule: ScheduleDef,
    stand: Stand,
    /// The store has not heard of it yet.
    is_new: bool,
}

/// Why a due time could not be dealt with; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Board(#[from] Refused),
}

impl Scheduler {
    /// With the schedules of these pipelines, which go on where they stood. Blocks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(
        (board, store): (Board, Store),
        connection: ConnectionId,
        pipelines: &[Definition],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut this = Self { board, store, connection, entries: BTreeMap::new() };
        let stands = this.store.schedules()?;
        for definition in pipelines {
            this.add(definition, stands.get(&definition.name).copied(), now);
        }
        Ok(this)
    }

    /// The schedules are those of these pipelines from now on. One that is new, or was changed,
    /// begins now.
    pub fn replace(&mut self, pipelines: &[Definition], now: Timestamp) {
        let mut before = std::mem::take(&mut self.entries);
        for definition in pipelines {
            let old = before.remove(&definition.name);
            let same = old.filter(|old| {
                definition.schedule.as_ref().is_some_and(|new| {
                    (&new.cron, &new.timezone) == (&old.rule.cron, &old.rule.timezone)
                })
            });
            self.add(definition, same.map(|old| old.stand), now);
        }
    }

    fn add(&mut self, definition: &Definition, stand: Option<Stand>, now: Timestamp) {
        let Some(rule) = &definition.schedule else { return };
        let parsed =
            schedule::zone(&rule.timezone).and_then(|zone| Schedule::parse(&rule.cron, zone));
        match parsed {
            Ok(schedule) => {
                let (definition, rule) = (definition.clone(), rule.clone());
                let name = definition.name.clone();
                let is_new = stand.is_none();
                let stand = stand.unwrap_or(Stand { upto: now, last: None });
                self.entries.insert(name, Entry { definition, schedule, rule, stand, is_new });
            }
            // The configuration was checked; a time zone may be gone with an older version.
            Err(error) => {
                tracing::error!(pipeline = definition.name, %error, "its schedule does not run")
            }
        }
    }

    /// When something is due next.
    pub fn next(&self) -> Option<Timestamp> {
        self.entries.values().filter_map(|entry| entry.schedule.next_after(entry.stand.upto)).min()
    }

    /// Deals with what is due by now; the jobs that were made are committed.
    ///
    /// # Errors
    /// When the store or the board refuses. What was dealt with until then stays so.
    pub async fn tick(&mut self, now: Timestamp) -> Result<Vec<Job>, SchedulerError> {
        let mut made = Vec::new();
        for (name, entry) in &mut self.entries {
            if entry.is_new {
                let passed =
                    Observation::DuesPassed { pipeline: name.clone(), upto: entry.stand.upto };
                told(&self.board, passed).await?;
                entry.is_new = false;
            }
            if entry.stand.upto.0 > now.0 + SET_BACK_MS {
                tracing::warn!(pipeline = name, "the clock was set back: its schedule begins anew");
                entry.stand.upto = now;
            }
            let next = |after| entry.schedule.next_after(after).filter(|at| *at <= now);
            let Some(first) = next(entry.stand.upto) else { continue };
            let too_late = Timestamp(now.0 - GRACE_MS - 1);
            // Of several that are not too late the newest: its run is that of the others, too.
            let in_time = next(entry.stand.upto.max(too_late));
            let newest = std::iter::successors(in_time, |at| next(*at)).last();
            // Passed while nobody was there: one run makes up for all of them, or none does.
            if let Some(at) = newest.or(entry.rule.catch_up.then_some(first)) {
                made.extend(entry.due(&self.board, &self.store, self.connection, at, now).await?);
            }
            if newest.is_none() {
                let passed = Observation::DuesPassed { pipeline: name.clone(), upto: too_late };
                told(&self.board, passed).await?;
                entry.stand.upto = entry.stand.upto.max(too_late);
            }
        }
        Ok(made)
    }
}

impl Entry {
    /// Makes the job of one due time, or skips it.
    async fn due(
        &mut self,
        board: &Board,
        store: &Store,
        connection: ConnectionId,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Job>, SchedulerError> {
        let pipeline = self.definition.name.clone();
        let goes_on = match (self.rule.overlap, self.stand.last) {
            (Overlap::Skip, Some(last)) => {
                let (store, caller) = (store.clone(), crate::Caller::board());
                let last = super::blocking(move || store.job(&caller, last)).await?;
                last.is_some_and(|last| !last.state.is_over())
            }
            _ => false,
        };
        if goes_on {
            told(board, Observation::DueSkipped { pipeline, at }).await?;
            self.stand.upto = at;
            return Ok(None);
        }
        // The configuration has no schedule on a pipeline whose parameters have to be given.
        let values = params::settle(&self.definition.params, &BTreeMap::new()).unwrap_or_default();
        let job = NewJob {
            // It waits since then, not since it was got to.
            run_at: Some(at),
            due: Some(at),
            params: values,
            ..new_job(&self.definition, connection, BY.to_owned(), now)
        };
        let applied = told(board, Observation::Queued(Box::new(job))).await?;
        self.stand.upto = at;
        let job = applied.job;
        self.stand.last = job.as_ref().map(|job| job.id).or(self.stand.last);
        // Made before already: it is in its queue.
        Ok(job.filter(|_| applied.changed))
    }
}

async fn told(board: &Board, observation: Observation) -> Result<crate::board::Applied, Refused> {
    board.send(observation).await.map_err(|_| Refused::Closed)?.await
}
