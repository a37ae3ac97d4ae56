//! One queue: what waits, what runs, and the loop that claims.
//!
//! The loop is the queue's worker. Its heartbeat is sent from here and from nowhere else, so that a
//! loop that is stuck really shows as offline.

use super::{
    attempt::{self, Cancels, Last},
    bounds::{Bound, Turn},
    context::Context,
    rates::Rates,
    waiting::Waiting,
};
use crate::{Observation, definition::QueueDef, store::Unfinished};
use shared::{CancelRequest, Job, JobId, JobState, Timestamp, WorkerState};
use std::{
    collections::HashMap,
    future::pending,
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
/// The wall clock may be set while a job waits for its time: it is looked at this often.
const CLOCK: Duration = Duration::from_secs(30);

/// What the loop is told.
pub enum Command {
    /// The job is committed as queued, scheduled or retrying.
    Enqueue(Box<Job>),
    /// The job was active when the server before this one ended.
    Adopt { found: Box<Unfinished>, known: oneshot::Sender<bool> },
    /// A request to cancel the job is committed.
    Cancel { job: JobId, request: CancelRequest },
    /// Claims nothing (by whom, since when), or goes on.
    Pause(Option<(String, Timestamp)>),
    /// Has this many slots from now on; none: it is not in the configuration any more.
    Configure { concurrency: u32 },
    /// Why a job of it waits.
    Ask { job: JobId, answer: oneshot::Sender<Option<String>> },
    /// Claims nothing more. `told` fires when nothing runs any more; at once if nothing is cancelled.
    Stop { cancel: Option<CancelRequest>, told: oneshot::Sender<()> },
}

/// The loop of one queue.
pub struct QueueLoop {
    pub(super) context: Arc<Context>,
    pub(super) definition: QueueDef,
    commands: mpsc::UnboundedReceiver<Command>,
    pub(super) waiting: Waiting,
    pub(super) running: HashMap<JobId, Running>,
    attempts: JoinSet<Option<Last>>,
    jobs: HashMap<Id, JobId>,
    /// Jobs whose time has come and which are being queued.
    becoming: JoinSet<Option<(Box<Job>, Arc<Bound>)>>,
    pub(super) paused: Option<(String, Timestamp)>,
    /// Since when `processed` and `failed` count.
    pub(super) since: Timestamp,
    pub(super) processed: u64,
    pub(super) failed: u64,
    pub(super) rates: Rates,
    stopping: Option<oneshot::Sender<()>>,
}

/// A job that has a slot.
pub(super) struct Running {
    cancels: watch::Sender<Cancels>,
    _turn: Turn,
}

impl QueueLoop {
    pub fn new(
        context: Arc<Context>,
        definition: QueueDef,
        paused: Option<(String, Timestamp)>,
        commands: mpsc::UnboundedReceiver<Command>,
    ) -> Self {
        Self {
            context,
            definition,
            commands,
            waiting: Waiting::default(),
            running: HashMap::new(),
            attempts: JoinSet::new(),
            jobs: HashMap::new(),
            becoming: JoinSet::new(),
            paused,
            since: Timestamp::now(),
            processed: 0,
            failed: 0,
            rates: Rates::new(Instant::now()),
            stopping: None,
        }
    }

    /// Runs until it is stopped, or has nothing left to do and is not in the configuration any more.
    pub async fn run(mut self) {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut snapshot = tokio::time::interval(SNAPSHOT_PAUSE);
        snapshot.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut disk, mut freed) = (self.context.disk.watch(), self.context.bounds.watch());
        let mut changed = true;
        loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => break,
                },
                Some(ended) = self.attempts.join_next_with_id() => self.ended(ended),
                Some(queued) = self.becoming.join_next() => {
                    // None: it was cancelled meanwhile, or the server is ending.
                    if let Ok(Some((job, pipeline))) = queued {
                        self.waiting.push(&job, pipeline);
                    }
                }
                () = until(self.waiting.next_due()) => self.due(),
                Ok(()) = disk.changed() => {}
                Ok(()) = freed.changed(), if self.waiting.depth() > 0 => {}
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
            if self.definition.concurrency == 0 && self.is_idle() {
                self.commands.close();
                // What was sent before is obeyed; nothing can be sent after.
                match self.commands.try_recv() {
                    Ok(command) => self.obey(command),
                    Err(_) => return self.gone(),
                }
            }
        }
        self.beat(WorkerState::Offline);
        let Some(told) = self.stopping.take() else { return };
        // What was aborted lets go of the store too, so that the data directory is free once all is stopped.
        self.attempts.shutdown().await;
        self.becoming.shutdown().await;
        drop(self);
        // Who asked may have stopped waiting.
        let _ = told.send(());
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty() && self.becoming.is_empty()
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Enqueue(job) => {
                let pipeline = self.bound(&job);
                match (job.state, job.run_at) {
                    (JobState::Scheduled | JobState::Retrying, Some(at)) => {
                        self.waiting.push_later(job.id, at, pipeline);
                    }
                    _ => self.waiting.push(&job, pipeline),
                }
            }
            Command::Adopt { found, known } => {
                let (context, job) = (self.context.clone(), found.job.id);
                let request = found.cancel.clone();
                let cancels = watch::Sender::default();
                let turn = self.bound(&found.job).take_up();
                let follow = attempt::adopt(context, *found, cancels.subscribe(), known);
                let id = self.attempts.spawn(follow).id();
                self.jobs.insert(id, job);
                if let Some(request) = request {
                    ask(&cancels, request);
                }
                self.running.insert(job, Running { cancels, _turn: turn });
            }
            Command::Cancel { job, request } => match self.running.get(&job) {
                Some(running) => ask(&running.cancels, request),
                // The board has cancelled it by the request alone.
                None => drop(self.waiting.remove(job)),
            },
            Command::Pause(paused) => {
                self.paused = paused;
                self.snapshot();
            }
            Command::Configure { concurrency } => self.definition.concurrency = concurrency,
            Command::Ask { job, answer } => {
                // Who asked may have stopped waiting.
                let _ = answer.send(self.why(job));
            }
            Command::Stop { cancel, told } => {
                self.stopping = Some(told);
                match cancel {
                    Some(request) => {
                        let running = self.running.values();
                        running.for_each(|running| ask(&running.cancels, request.clone()));
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

    /// Queues what has waited for its time.
    fn due(&mut self) {
        for (job, pipeline) in self.waiting.pop_due(Timestamp::now()) {
            let context = self.context.clone();
            self.becoming.spawn(async move {
                let ready = Observation::Ready { job, at: Timestamp::now() };
                Some((Box::new(context.tell(ready).await.ok()?.job?), pipeline))
            });
        }
    }

    /// Fills the free slots: by priority, longest waiting first.
    fn claim(&mut self) {
        let held = self.stopping.is_some() || self.paused.is_some();
        if held || self.context.disk.low().is_some() {
            return;
        }
        while self.running.len() < self.slots() {
            let Some((job, turn)) = self.waiting.pop() else { return };
            let cancels = watch::Sender::default();
            let worker = self.worker_id();
            let run = attempt::claim(self.context.clone(), job, worker, cancels.subscribe());
            let id = self.attempts.spawn(run).id();
            self.jobs.insert(id, job);
            self.running.insert(job, Running { cancels, _turn: turn });
        }
    }

    fn ended(&mut self, ended: Result<(Id, Option<Last>), tokio::task::JoinError>) {
        let (id, last) = match ended {
            Ok((id, last)) => (id, last),
            Err(error) => {
                if error.is_panic() {
                    tracing::error!(%error, "following a run failed; the next start adopts it");
                }
                (error.id(), None)
            }
        };
        // Dropped at the end: until the job waits for another attempt, its bound is held by this alone.
        let _ran = self.jobs.remove(&id).and_then(|job| self.running.remove(&job));
        let Some(last) = last else { return };
        match last {
            // Its attempt failed; the job has not ended.
            Last::Retrying(job) => self.obey(Command::Enqueue(job)),
            Last::Over(state) => {
                let failed = state == JobState::Failed;
                self.processed += 1;
                self.failed += u64::from(failed);
                if state != JobState::Cancelled {
                    self.rates.ended(Instant::now(), failed);
                }
            }
        }
    }

    fn bound(&self, job: &Job) -> Arc<Bound> {
        self.context.bound(job.pipeline.as_deref().unwrap_or_default())
    }

    pub(super) fn slots(&self) -> usize {
        self.definition.concurrency as usize
    }
}

async fn until(due: Option<Timestamp>) {
    match due {
        None => pending().await,
        Some(at) => {
            let wait = u64::try_from(at.0 - Timestamp::now().0).unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(wait).min(CLOCK)).await;
        }
    }
}

fn ask(cancels: &watch::Sender<Cancels>, request: CancelRequest) {
    cancels.send_modify(|cancels| {
        cancels.newest = Some(request);
        cancels.count += 1;
    });
}
