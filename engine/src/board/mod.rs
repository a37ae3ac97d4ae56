//! The board: who is in which state now, and the only place where a state changes.
//!
//! One thread takes what gathered in a bounded line, applies it, numbers the events, commits rows and events in
//! one transaction, publishes in order, answers. What gathers meanwhile is the next commit: no timer.
//!
//! - `line`: the way in; `thread`: the loop; `batch`: one commit's worth, and the numbers
//! - `machine`: which state follows which; `state`, `jobs`, `ends`, `story`, `rows`: what becomes of an observation
//! - `switch`: connections of which nothing is told
//! - `made`: which job a repeated request, or due time, made before
//! - `stats`, `histogram`: how long jobs wait and run, what commits take
//! - `held`: jobs in memory; `pace`: the limit on latest-wins events; `published`: rows for readers
//!
//! **Revisions.** A row's revision is the number of the event that last changed it. A job has two kinds of
//! events: `job:state_change` has the whole row, and its number is stored with it; `job:progress` has what
//! changes between two of those (progress, step, steps done). Progress and its number are not stored:
//! [`Board::overlay`] puts both onto a row that was read, if the row is still of the state that the progress
//! belongs to. Of a step that began or ended the store keeps the effect with the old revision; so a row
//! may be ahead of its revision, never behind, and the `job:progress` that follows with a higher number says
//! the same again. After a start the progress of every active job is published anew.

mod batch;
mod ends;
mod held;
mod histogram;
mod jobs;
mod line;
mod machine;
mod made;
mod pace;
mod published;
mod rows;
mod state;
mod stats;
mod story;
mod switch;
mod thread;

use crate::{
    Observation,
    hub::Hub,
    store::{Store, StoreError, Writer},
};
pub use histogram::Histogram;
use line::Line;
use published::Published;
use shared::{Connection, Job, JobId, JobState, Queue, Timestamp, Worker};
use state::State;
pub use stats::Measured;
use stats::Stats;
use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    thread::{Builder, JoinHandle},
};
use thread::BoardThread;

/// Handle of the board; cheap to clone.
#[derive(Clone, Debug)]
pub struct Board {
    line: Line,
    published: Arc<Published>,
    stats: Arc<Stats>,
    ending: Arc<AtomicBool>,
    /// None when it was waited for.
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Board {
    /// Reads the jobs that are not over and starts the thread.
    pub fn start(store: &Store, writer: Writer, hub: Hub) -> Result<Self, StartError> {
        let (line, received) = Line::new();
        let published = Arc::new(Published::default());
        let ending = Arc::new(AtomicBool::new(false));
        let stats = Arc::new(Stats::default());
        stats.recall(store.last_hour(Timestamp::now())?);
        let thread = BoardThread {
            line: received,
            state: State::new(store.epoch(), store.reserved(), stats.clone(), &writer)?,
            writer,
            hub,
            published: published.clone(),
            reserved: store.reserved(),
            ending: ending.clone(),
            recovered: false,
        };
        let run = Builder::new().name("board".into()).spawn(|| thread.run());
        let thread = Arc::new(Mutex::new(Some(run.map_err(StartError::Thread)?)));
        Ok(Self { line, published, stats, ending, thread })
    }

    /// Puts an observation into the line if there is room (4,096 observations, 16 MiB).
    pub fn try_send(&self, observation: Observation) -> Result<Ack, SendError> {
        self.line.try_send(observation)
    }

    /// Puts an observation into the line; waits for room if need be.
    pub async fn send(&self, observation: Observation) -> Result<Ack, Closed> {
        self.line.send(observation).await
    }

    /// Workers as published, by connection and id.
    pub fn workers(&self) -> Vec<Worker> {
        self.published.workers()
    }

    /// Queues as published, by connection and name.
    pub fn queues(&self) -> Vec<Queue> {
        self.published.queues()
    }

    /// The same, each with its last hour, of which no event tells.
    pub fn queues_with_stats(&self) -> Vec<Queue> {
        let (mut queues, now) = (self.published.queues(), Timestamp::now());
        for queue in &mut queues {
            let key = (queue.connection_id, queue.name.as_str().into());
            queue.stats = self.stats.last_hour(&key, now);
        }
        queues
    }

    /// How long jobs waited and ran since the start, by queue; at most 256 queues.
    pub fn measured(&self) -> Vec<Measured> {
        self.stats.measured()
    }

    /// What commits took since the start, in microseconds.
    pub fn commits(&self) -> Histogram {
        self.stats.commits()
    }

    /// Connections as published, by id; `stale` while the store cannot write.
    pub fn connections(&self) -> Vec<Connection> {
        self.published.connections()
    }

    /// Puts the live progress of active jobs, which is not stored, onto rows read from the store.
    pub fn overlay(&self, jobs: &mut [Job]) {
        self.published.overlay(jobs);
    }

    /// Err says why the store has taken no commit for more than two seconds.
    pub fn writable(&self) -> Result<(), String> {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.as_ref().is_none_or(JoinHandle::is_finished) {
            return Err(Closed.to_string());
        }
        match self.published.failing() {
            None => Ok(()),
            Some(failing) => {
                Err(format!("the store cannot write since {}: {}", failing.since, failing.error))
            }
        }
    }

    /// Takes nothing more, commits what is in line and ends the thread. Blocks until that is done, for a few
    /// seconds if the store does not answer.
    pub fn stop(&self) {
        self.ending.store(true, Ordering::Relaxed);
        self.line.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic there was reported where it happened.
            let _ = thread.join();
        }
    }
}

/// The board could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the board's thread could not be started: {0}")]
    Thread(std::io::Error),
}

/// The board takes nothing any more: the server is ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the board takes nothing any more")]
pub struct Closed;

impl From<Closed> for SendError {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

/// Why an observation did not get into the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("the line to the store is full")]
    Full,
    #[error("the board takes nothing any more")]
    Closed,
}

/// Resolves when the observation is committed and published. May be dropped.
pub struct Ack(tokio::sync::oneshot::Receiver<Result<Applied, Refused>>);

impl Future for Ack {
    type Output = Result<Applied, Refused>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|answer| answer.unwrap_or(Err(Refused::Closed)))
    }
}

/// What became of an observation.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The job as it is now, if this put it into another state or asked, for the first time or again, for
    /// its cancel.
    pub job: Option<Job>,
    /// False: a duplicate or late, nothing changed.
    pub changed: bool,
}

/// Why an observation cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("there is no such job")]
    UnknownJob,
    /// It claims, or asks to cancel, a job that is over.
    #[error("the job is {0} already")]
    Over(JobState),
    /// It claims an active job for another attempt.
    #[error("the job is in another attempt")]
    OtherAttempt,
    /// It deletes a job that is not over.
    #[error("the job is still {0}")]
    NotOver(JobState),
    /// Its key was used for another request.
    #[error("the key was used for another request")]
    KeyReused,
    /// What its key made is deleted.
    #[error("the job that the key made is deleted")]
    Deleted(JobId),
    /// Not committed: the board ended first.
    #[error("the board takes nothing any more")]
    Closed,
}
