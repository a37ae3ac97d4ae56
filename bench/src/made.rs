//! Three weeks of jobs: 20 pipelines, six queues, twelve workers and the rare ones that lists are slow at.

use crate::Rng;
use engine::{
    Retention, Settings,
    definition::QueueDef,
    observation::NewStep,
    store::{Change, Plan},
};
use shared::{
    ConnectionId, Job, JobId, JobState, Phase, StepState, StoryEntry, StoryKind, Timestamp,
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub const QUEUES: [&str; 6] = ["default", "imports", "reports", "mail", "media", "nightly"];
/// The queue that is paused, where something waits.
pub const HELD: &str = "nightly";
/// Common first.
pub const PIPELINES: [&str; 18] = [
    "send-mail",
    "resize-image",
    "import-orders",
    "sync-stock",
    "charge-card",
    "build-invoice",
    "index-search",
    "refresh-cache",
    "export-csv",
    "notify-slack",
    "transcode-video",
    "train-model",
    "check-links",
    "rotate-logs",
    "backup-database",
    "vacuum-tables",
    "render-report",
    "expire-sessions",
];
/// Ran in the first week only, a few per cent of what ran then.
pub const OLD: &str = "legacy-import";
/// Five jobs in three weeks.
pub const RARE: &str = "quarterly-audit";
/// Ran one job.
pub const RARE_WORKER: &str = "local:default@retired";
/// Milliseconds from the first job to the last.
pub const SPAN: i64 = 21 * 86_400_000;

const REGIONS: [&str; 4] = ["eu-west", "us-east", "ap-south", "sa-east"];
const STEPS: [&str; 4] = ["fetch", "transform", "load", "verify"];

/// What runs on the made data: the queues, no pipelines, nothing deleted by age or number.
pub fn settings() -> Settings {
    let queues = QUEUES.map(|name| QueueDef { name: name.to_owned(), concurrency: 4 });
    let retention =
        Retention { completed: None, failed: None, jobs: u64::MAX, log_bytes: u64::MAX };
    Settings { queues: queues.to_vec(), retention, min_free_disk: 0, ..Settings::default() }
}

/// The worker of a queue on one of two hosts.
pub fn worker(queue: &str, host: u64) -> String {
    format!("local:{queue}@host-{host}")
}

/// Makes jobs, oldest first.
pub struct Maker {
    rng: Rng,
    connection: ConnectionId,
    first: i64,
    count: u64,
    made: u64,
}

impl Maker {
    /// `count` jobs of a connection up to a moment; the same ones for the same `count` and moment.
    pub fn new(connection: ConnectionId, count: u64, until: Timestamp) -> Self {
        Self { rng: Rng::new(7), connection, first: until.0 - SPAN, count, made: 0 }
    }

    /// What the next job changes in a store, and the job as it is in the end. None: all are made.
    pub fn job(&mut self, changes: &mut Vec<Change>) -> Option<Job> {
        if self.made == self.count {
            return None;
        }
        let n = self.made;
        self.made += 1;
        let job = self.drawn(n);
        let is_detailed = self.rng.below(20) == 0;
        let queued = Job {
            state: JobState::Queued,
            worker: None,
            attempt: 0,
            started_at: None,
            finished_at: None,
            duration_ms: None,
            error: None,
            exit_code: None,
            steps_done: 0,
            ..job.clone()
        };
        let plan = Box::new(Plan {
            params: self.params(&job),
            definition: None,
            created_by: "owner".to_owned(),
        });
        let steps = if is_detailed { STEPS.map(step).to_vec() } else { Vec::new() };
        changes.push(Change::Queued { job: Box::new(queued), plan, steps });
        let id = job.id;
        if let (Some(at), true) = (job.started_at, is_detailed) {
            let boot_id = String::new();
            changes.push(Change::AttemptClaimed { job: id, number: 1, boot_id });
            changes.push(Change::AttemptStarted { job: id, number: 1, at });
            if let Some(end) = job.finished_at {
                ended(&job, end, changes);
            }
        }
        changes.push(Change::Moved(Box::new(job.clone())));
        Some(job)
    }

    fn drawn(&mut self, n: u64) -> Job {
        let rng = &mut self.rng;
        let step = SPAN as f64 / self.count as f64;
        let created = self.first + (n as f64 * step + rng.unit() * step) as i64;
        let (part, rare) = (n as f64 / self.count as f64, (self.count / 5).max(1));
        let pipeline = match part {
            _ if n % rare == rare / 2 => RARE,
            part if part < 1.0 / 3.0 && rng.below(20) == 0 => OLD,
            _ => *rng.pick(&PIPELINES),
        };
        // A pipeline keeps to its queue, so that most pairs of the two have no job at all.
        let known = PIPELINES.iter().position(|name| *name == pipeline).unwrap_or(0);
        let queue = QUEUES[known % QUEUES.len()];
        let host = 1 + rng.below(2);
        let is_waiting = rng.below(1_000) < 10 && part > 0.5;
        let state = match rng.below(1_000) {
            _ if is_waiting && queue == HELD => JobState::Queued,
            _ if is_waiting => JobState::Scheduled,
            0..60 => JobState::Failed,
            60..90 => JobState::Cancelled,
            _ => JobState::Completed,
        };
        let (wait, ran) = (rng.skewed(300.0), rng.skewed(20_000.0 / (1 + known) as f64) + 3);
        let has_run = state.is_over() && (state != JobState::Cancelled || rng.below(3) > 0);
        let started = has_run.then_some(Timestamp(created + wait as i64));
        let end = created + wait as i64 + if has_run { ran as i64 } else { 0 };
        let error = (state == JobState::Failed).then(|| self.error());
        let in_a_year = Timestamp(self.first + SPAN + 365 * 86_400_000);
        Job {
            id: self.id(created),
            connection_id: self.connection,
            external_id: None,
            name: pipeline.to_owned(),
            pipeline: Some(pipeline.to_owned()),
            queue: queue.to_owned(),
            worker: has_run.then(|| match n == self.count / 3 {
                true => RARE_WORKER.to_owned(),
                false => worker(queue, host),
            }),
            state,
            attempt: u32::from(has_run),
            max_attempts: 1,
            priority: 0,
            run_at: (state == JobState::Scheduled).then_some(in_a_year),
            retry_of: None,
            progress: None,
            step: None,
            steps_done: if has_run { 4 } else { 0 },
            steps_total: 4,
            created_at: Timestamp(created),
            started_at: started,
            finished_at: state.is_over().then_some(Timestamp(end)),
            duration_ms: has_run.then_some(ran),
            exit_code: error.is_some().then_some(1),
            error,
            signal: None,
            revision: n + 1,
        }
    }

    /// As the runner makes them: UUIDv7.
    fn id(&mut self, created: i64) -> JobId {
        let (high, low) = (self.rng.number() & 0xfff, self.rng.number() >> 2);
        let time = (created as u128) << 80;
        JobId(Uuid::from_u128(time | 7 << 76 | u128::from(high) << 64 | 2 << 62 | u128::from(low)))
    }

    fn params(&mut self, job: &Job) -> BTreeMap<String, String> {
        let customer = format!("customer-{}", self.rng.below(5_000));
        let mut params = BTreeMap::from([("customer".to_owned(), customer)]);
        params.insert("region".to_owned(), (*self.rng.pick(&REGIONS)).to_owned());
        if job.queue == "imports" || job.queue == "reports" {
            params.insert("batch".to_owned(), format!("batch {}", self.rng.below(200_000)));
        }
        params
    }

    fn error(&mut self) -> String {
        let (rng, step) = (&mut self.rng, STEPS[self.made as usize % STEPS.len()]);
        match rng.below(6) {
            0 => format!(
                "{step}: connection to 10.0.{}.{}:5432 refused",
                rng.below(4),
                rng.below(250)
            ),
            1 => format!("{step}: no answer within {} s, the timeout was reached", rng.below(900)),
            2 => format!("{step}: No space left on device /var/data-{}", rng.below(30)),
            3 => format!("{step}: KeyError: 'order_{}'", rng.below(1_000_000)),
            4 => format!("{step}: exit code {}", 1 + rng.below(120)),
            _ => format!("{step}: host node-{} unreachable, certificate expired", rng.below(400)),
        }
    }
}

fn step(name: &str) -> NewStep {
    NewStep { name: name.to_owned(), phase: Phase::Execution }
}

/// What is kept of an attempt beside the job's row.
fn ended(job: &Job, at: Timestamp, changes: &mut Vec<Change>) {
    let id = job.id;
    for ordinal in 0..STEPS.len() as u32 {
        let mark = Default::default();
        changes.push(Change::StepStarted { job: id, attempt: 1, ordinal, at, mark });
        changes.push(Change::StepEnded {
            job: id,
            attempt: 1,
            ordinal,
            state: StepState::Completed,
            at,
            duration_ms: Some(1),
            exit: Default::default(),
            error: None,
            mark: None,
        });
    }
    changes.push(Change::AttemptEnded {
        job: id,
        number: 1,
        state: job.state,
        at,
        duration_ms: job.duration_ms,
        error: job.error.clone(),
    });
    let entry = StoryEntry {
        n: 1,
        at,
        kind: StoryKind::Ended,
        attempt: 1,
        step_id: None,
        step: None,
        state: Some(job.state.as_str().to_owned()),
        duration_ms: job.duration_ms,
        exit_code: job.exit_code,
        signal: None,
        detail: job.error.clone(),
        log_offset: Some(4_096),
        log_line: Some(64),
    };
    changes.push(Change::Told { job: id, entry: Box::new(entry) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_jobs_are_made_each_time_and_the_rare_ones_are_among_them() {
        let make = || {
            let connection = ConnectionId(Uuid::nil());
            let mut maker = Maker::new(connection, 10_000, Timestamp(1_800_000_000_000));
            std::iter::from_fn(|| maker.job(&mut Vec::new())).collect::<Vec<_>>()
        };
        let jobs = make();
        assert_eq!(jobs, make());
        let count = |is: fn(&Job) -> bool| jobs.iter().filter(|job| is(job)).count();
        assert_eq!(count(|job| job.name == RARE), 5);
        assert!(count(|job| job.worker.as_deref() == Some(RARE_WORKER)) <= 1);
        assert!((100..400).contains(&count(|job| job.name == OLD)));
        assert!((8_500..9_500).contains(&count(|job| job.state == JobState::Completed)));
        assert!(jobs.is_sorted_by_key(|job| job.created_at));
    }
}
