//! What waits in a queue, and in which order it is taken.

use super::bounds::{Bound, Turn};
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
    Waiting { pipeline: Arc<Bound>, place: Place },
    Later { pipeline: Arc<Bound>, at: Timestamp },
}

/// Jobs that wait for a slot, by pipeline so that one that may not run holds nobody up, and jobs that
/// wait for their time.
#[derive(Debug, Default)]
pub struct Waiting {
    places: HashMap<Arc<str>, (Arc<Bound>, BTreeSet<Place>)>,
    later: BTreeSet<(Timestamp, JobId)>,
    known: HashMap<JobId, Where>,
    since: BTreeMap<Timestamp, u32>,
}

impl Waiting {
    /// The job waits for a slot from now on.
    pub fn push(&mut self, job: &Job, pipeline: Arc<Bound>) {
        self.remove(job.id);
        let since = job.run_at.unwrap_or(job.created_at);
        let place = (Reverse(job.priority), since, job.id);
        let places = self.places.entry(pipeline.name().clone());
        places.or_insert_with(|| (pipeline.clone(), BTreeSet::new())).1.insert(place);
        *self.since.entry(since).or_default() += 1;
        self.known.insert(job.id, Where::Waiting { pipeline, place });
    }

    /// The job waits for its time.
    pub fn push_later(&mut self, job: JobId, at: Timestamp, pipeline: Arc<Bound>) {
        self.remove(job);
        self.later.insert((at, job));
        self.known.insert(job, Where::Later { pipeline, at });
    }

    /// The job waits no more. Returns its pipeline if it did.
    pub fn remove(&mut self, job: JobId) -> Option<Arc<Bound>> {
        match self.known.remove(&job)? {
            Where::Later { pipeline, at } => {
                self.later.remove(&(at, job));
                Some(pipeline)
            }
            Where::Waiting { pipeline, place } => {
                if let Some((_, places)) = self.places.get_mut(pipeline.name()) {
                    places.remove(&place);
                    if places.is_empty() {
                        self.places.remove(pipeline.name());
                    }
                }
                if let Some(count) = self.since.get_mut(&place.1) {
                    *count -= 1;
                    if *count == 0 {
                        self.since.remove(&place.1);
                    }
                }
                Some(pipeline)
            }
        }
    }

    /// Takes the first job whose pipeline may run.
    pub fn pop(&mut self) -> Option<(JobId, Turn)> {
        loop {
            let open = self.places.values().filter(|(pipeline, _)| pipeline.has_room());
            let first = open.filter_map(|(pipeline, places)| Some((*places.first()?, pipeline)));
            let ((.., job), pipeline) = first.min_by_key(|(place, _)| *place)?;
            // None: another queue took what room there was.
            if let Some(turn) = pipeline.take() {
                self.remove(job);
                return Some((job, turn));
            }
        }
    }

    /// Takes the jobs whose time has come, with their pipelines.
    pub fn pop_due(&mut self, now: Timestamp) -> Vec<(JobId, Arc<Bound>)> {
        let mut due = Vec::new();
        while let Some(&(at, job)) = self.later.first()
            && at <= now
        {
            // What is in `later` is known.
            due.extend(self.remove(job).map(|pipeline| (job, pipeline)));
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
    pub fn ahead(&self, job: JobId) -> Option<(usize, &Bound)> {
        let Some(Where::Waiting { pipeline, place }) = self.known.get(&job) else { return None };
        let ahead = self.places.values().map(|(_, places)| places.range(..place).count()).sum();
        Some((ahead, pipeline))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::bounds::Bounds, *};
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

    fn free(pipeline: &str) -> Arc<Bound> {
        Bounds::default().of(pipeline, || None)
    }

    fn order(mut waiting: Waiting) -> Vec<u128> {
        std::iter::from_fn(|| waiting.pop()).map(|(job, _)| job.0.as_u128()).collect()
    }

    #[test]
    fn the_highest_priority_is_taken_first_and_of_those_who_waits_longest() {
        let mut waiting = Waiting::default();
        for (n, pipeline, priority, created) in
            [(1, "a", 0, 30), (2, "b", 5, 40), (3, "a", 0, 10), (4, "c", -1, 1), (5, "a", 5, 20)]
        {
            waiting.push(&job(n, pipeline, priority, created), free(pipeline));
        }
        assert_eq!(waiting.oldest(), Some(Timestamp(1)));
        assert_eq!(waiting.ahead(JobId(Uuid::from_u128(1))).unwrap().0, 3);
        assert_eq!(order(waiting), [5, 2, 3, 1, 4]);
    }

    #[test]
    fn a_pipeline_that_may_not_run_holds_nobody_up() {
        let mut waiting = Waiting::default();
        let full = Bounds::default().of("full", || Some(1));
        let _turn = full.take();
        waiting.push(&job(1, "full", 9, 1), full);
        waiting.push(&job(2, "free", 0, 2), free("free"));
        assert_eq!(order(waiting), [2]);
    }

    #[test]
    fn what_is_not_due_is_not_taken_and_not_counted() {
        let mut waiting = Waiting::default();
        let id = JobId(Uuid::from_u128(1));
        waiting.push_later(id, Timestamp(100), free("a"));
        assert_eq!((waiting.depth(), waiting.is_empty()), (0, false));
        assert_eq!(waiting.next_due(), Some(Timestamp(100)));
        assert!(waiting.pop_due(Timestamp(99)).is_empty());
        assert_eq!(waiting.pop_due(Timestamp(100))[0].0, id);
        assert!(waiting.is_empty());
    }
}
