//! Switching the events of a connection off and on again.

use super::Engine;
use crate::{
    Caller, Observation,
    board::{Refused, SendError},
};
use shared::{Connection, ConnectionId, Timestamp};

/// Why the events of a connection were not switched.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    #[error("there is no such connection")]
    NotFound,
    #[error("the board has more to do than it can take on; nothing was done")]
    Busy,
    /// Not committed after five seconds; it still may be.
    #[error("it is not stored yet; the events may still be switched")]
    Slow,
    #[error("the server is ending")]
    Closed,
}

impl Engine {
    /// With its events off nothing of a connection is told to any stream, but how fresh it is; what happens is
    /// stored as ever. On again, streams go on from there and are told of the gap. Resolves when that is
    /// committed; it stays so over restarts. Gives the row as it is then.
    ///
    /// # Errors
    /// As [`SwitchError`] says.
    pub async fn switch_events(
        &self,
        caller: &Caller,
        connection: ConnectionId,
        on: bool,
    ) -> Result<Connection, SwitchError> {
        self.connection(connection)?;
        let (by, at) = (caller.name.to_string(), Timestamp::now());
        let told = Observation::EventsSwitched { connection, on, by, at };
        let ack = self.inner.board.try_send(told).map_err(|error| match error {
            SendError::Full => SwitchError::Busy,
            SendError::Closed => SwitchError::Closed,
        })?;
        match self.when_committed(ack, |_, _| std::future::ready(())).await {
            Some(Ok(applied)) => {
                if applied.changed {
                    tracing::info!(%connection, by = %caller.name, on, "events of a connection switched");
                }
                self.connection(connection)
            }
            Some(Err(Refused::Closed)) => Err(SwitchError::Closed),
            Some(Err(_)) => Err(SwitchError::NotFound),
            None => Err(SwitchError::Slow),
        }
    }

    fn connection(&self, id: ConnectionId) -> Result<Connection, SwitchError> {
        let mut rows = self.inner.board.connections().into_iter();
        rows.find(|row| row.id == id).ok_or(SwitchError::NotFound)
    }
}
