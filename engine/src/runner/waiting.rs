//! What waits in a queue, and in which order it is taken.

use shared::{Job, JobId, Timestamp};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// Higher priority first, then who waits longer, then who came first.
type Place = (Reverse<i32>, Timestamp, JobId);

/// Where a job is.
#[derive(Clone, Debug)]
enum Where {
    Waiting { pipeline: Arc<str>, place: Place },
    Later(Timestamp),
}

/// Jobs that wait for a slot, by pipeline so that one that may not run holds nobody up, and jobs that
/// wait for their time.
#[derive(Debug, Default)]
pub struct Waiting {
    places: HashMap<Arc<str>, BTreeSet<Place>>,
    later: BTreeSet<(Timestamp, JobId)>,
    known: HashMap<JobId, Where>,
    since: BTreeMap<Timestamp, u32>,
}

impl Waiting {
    /// The job waits for a slot from now on.
    pub fn push(&mut self, job: &Job) {
        self.remove(job.id);
        let since = job.run_at.unwrap_or(job.created_at);
        let place = (Reverse(job.priority), since, job.id);
        let pipeline: Arc<str> = job.pipeline.as_deref().unwrap_or_default().into();
        let pipeline = match self.places.get_key_value(&pipeline) {
            Some((known, _)) => known.clone(),
            None => pipeline,
        };
        self.places.entry(pipeline.clone()).or_default().insert(place);
        *self.since.entry(since).or_default() += 1;
        self.known.insert(job.id, Where::Waiting { pipeline, place });
    }

    /// The job waits for its time.
    pub fn push_later(&mut self, job: JobId, at: Timestamp) {
        self.remove(job);
        self.later.insert((at, job));
        self.known.insert(job, Where::Later(at));
    }

    pub fn remove(&mut self, job: JobId) {
        match self.known.remove(&job) {
            None => {}
            Some(Where::Later(at)) => {
                self.later.remove(&(at, job));
            }
            Some(Where::Waiting { pipeline, place }) => {
                if let Some(places) = self.places.get_mut(&pipeline) {
                    places.remove(&place);
                    if places.is_empty() {
                        self.places.remove(&pipeline);
                    }
                }
                if let Some(count) = self.since.get_mut(&place.1) {
                    *count -= 1;
                    if *count == 0 {
                        self.since.remove(&place.1);
                    }
                }
            }
        }
    }

    /// Takes the first job whose pipeline may run, and says which pipeline that is.
    pub fn pop(&mut self, may_run: impl Fn(&str) -> bool) -> Option<(JobId, Arc<str>)> {
        let open = self.places.iter().filter(|(pipeline, _)| may_run(pipeline));
        let first = open.filter_map(|(pipeline, places)| Some((*places.first()?, pipeline)));
        let ((.., job), pipeline) = first.min_by_key(|(place, _)| *place)?;
        let pipeline = pipeline.clone();
        self.remove(job);
        Some((job, pipeline))
    }

    /// Takes the jobs whose time has come.
    pub fn pop_due(&mut self, now: Timestamp) -> Vec<JobId> {
        let mut due = Vec::new();
        while let Some(&(at, job)) = self.later.first()
            && at <= now
        {
            self.remove(job);
            due.push(job);
        }
        due
    }

    /// When the next job's time comes.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.later.first().map(|(at, _)| *at)
    }

    /// Jobs that wait for a slot.
    pub fn depth(&self) -> usize {
        self.known.len() - self.later.len()
    }

    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Since when the one that waits longest for a slot does.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.since.first_key_value().map(|(since, _)| *since)
    }

    /// Jobs that are taken before this one, if it waits for a slot, and its pipeline.
    pub fn ahead(&self, job: JobId) -> Option<(usize, Arc<str>)> {
        let Some(Where::Waiting { pipeline, place }) = self.known.get(&job) else { return None };
        let ahead = self.places.values().map(|places| places.range(..place).count()).sum();
        Some((ahead, pipeline.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{ConnectionId, JobState};
    use uuid::Uuid;

    fn job(n: u128, pipeline: &str, priority: i32, created: i64) -> Job {
        Job {
            id: JobId(Uuid::from_u128(n)),
            connection_id: ConnectionId(Uuid::nil()),
            external_id: None,
            name: pipeline.to_owned(),
            pipeline: Some(pipeline.to_owned()),
            queue: "default".to_owned(),
            worker: None,
            state: JobState::Queued,
            attempt: 0,
            max_attempts: 1,
            priority,
            run_at: None,
            retry_of: None,
            progress: None,
            step: None,
            steps_done: 0,
            steps_total: 1,
            created_at: Timestamp(created),
            started_at: None,
            finished_at: None,
            duration_ms: None,
            error: None,
            exit_code: None,
            signal: None,
            revision: 0,
        }
    }

    fn order(mut waiting: Waiting, may_run: impl Fn(&str) -> bool) -> Vec<u128> {
        std::iter::from_fn(|| waiting.pop(&may_run)).map(|(job, _)| job.0.as_u128()).collect()
    }

    #[test]
    fn the_highest_priority_is_taken_first_and_of_those_who_waits_longest() {
        let mut waiting = Waiting::default();
        for (n, pipeline, priority, created) in
            [(1, "a", 0, 30), (2, "b", 5, 40), (3, "a", 0, 10), (4, "c", -1, 1), (5, "a", 5, 20)]
        {
            waiting.push(&job(n, pipeline, priority, created));
        }
        assert_eq!(waiting.oldest(), Some(Timestamp(1)));
        assert_eq!(waiting.ahead(JobId(Uuid::from_u128(1))).unwrap().0, 3);
        assert_eq!(order(waiting, |_| true), [5, 2, 3, 1, 4]);
    }

    #[test]
    fn a_pipeline_that_may_not_run_holds_nobody_up() {
        let mut waiting = Waiting::default();
        waiting.push(&job(1, "full", 9, 1));
        waiting.push(&job(2, "free", 0, 2));
        assert_eq!(order(waiting, |pipeline| pipeline != "full"), [2]);
    }

    #[test]
    fn what_is_not_due_is_not_taken_and_not_counted() {
        let mut waiting = Waiting::default();
        let id = JobId(Uuid::from_u128(1));
        waiting.push_later(id, Timestamp(100));
        assert_eq!((waiting.depth(), waiting.is_empty()), (0, false));
        assert_eq!(waiting.next_due(), Some(Timestamp(100)));
        assert_eq!(waiting.pop_due(Timestamp(99)), []);
        assert_eq!(waiting.pop_due(Timestamp(100)), [id]);
        assert!(waiting.is_empty());
    }
}
