//! A board on a directory of its own, and a client that keeps rows as a page does.

use engine::{
    Caller, Observation,
    board::{Applied, Board, Refused},
    hub::{Hub, Interest, Subscription},
    observation::{LogMark, NewJob, NewStep, RunChange, RunProgress},
    store::{JobsQuery, Store},
};
use shared::{
    Connection, ConnectionId, ConnectionKind, EventId, Freshness, Job, JobId, Phase, Queue,
    Timestamp, Worker, WorkerState,
    event::{JobDeleted, JobProgress, Reset, name},
};
use std::{
    collections::BTreeMap,
    path::Path,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use uuid::Uuid;

pub const CONNECTION: ConnectionId = ConnectionId(Uuid::from_u128(1));

pub struct Stand {
    pub store: Store,
    pub hub: Hub,
    pub board: Board,
    pub caller: Caller,
}

impl Stand {
    pub fn open(dir: &Path) -> Self {
        let (store, writer) = Store::open(dir).unwrap();
        let hub = Hub::start(&store).unwrap();
        let board = Board::start(&store, writer, hub.clone()).unwrap();
        Self { store, hub, board, caller: Caller::board() }
    }

    /// Ends it as a server that stops does.
    pub fn close(self) {
        self.board.stop();
    }

    pub async fn send(&self, observation: Observation) -> Result<Applied, Refused> {
        self.board.send(observation).await.unwrap().await
    }

    pub async fn queue(&self, n: u128) -> JobId {
        let new = new_job(n);
        let id = new.id;
        assert!(self.send(Observation::Queued(Box::new(new))).await.unwrap().changed);
        id
    }

    pub async fn claim(&self, job: JobId) -> Result<Applied, Refused> {
        self.send(claim(job, 1)).await
    }

    pub async fn run(&self, job: JobId, position: u64, changes: Vec<RunChange>) -> bool {
        self.send(run(job, 1, Some(position), changes)).await.unwrap().changed
    }

    pub fn subscribe(&self, since: Option<EventId>) -> Subscription {
        let interest =
            Interest { connections: vec![CONNECTION], jobs: true, workers: true, queues: true };
        self.hub.subscribe(&self.caller, interest, since)
    }

    /// A row as a list shows it.
    pub fn job(&self, id: JobId) -> Job {
        let mut job = self.store.job(&self.caller, id).unwrap().unwrap();
        self.board.overlay(std::slice::from_mut(&mut job));
        job
    }

    /// All rows, and the head that was read before them.
    pub fn snapshot(&self) -> (EventId, Rows) {
        let as_of = self.hub.head();
        let query = JobsQuery { limit: 200, ..JobsQuery::default() };
        let mut jobs = self.store.jobs(&self.caller, &query).unwrap().items;
        self.board.overlay(&mut jobs);
        let rows = Rows {
            jobs: jobs.into_iter().map(|row| (row.id, row)).collect(),
            workers: self.board.workers().into_iter().map(|row| (row.id.clone(), row)).collect(),
            queues: self.board.queues().into_iter().map(|row| (row.name.clone(), row)).collect(),
            connections: self.board.connections().into_iter().map(|row| (row.id, row)).collect(),
        };
        (as_of, rows)
    }
}

/// One event as a client gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub id: Option<EventId>,
    pub event: String,
    pub data: String,
}

impl Frame {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

/// Splits what came over the wire; strict about its form.
pub fn frames(bytes: &[u8]) -> Vec<Frame> {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.ends_with("\n\n"));
    let frame = |block: &str| {
        let (id, rest) = match block.strip_prefix("id: ") {
            Some(rest) => {
                let (id, rest) = rest.split_once('\n').unwrap();
                (Some(id.parse().unwrap()), rest)
            }
            None => (None, block),
        };
        let (event, data) = rest.strip_prefix("event: ").unwrap().split_once('\n').unwrap();
        let data = data.strip_prefix("data: ").unwrap();
        assert!(!data.contains(['\n', '\r']));
        Frame { id, event: event.to_owned(), data: data.to_owned() }
    };
    text.split_terminator("\n\n").map(frame).collect()
}

/// What is there now.
pub fn drain(subscription: &mut Subscription) -> Vec<Frame> {
    let mut cx = Context::from_waker(Waker::noop());
    let mut all = Vec::new();
    while let Poll::Ready(bytes) = subscription.poll_frames(&mut cx) {
        all.extend(frames(&bytes));
    }
    all
}

/// Waits for frames until one is as asked for; gives all that came.
pub async fn until(subscription: &mut Subscription, found: impl Fn(&Frame) -> bool) -> Vec<Frame> {
    let mut all: Vec<Frame> = Vec::new();
    let wait = async {
        while !all.iter().any(&found) {
            let bytes = std::future::poll_fn(|cx| subscription.poll_frames(cx)).await;
            all.extend(frames(&bytes));
        }
    };
    if tokio::time::timeout(Duration::from_secs(20), wait).await.is_err() {
        panic!("it never came; there were {all:#?}");
    }
    all
}

/// Waits for a condition that no event tells of.
pub async fn eventually(mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came true");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Rows as a page keeps them: an event with a lower or equal revision changes nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    pub jobs: BTreeMap<JobId, Job>,
    pub workers: BTreeMap<String, Worker>,
    pub queues: BTreeMap<String, Queue>,
    pub connections: BTreeMap<ConnectionId, Connection>,
}

impl Rows {
    pub fn apply(&mut self, frame: &Frame) {
        fn parse<T: serde::de::DeserializeOwned>(frame: &Frame) -> T {
            serde_json::from_str(&frame.data).unwrap()
        }
        fn put<K: Ord, V>(rows: &mut BTreeMap<K, V>, key: K, row: V, revision: fn(&V) -> u64) {
            if rows.get(&key).is_none_or(|known| revision(known) < revision(&row)) {
                rows.insert(key, row);
            }
        }
        match frame.event.as_str() {
            name::JOB_STATE => {
                let job: Job = parse(frame);
                put(&mut self.jobs, job.id, job, |job| job.revision);
            }
            name::JOB_PROGRESS => {
                let news: JobProgress = parse(frame);
                let job = self.jobs.get_mut(&news.id).expect("progress follows its job");
                if job.revision < news.revision {
                    job.progress = news.progress;
                    job.step = news.step;
                    job.steps_done = news.steps_done;
                    job.revision = news.revision;
                }
            }
            name::JOB_DELETED => drop(self.jobs.remove(&parse::<JobDeleted>(frame).id)),
            name::WORKER_HEARTBEAT | name::WORKER_STATE => {
                let row: Worker = parse(frame);
                put(&mut self.workers, row.id.clone(), row, |row| row.revision);
            }
            name::QUEUE_SNAPSHOT => {
                let row: Queue = parse(frame);
                put(&mut self.queues, row.name.clone(), row, |row| row.revision);
            }
            name::CONNECTION_STATE => {
                let row: Connection = parse(frame);
                put(&mut self.connections, row.id, row, |row| row.revision);
            }
            name::RESET => panic!("there was no reason for {:?}", parse::<Reset>(frame)),
            other => panic!("what is {other}?"),
        }
    }
}

pub fn job_id(n: u128) -> JobId {
    JobId(Uuid::from_u128(n + 1_000))
}

pub fn at(ms: i64) -> Timestamp {
    Timestamp(1_800_000_000_000 + ms)
}

pub fn new_job(n: u128) -> NewJob {
    let step = |name: &str, phase| NewStep { name: name.to_owned(), phase };
    NewJob {
        id: job_id(n),
        connection: CONNECTION,
        external_id: None,
        name: "hello".to_owned(),
        pipeline: Some("hello".to_owned()),
        queue: "default".to_owned(),
        params: BTreeMap::from([("who".to_owned(), "world".to_owned())]),
        steps: vec![step("greet", Phase::Execution), step("tidy", Phase::Cleanup)],
        definition: Some("{}".to_owned()),
        max_attempts: 1,
        priority: 0,
        run_at: None,
        retry_of: None,
        due: None,
        key: None,
        created_by: "owner".to_owned(),
        created_at: at(n as i64),
    }
}

pub fn claim(job: JobId, attempt: u32) -> Observation {
    let (worker, boot_id) = ("local:default@here".to_owned(), "boot".to_owned());
    Observation::Claimed { job, attempt, worker, boot_id, at: at(100) }
}

pub fn run(
    job: JobId,
    attempt: u32,
    journal_position: Option<u64>,
    changes: Vec<RunChange>,
) -> Observation {
    Observation::Run(Box::new(RunProgress { job, attempt, journal_position, changes }))
}

pub fn mark(lines: u64) -> LogMark {
    LogMark { offset: lines * 10, lines }
}

pub fn worker(active_jobs: u32) -> Observation {
    Observation::Worker(Box::new(Worker {
        id: "local:default@here".to_owned(),
        connection_id: CONNECTION,
        hostname: "here".to_owned(),
        state: WorkerState::Online,
        queues: vec!["default".to_owned()],
        active_jobs,
        concurrency: 4,
        processed: 0,
        failed: 0,
        since: None,
        seen_at: at(0),
        revision: 0,
    }))
}

pub fn queue(depth: u64) -> Observation {
    Observation::Queue(Box::new(Queue {
        connection_id: CONNECTION,
        name: "default".to_owned(),
        depth,
        consumers: 1,
        active: 0,
        concurrency: Some(4),
        paused: false,
        oldest_waiting_ms: None,
        rate_per_min: 0.0,
        failed_per_min: 0.0,
        stats: None,
        revision: 0,
    }))
}

pub fn connection(freshness: Freshness) -> Observation {
    Observation::Connection(Box::new(Connection {
        id: CONNECTION,
        name: "local".to_owned(),
        kind: ConnectionKind::Local,
        freshness,
        since: at(0),
        reason: None,
        revision: 0,
    }))
}
