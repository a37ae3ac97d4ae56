//! The board: who is in which state now, and the only place where a state changes.
//!
//! One thread takes what gathered in a bounded line, applies it, numbers the events, commits rows and
//! events in one transaction, publishes in order, acknowledges.

use crate::{
    Observation,
    hub::Hub,
    store::{Store, Writer},
};
use shared::{Connection, Job, JobState, Queue, Worker};
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// Handle of the board; cheap to clone.
#[derive(Clone)]
pub struct Board {}

impl Board {
    /// Reads the jobs that are not over and starts the thread.
    pub fn start(_store: &Store, _writer: Writer, _hub: Hub) -> Result<Self, StartError> {
        unimplemented!()
    }

    /// Puts an observation into the line if there is room (4,096 observations, 16 MiB).
    pub fn try_send(&self, _observation: Observation) -> Result<Ack, SendError> {
        unimplemented!()
    }

    /// Puts an observation into the line, waits for room if need be.
    pub async fn send(&self, _observation: Observation) -> Result<Ack, Closed> {
        unimplemented!()
    }

    /// Workers as published, by connection and id.
    pub fn workers(&self) -> Vec<Worker> {
        unimplemented!()
    }

    /// Queues as published, by connection and name.
    pub fn queues(&self) -> Vec<Queue> {
        unimplemented!()
    }

    /// Connections as published, by id; `stale` while the store cannot write.
    pub fn connections(&self) -> Vec<Connection> {
        unimplemented!()
    }

    /// Puts the live progress of active jobs, which is not stored, onto rows read from the store.
    pub fn overlay(&self, _jobs: &mut [Job]) {
        unimplemented!()
    }

    /// Err says why the store has not taken a commit for more than two seconds.
    pub fn writable(&self) -> Result<(), String> {
        unimplemented!()
    }

    /// Takes nothing more, commits what is in line and ends the thread. Blocks: call it where that is allowed.
    pub fn stop(&self) {
        unimplemented!()
    }
}

/// The board could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    #[error("the board's thread could not be started: {0}")]
    Thread(std::io::Error),
}

/// The board takes nothing any more: the server is ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the board takes nothing any more")]
pub struct Closed;

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
    /// The job it was about as it stands now, if it is still going or ended by this.
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
    /// Not committed: the board ended first.
    #[error("the board takes nothing any more")]
    Closed,
}
