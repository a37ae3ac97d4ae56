//! The bounded line in front of the board's thread.

use super::{Ack, Closed, SendError, state::Outcome};
use crate::{Observation, observation::RunChange};
use std::{
    sync::{Arc, mpsc},
    time::Instant,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, oneshot};

/// Observations that may be in line or waiting for their commit.
const ROOM: usize = 4_096;
/// Bytes they may have, counted in pieces.
const PIECES: usize = (16 << 20) / PIECE;
const PIECE: usize = 256;

/// The end that sources put observations into.
#[derive(Clone, Debug)]
pub(super) struct Line {
    items: mpsc::Sender<Message>,
    room: Arc<Semaphore>,
    pieces: Arc<Semaphore>,
}

#[derive(Debug)]
pub(super) enum Message {
    Item(Item),
    /// Nothing after this counts.
    Stop,
}

/// One observation in line.
#[derive(Debug)]
pub(super) struct Item {
    pub observation: Observation,
    pub received: Instant,
    pub reply: Reply,
}

/// Where the answer goes; with it the observation's room in the line is given back.
#[derive(Debug)]
pub(super) struct Reply {
    to: oneshot::Sender<Outcome>,
    _room: [OwnedSemaphorePermit; 2],
}

impl Reply {
    pub fn send(self, outcome: Outcome) {
        // Nobody waits for it: many sources do not.
        let _ = self.to.send(outcome);
    }
}

impl Line {
    pub fn new() -> (Self, mpsc::Receiver<Message>) {
        let (items, received) = mpsc::channel();
        let room = Arc::new(Semaphore::new(ROOM));
        (Self { items, room, pieces: Arc::new(Semaphore::new(PIECES)) }, received)
    }

    pub fn try_send(&self, observation: Observation) -> Result<Ack, SendError> {
        let full = |error| match error {
            TryAcquireError::NoPermits => SendError::Full,
            TryAcquireError::Closed => SendError::Closed,
        };
        let room = self.room.clone().try_acquire_owned().map_err(full)?;
        let pieces = self.pieces.clone().try_acquire_many_owned(pieces(&observation));
        Ok(self.put(observation, [room, pieces.map_err(full)?])?)
    }

    pub async fn send(&self, observation: Observation) -> Result<Ack, Closed> {
        let room = self.room.clone().acquire_owned().await.map_err(|_| Closed)?;
        let pieces = self.pieces.clone().acquire_many_owned(pieces(&observation)).await;
        self.put(observation, [room, pieces.map_err(|_| Closed)?])
    }

    fn put(
        &self,
        observation: Observation,
        room: [OwnedSemaphorePermit; 2],
    ) -> Result<Ack, Closed> {
        let (to, ack) = oneshot::channel();
        let reply = Reply { to, _room: room };
        let item = Item { observation, received: Instant::now(), reply };
        self.items.send(Message::Item(item)).map_err(|_| Closed)?;
        Ok(Ack(ack))
    }

    /// Lets nothing more in; what is in line stays there.
    pub fn close(&self) {
        self.room.close();
        self.pieces.close();
        // No receiver: the thread has ended already.
        let _ = self.items.send(Message::Stop);
    }
}

/// Pieces of room that an observation takes; one that is larger than the line takes all of it.
fn pieces(observation: &Observation) -> u32 {
    let bytes = match observation {
        Observation::Queued(new) => {
            let params: usize = new.params.iter().map(|(key, value)| key.len() + value.len()).sum();
            let definition = new.definition.as_ref().map_or(0, String::len);
            PIECE + params + definition + new.steps.len() * 64
        }
        Observation::Run(run) => {
            let texts = run.changes.iter().map(|change| match change {
                RunChange::StepEnded { error, .. } | RunChange::Ended { error, .. } => {
                    error.as_ref().map_or(0, String::len)
                }
                RunChange::Lost { reason, .. } => reason.len(),
                _ => 0,
            });
            run.changes.len() * size_of::<RunChange>() + texts.sum::<usize>()
        }
        Observation::PipelinePut { definition, .. } => PIECE + definition.len(),
        _ => PIECE,
    };
    bytes.div_ceil(PIECE).clamp(1, PIECES) as u32
}
