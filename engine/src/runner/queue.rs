//! One queue: what waits, what runs, and the loop that claims.
//!
//! The loop is the queue's worker. Its heartbeat is sent from here and from nowhere else, so that a
//! loop that is stuck really shows as offline.

use super::{
    attempt::{self, Cancels},
    context::Context,
    rates::Rates,
};
use crate::{Observation, definition::QueueDef, store::Unfinished};
use shared::{CancelRequest, JobId, JobState, Queue, Timestamp, Worker, WorkerState};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{Id, JoinSet},
    time::MissedTickBehavior,
};

/// Worker heartbeat; after three missed ones it counts as offline.
const BEAT: Duration = Duration::from_secs(2);
/// Snapshots of a queue are at least this far apart: the stream lets four a second through.
const SNAPSHOT_PAUSE: Duration = Duration::from_millis(100);

/// What the loop is told.
pub enum Command {
    /// The job is committed as queued.
    Enqueue { job: JobId, since: Timestamp },
    /// The job was active when the server before this one ended.
    Adopt { found: Box<Unfinished>, known: oneshot::Sender<()> },
    /// A request to cancel the job is committed.
    Cancel { job: JobId, request: CancelRequest },
    /// Claims nothing more. `told` fires when nothing runs any more; at once if nothing is cancelled.
    Stop { cancel: Option<CancelRequest>, told: oneshot::Sender<()> },
}

/// The loop of one queue.
pub struct QueueLoop {
    context: Arc<Context>,
    definition: QueueDef,
    commands: mpsc::UnboundedReceiver<Command>,
    waiting: VecDeque<(JobId, Timestamp)>,
    running: HashMap<JobId, watch::Sender<Cancels>>,
    attempts: JoinSet<Option<JobState>>,
    jobs: HashMap<Id, JobId>,
    processed: u64,
    failed: u64,
    rates: Rates,
    stopping: Option<oneshot::Sender<()>>,
}

impl QueueLoop {
    pub fn new(
        context: Arc<Context>,
        definition: QueueDef,
        commands: mpsc::UnboundedReceiver<Command>,
    ) -> Self {
        Self {
            context,
            definition,
            commands,
            waiting: VecDeque::new(),
            running: HashMap::new(),
            attempts: JoinSet::new(),
            jobs: HashMap::new(),
            processed: 0,
            failed: 0,
            rates: Rates::new(Instant::now()),
            stopping: None,
        }
    }

    /// Runs until it is stopped.
    pub async fn run(mut self) {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut snapshot = tokio::time::interval(SNAPSHOT_PAUSE);
        snapshot.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changed = true;
        loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => break,
                },
                Some(ended) = self.attempts.join_next_with_id() => self.ended(ended),
                _ = beat.tick() => {
                    self.beat(WorkerState::Online);
                    // Ages and rates move though nothing happens.
                    changed = true;
                    continue;
                }
                _ = snapshot.tick(), if changed => {
                    self.snapshot();
                    changed = false;
                    continue;
                }
            }
            changed = true;
            self.claim();
            if self.stopping.is_some() && self.running.is_empty() {
                break;
            }
        }
        self.beat(WorkerState::Offline);
        if let Some(told) = self.stopping.take() {
            // Who asked may have stopped waiting.
            let _ = told.send(());
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Enqueue { job, since } => self.waiting.push_back((job, since)),
            Command::Adopt { found, known } => {
                let (context, job) = (self.context.clone(), found.job.id);
                let request = found.cancel.clone();
                let cancels = self.running(job);
                let follow = attempt::adopt(context, *found, cancels.subscribe(), known);
                let id = self.attempts.spawn(follow).id();
                self.jobs.insert(id, job);
                if let Some(request) = request {
                    ask(&cancels, request);
                }
                self.running.insert(job, cancels);
            }
            Command::Cancel { job, request } => match self.running.get(&job) {
                Some(cancels) => ask(cancels, request),
                // The board has cancelled it by the request alone.
                None => self.waiting.retain(|(waiting, _)| *waiting != job),
            },
            Command::Stop { cancel, told } => {
                self.stopping = Some(told);
                match cancel {
                    Some(request) => {
                        self.running.values().for_each(|cancels| ask(cancels, request.clone()));
                    }
                    // Executors go on without this server.
                    None => {
                        self.attempts.abort_all();
                        self.running.clear();
                    }
                }
            }
        }
    }

    fn running(&self, job: JobId) -> watch::Sender<Cancels> {
        self.running.get(&job).cloned().unwrap_or_default()
    }

    /// Fills the free slots, longest waiting first.
    fn claim(&mut self) {
        while self.stopping.is_none() && self.running.len() < self.slots() {
            let Some((job, _)) = self.waiting.pop_front() else { return };
            let cancels = watch::Sender::default();
            let worker = self.worker_id();
            let run = attempt::claim(self.context.clone(), job, worker, cancels.subscribe());
            let id = self.attempts.spawn(run).id();
            self.jobs.insert(id, job);
            self.running.insert(job, cancels);
        }
    }

    fn ended(&mut self, ended: Result<(Id, Option<JobState>), tokio::task::JoinError>) {
        let (id, state) = match ended {
            Ok((id, state)) => (id, state),
            Err(error) => {
                if error.is_panic() {
                    tracing::error!(%error, "following a run failed; the next start adopts it");
                }
                (error.id(), None)
            }
        };
        if let Some(job) = self.jobs.remove(&id) {
            self.running.remove(&job);
        }
        if let Some(state) = state {
            let failed = state == JobState::Failed;
            self.processed += 1;
            self.failed += u64::from(failed);
            self.rates.ended(Instant::now(), failed);
        }
    }

    fn slots(&self) -> usize {
        self.definition.concurrency as usize
    }

    fn worker_id(&self) -> String {
        format!("local:{}@{}", self.definition.name, self.context.hostname)
    }

    fn active(&self) -> u32 {
        u32::try_from(self.running.len()).unwrap_or(u32::MAX)
    }

    fn beat(&self, state: WorkerState) {
        self.say(Observation::Worker(Box::new(Worker {
            id: self.worker_id(),
            connection_id: self.context.connection,
            hostname: self.context.hostname.clone(),
            state,
            queues: vec![self.definition.name.clone()],
            active_jobs: self.active(),
            concurrency: self.definition.concurrency,
            processed: self.processed,
            failed: self.failed,
            seen_at: Timestamp::now(),
            revision: 0,
        })));
    }

    fn snapshot(&self) {
        let (ended, failed) = self.rates.per_minute(Instant::now());
        let now = Timestamp::now();
        self.say(Observation::Queue(Box::new(Queue {
            connection_id: self.context.connection,
            name: self.definition.name.clone(),
            depth: self.waiting.len() as u64,
            consumers: 1,
            active: u64::from(self.active()),
            concurrency: Some(self.definition.concurrency),
            paused: false,
            oldest_waiting_ms: self.waiting.front().map(|(_, since)| now.since(*since)),
            rate_per_min: f64::from(ended),
            failed_per_min: f64::from(failed),
            revision: 0,
        })));
    }

    /// What the next beat says again: dropped while the line is full.
    fn say(&self, observation: Observation) {
        let _ = self.context.board.try_send(observation);
    }
}

fn ask(cancels: &watch::Sender<Cancels>, request: CancelRequest) {
    cancels.send_modify(|cancels| {
        cancels.newest = Some(request);
        cancels.count += 1;
    });
}
