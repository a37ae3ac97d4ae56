//! Contract 5 over WebSocket, `GET /runner-jobs/{jobId}/events/ws`: the same events, one text frame
//! each.

use super::{
    runner_event::Position,
    runner_events::{RunnerEvents, Said},
    runner_job::{Refusal, events, job_id, position_of},
    streams::{Place, Told},
};
use crate::{auth::By, path::Path, query::Query, served::Served, web::Connected};
use axum::{
    Extension,
    body::Bytes,
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use std::{future::poll_fn, pin::pin, time::Duration};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Error;

/// A client has nothing to say but that it is there.
const MOST_RECEIVED: usize = 4 * 1024;
/// How long the last frame may take, and the client's answer to it.
const LAST_WORD: Duration = Duration::from_secs(1);

pub async fn open(
    State(Served { engine, streams, .. }): State<Served>,
    By(caller): By,
    Path(id): Path<String>,
    query: Query,
    connected: Option<Extension<Connected>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    let id = job_id(&id)?;
    let position = position_of("since", query.text("since"))?;
    let events = match position {
        Position::At { ordinal, offset } => {
            Some(events(&engine, &caller, id, (ordinal, offset)).await?)
        }
        // It has had everything, and 204 is nothing that a WebSocket can be told.
        Position::End => None,
    };
    let upgrade =
        upgrade.map_err(|rejected| Refusal::new(rejected.status(), rejected.body_text()))?;
    let place = streams.open(&caller, "runner_jobs")?;
    let until = Instant::now() + streams.longest;
    let upgrade = upgrade.max_message_size(MOST_RECEIVED).max_frame_size(MOST_RECEIVED);
    Ok(upgrade.on_upgrade(move |socket| async move {
        // Among the connections this stays one until it ends.
        let _connected = connected;
        let mut client = Client { socket, place, until };
        let end = match events {
            Some(events) => client.tell(events).await,
            None => End::Over,
        };
        client.close(end).await;
    }))
}

/// Why a socket ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// All was told, or it has been open for as long as it may be.
    Over,
    /// The server goes away.
    Closing,
    /// The caller may not see it any more.
    AccessEnded,
    /// The client said more than it has to say.
    TooLong,
    /// The client closed it, and waits for the answer to that.
    Closed,
    /// The client is not there any more.
    Gone,
}

impl End {
    /// The code that the client is told.
    fn code(self) -> Option<u16> {
        match self {
            Self::Over => Some(1000),
            Self::Closing => Some(1001),
            Self::AccessEnded => Some(4401),
            Self::TooLong => Some(1009),
            Self::Closed | Self::Gone => None,
        }
    }
}

struct Client {
    socket: WebSocket,
    place: Place,
    until: Instant,
}

impl Client {
    /// Tells events until there is a reason to end.
    async fn tell(&mut self, mut events: RunnerEvents) -> End {
        loop {
            let said = tokio::select! {
                // The end comes first: a stream that always has something to say must end too.
                biased;
                told = poll_fn(|cx| self.place.poll_told(cx)) => match end(told) {
                    Some(end) => return end,
                    None => match self.send(Message::Ping(Bytes::new())).await {
                        Ok(()) => continue,
                        Err(end) => return end,
                    }
                },
                () = sleep_until(self.until) => return End::Over,
                received = self.socket.recv() => match received {
                    Some(Ok(Message::Close(_))) => return End::Closed,
                    Some(Ok(_)) => continue,
                    Some(Err(error)) if is_too_long(&error) => return End::TooLong,
                    Some(Err(_)) | None => return End::Gone,
                },
                said = events.next() => said,
            };
            if said.is_empty() {
                return End::Over;
            }
            for said in said {
                let Said::Event(event) = said else { continue };
                // Structs with text keys always serialize.
                let Ok(text) = serde_json::to_string(&event) else { continue };
                if let Err(end) = self.send(Message::Text(text.into())).await {
                    return end;
                }
            }
        }
    }

    /// Sends one frame, for which a slow client may need until the stream ends.
    async fn send(&mut self, message: Message) -> Result<(), End> {
        let mut sent = pin!(self.socket.send(message));
        loop {
            tokio::select! {
                biased;
                told = poll_fn(|cx| self.place.poll_told(cx)) => {
                    if let Some(end) = end(told) {
                        return Err(end);
                    }
                }
                () = sleep_until(self.until) => return Err(End::Over),
                sent = sent.as_mut() => return sent.map_err(|_| End::Gone),
            }
        }
    }

    async fn close(mut self, end: End) {
        if end == End::Gone {
            return;
        }
        let last_word = async {
            if let Some(code) = end.code() {
                let close = CloseFrame { code, reason: "".into() };
                if self.socket.send(Message::Close(Some(close))).await.is_err() {
                    return;
                }
            }
            // Until both have closed: our answer to the client's close goes out here, and what the client said
            // meanwhile, left unread, would reset the connection and take the last frames with it.
            while let Some(Ok(_)) = self.socket.recv().await {}
        };
        // One that does not answer has had its time.
        let _ = timeout(LAST_WORD, last_word).await;
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(Error::Capacity(_)))
}

fn end(told: Told) -> Option<End> {
    match told {
        Told::Beat => None,
        Told::Closing => Some(End::Closing),
        Told::AccessEnded => Some(End::AccessEnded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_closed_with_the_code_of_its_reason() {
        let code = |told| end(told).and_then(End::code);
        assert_eq!(code(Told::AccessEnded), Some(4401));
        assert_eq!(code(Told::Closing), Some(1001));
        assert_eq!(code(Told::Beat), None);
        assert_eq!((End::Over.code(), End::TooLong.code()), (Some(1000), Some(1009)));
        assert_eq!((End::Closed.code(), End::Gone.code()), (None, None), "nothing but the answer");
    }
}
