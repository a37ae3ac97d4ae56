//! Jobs as the board holds them: those that are not over, small, and the outcome of the last that are.

use crate::{
    observation::NewJob,
    store::{Head, StoreError, Writer},
};
use shared::{ConnectionId, Job, JobId, JobState, StepState, Timestamp};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

/// Jobs that are over and are still known without a look into the store.
const OVER_KEPT: usize = 10_000;

/// A job that is not over. What only its end has (error, exit, duration) is not here.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub connection: ConnectionId,
    /// What few jobs have.
    rare: Option<Box<Rare>>,
    pub name: Arc<str>,
    pipeline: Option<Arc<str>>,
    pub queue: Arc<str>,
    pub worker: Option<Arc<str>>,
    pub step: Option<Arc<str>>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    /// Number of its last `job:state_change`.
    pub revision: u64,
    /// Bytes read of its attempt's journal.
    pub journal: u64,
    /// Entries in its story.
    pub story: u64,
    pub attempt: u32,
    pub max_attempts: u32,
    pub priority: i32,
    pub run_at: Option<Timestamp>,
    pub steps_done: u32,
    pub steps_total: u32,
    pub progress: Option<f32>,
    pub state: JobState,
    /// Its cancel was asked for.
    pub cancel: bool,
    /// The store says why its attempt has not begun to run yet.
    pub delayed: bool,
    /// Of the newest attempt; read when they are needed, kept while the job is active.
    pub steps: Option<Box<[HeldStep]>>,
}

/// What few jobs have.
#[derive(Clone, Debug)]
struct Rare {
    external_id: Option<String>,
    retry_of: Option<JobId>,
}

impl Rare {
    fn of(external_id: Option<String>, retry_of: Option<JobId>) -> Option<Box<Self>> {
        let any = external_id.is_some() || retry_of.is_some();
        any.then(|| Box::new(Self { external_id, retry_of }))
    }
}

#[derive(Clone, Debug)]
pub(super) struct HeldStep {
    pub name: Arc<str>,
    pub state: StepState,
}

impl Held {
    /// Its row as it is now.
    pub fn row(&self, id: JobId) -> Job {
        Job {
            id,
            connection_id: self.connection,
            external_id: self.rare.as_ref().and_then(|rare| rare.external_id.clone()),
            name: self.name.as_ref().to_owned(),
            pipeline: self.pipeline.as_deref().map(str::to_owned),
            queue: self.queue.as_ref().to_owned(),
            worker: self.worker.as_deref().map(str::to_owned),
            state: self.state,
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            priority: self.priority,
            run_at: self.run_at,
            retry_of: self.rare.as_ref().and_then(|rare| rare.retry_of),
            progress: self.progress,
            step: self.step.as_deref().map(str::to_owned),
            steps_done: self.steps_done,
            steps_total: self.steps_total,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: None,
            duration_ms: None,
            error: None,
            exit_code: None,
            signal: None,
            revision: self.revision,
        }
    }
}

/// What is known of a job.
#[derive(Debug)]
pub(super) enum Known<'a> {
    Held(&'a mut Held),
    Over(JobState),
    No,
}

/// All jobs that are known without a look into the store.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    held: HashMap<JobId, Held>,
    over: HashMap<JobId, JobState>,
    /// Those in `over`, oldest first.
    ended: VecDeque<JobId>,
    /// Deleted, and in the store until that is committed.
    deleted: HashSet<JobId>,
    names: Names,
}

impl Jobs {
    /// What is known of a job; after [`Jobs::load`] that is all there is.
    pub fn get(&mut self, id: JobId) -> Known<'_> {
        match self.held.get_mut(&id) {
            Some(held) => Known::Held(held),
            None => self.over.get(&id).map_or(Known::No, |state| Known::Over(*state)),
        }
    }

    pub fn held(&self, id: JobId) -> Option<&Held> {
        self.held.get(&id)
    }

    /// Jobs that run.
    pub fn active(&self) -> impl Iterator<Item = JobId> {
        self.held.iter().filter(|(_, held)| held.state == JobState::Active).map(|(id, _)| *id)
    }

    /// Reads a job from the store if it is not known, and its steps if they are asked for.
    pub fn load(&mut self, id: JobId, steps: bool, store: &Writer) -> Result<(), StoreError> {
        if matches!(self.get(id), Known::No)
            && !self.deleted.contains(&id)
            && let Some(head) = store.head(id)?
        {
            self.put(head);
        }
        if steps
            && let Some(held) = self.held.get_mut(&id)
            && held.steps.is_none()
        {
            let found = store.steps(id, held.attempt.max(1))?;
            let names = &mut self.names;
            let steps =
                found.into_iter().map(|(name, state)| HeldStep { name: names.get(&name), state });
            held.steps = Some(steps.collect());
        }
        Ok(())
    }

    /// Takes in a job as the store has it.
    pub fn put(&mut self, head: Head) {
        let Head { job, cancel, delayed, journal_position, story } = head;
        if job.state.is_over() {
            self.remember(job.id, job.state);
            return;
        }
        let names = &mut self.names;
        let held = Held {
            connection: job.connection_id,
            rare: Rare::of(job.external_id, job.retry_of),
            name: names.get(&job.name),
            pipeline: job.pipeline.map(|name| names.get(&name)),
            queue: names.get(&job.queue),
            worker: job.worker.map(|name| names.get(&name)),
            step: job.step.map(|name| names.get(&name)),
            created_at: job.created_at,
            started_at: job.started_at,
            revision: job.revision,
            journal: journal_position,
            story,
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            priority: job.priority,
            run_at: job.run_at,
            steps_done: job.steps_done,
            steps_total: job.steps_total,
            progress: job.progress,
            state: job.state,
            cancel,
            delayed,
            steps: None,
        };
        self.held.insert(job.id, held);
    }

    /// A new job, queued by the event of this number.
    pub fn queue(&mut self, new: &NewJob, revision: u64) -> &mut Held {
        let names = &mut self.names;
        let steps = new
            .steps
            .iter()
            .map(|step| HeldStep { name: names.get(&step.name), state: StepState::Pending });
        let steps: Box<[HeldStep]> = steps.collect();
        let held = Held {
            connection: new.connection,
            rare: Rare::of(new.external_id.clone(), new.retry_of),
            name: names.get(&new.name),
            pipeline: new.pipeline.as_deref().map(|name| names.get(name)),
            queue: names.get(&new.queue),
            worker: None,
            step: None,
            created_at: new.created_at,
            started_at: None,
            revision,
            journal: 0,
            story: 0,
            attempt: 0,
            max_attempts: new.max_attempts,
            priority: new.priority,
            run_at: new.run_at,
            steps_done: 0,
            steps_total: u32::try_from(steps.len()).unwrap_or(u32::MAX),
            progress: None,
            state: match new.run_at {
                Some(at) if at > new.created_at => JobState::Scheduled,
                _ => JobState::Queued,
            },
            cancel: false,
            delayed: false,
            steps: Some(steps),
        };
        self.held.entry(new.id).insert_entry(held).into_mut()
    }

    /// The job is over: from now on only its outcome is held.
    pub fn end(&mut self, id: JobId, state: JobState) {
        self.held.remove(&id);
        self.remember(id, state);
    }

    /// The job is deleted.
    pub fn forget(&mut self, id: JobId) {
        self.deleted.insert(id);
        // Its place among the ended goes when it is the oldest there.
        self.over.remove(&id);
    }

    fn remember(&mut self, id: JobId, state: JobState) {
        if self.over.insert(id, state).is_none() {
            self.ended.push_back(id);
        }
        if self.ended.len() > OVER_KEPT
            && let Some(oldest) = self.ended.pop_front()
        {
            self.over.remove(&oldest);
        }
    }

    /// What became of it is in the store, and so are the steps of a job that does not run when they are needed again.
    pub fn committed(&mut self, id: JobId) {
        self.deleted.remove(&id);
        if let Some(held) = self.held.get_mut(&id)
            && held.state != JobState::Active
        {
            held.steps = None;
        }
    }

    /// One copy of a name that many jobs share.
    pub fn name(&mut self, name: &str) -> Arc<str> {
        self.names.get(name)
    }
}

/// Names of queues, pipelines, workers and steps: few, each held once.
#[derive(Debug, Default)]
struct Names {
    known: HashSet<Arc<str>>,
    /// Names there were when the unused ones were last dropped.
    swept: usize,
}

impl Names {
    fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        if self.known.len() > 2 * self.swept + 256 {
            self.known.retain(|name| Arc::strong_count(name) > 1);
            self.swept = self.known.len();
        }
        let name: Arc<str> = Arc::from(name);
        self.known.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_waits_takes_at_most_256_bytes() {
        assert!(size_of::<(JobId, Held)>() <= 256, "{}", size_of::<(JobId, Held)>());
    }

    #[test]
    fn names_nobody_uses_any_more_are_dropped() {
        let mut names = Names::default();
        let kept = names.get("kept");
        for n in 0..10_000 {
            names.get(&n.to_string());
        }
        assert!(names.known.len() < 1_000, "{}", names.known.len());
        assert!(Arc::ptr_eq(&kept, &names.get("kept")));
    }
}
