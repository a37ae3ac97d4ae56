//! What a caller can do with queues: pause, go on.

use super::Engine;
use crate::{
    Caller, Observation,
    board::{Refused, SendError},
};
use shared::{ConnectionId, Queue, Timestamp};

/// Why a queue was not paused, or does not go on.
#[derive(Debug, thiserror::Error)]
pub enum PauseError {
    #[error("there is no such queue")]
    NotFound,
    #[error("the board has more to do than it can take on; nothing was done")]
    Busy,
    /// Not committed after five seconds; it still may be.
    #[error("it is not stored yet; the queue may still be paused or go on")]
    Slow,
    #[error("the server is ending")]
    Closed,
}

impl Engine {
    /// Nothing more of the queue is claimed; what runs goes on. Resolves when that is committed. A
    /// queue that is paused already stays so, by whom it was.
    ///
    /// # Errors
    /// As [`PauseError`] says.
    pub async fn pause_queue(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        queue: &str,
    ) -> Result<Queue, PauseError> {
        let found = self.queue(connection, queue)?;
        if found.paused {
            return Ok(found);
        }
        let paused = Some((caller.name.to_string(), Timestamp::now()));
        self.set_paused(caller, found, paused).await
    }

    /// The queue is claimed from again; resolves when that is committed.
    ///
    /// # Errors
    /// As [`PauseError`] says.
    pub async fn resume_queue(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        queue: &str,
    ) -> Result<Queue, PauseError> {
        let found = self.queue(connection, queue)?;
        self.set_paused(caller, found, None).await
    }

    async fn set_paused(
        &self,
        caller: &Caller,
        queue: Queue,
        paused: Option<(String, Timestamp)>,
    ) -> Result<Queue, PauseError> {
        let (connection, name) = (queue.connection_id, queue.name.clone());
        let told =
            Observation::QueuePaused { connection, queue: name.clone(), paused: paused.clone() };
        let ack = self.inner.board.try_send(told).map_err(|error| match error {
            SendError::Full => PauseError::Busy,
            SendError::Closed => PauseError::Closed,
        })?;
        let is_paused = paused.is_some();
        let done = self.when_committed(ack, move |engine, _| async move {
            engine.inner.runner.pause(&name, paused);
        });
        match done.await {
            Some(Ok(_)) => {
                tracing::info!(queue = %queue.name, by = %caller.name, paused = is_paused, "queue paused or resumed");
                Ok(Queue { paused: is_paused, ..queue })
            }
            Some(Err(Refused::Closed)) => Err(PauseError::Closed),
            Some(Err(_)) => Err(PauseError::NotFound),
            None => Err(PauseError::Slow),
        }
    }

    fn queue(&self, connection: ConnectionId, name: &str) -> Result<Queue, PauseError> {
        let queues = self.inner.board.queues().into_iter();
        queues
            .filter(|queue| queue.connection_id == connection)
            .find(|queue| queue.name == name)
            .ok_or(PauseError::NotFound)
    }
}
