//! Contract 5, `GET /runner-jobs/{jobId}/events/stream`: what happens in a runner's job, as server-sent
//! events; its twin over WebSocket is [`runner_socket`].

use super::{
    body::{self, Beating, unfold},
    runner_event::Position,
    runner_events::{RunnerEvents, Said},
    runner_socket, sse,
    too_many::{TooMany, later},
};
use crate::{
    auth::{By, Routes, Rule},
    path::Path,
    served::Served,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::{BufMut, Bytes, BytesMut};
use engine::{Caller, Engine};
use http::{HeaderMap, StatusCode};
use shared::JobId;
use tokio::time::Instant;

const PING: &[u8] = b": ping\n";

pub fn routes() -> Routes {
    Routes::new().get("/runner-jobs/{job_id}/events/stream", Rule::Stream, open).get(
        "/runner-jobs/{job_id}/events/ws",
        Rule::READ,
        runner_socket::open,
    )
}

async fn open(
    State(Served { engine, streams, .. }): State<Served>,
    By(caller): By,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let id = job_id(&id)?;
    let position = headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default());
    let Position::At { ordinal, offset } = position_of("Last-Event-ID", position)? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let events = events(&engine, &caller, id, (ordinal, offset)).await?;
    let place = streams.open(&caller, "runner_jobs")?;
    let until = Instant::now() + streams.longest;
    let source = unfold(events, move |mut events| async move {
        let said = tokio::select! {
            // The end comes first: a stream that always has something to say must end too.
            biased;
            () = tokio::time::sleep_until(until) => Vec::new(),
            said = events.next() => said,
        };
        let piece = (!said.is_empty()).then(|| encoded(&said));
        (events, piece)
    });
    Ok(body::stream(place, Beating { source, beat: PING }))
}

fn encoded(said: &[Said]) -> Bytes {
    let mut out = BytesMut::new();
    for said in said {
        match said {
            Said::Event(event) => {
                let id = event.id.as_ref().map(|id| id as &dyn sse::Id);
                sse::event(&mut out, id, event.name, &event.data);
            }
            Said::Comment(text) => {
                out.put_slice(b": ");
                out.put_slice(text.as_bytes());
                out.put_u8(b'\n');
            }
        }
    }
    out.freeze()
}

pub fn job_id(text: &str) -> Result<JobId, Refusal> {
    let bad = || Refusal::new(StatusCode::BAD_REQUEST, "jobId must be a UUID");
    text.parse().map_err(|_| bad())
}

/// Where a stream goes on; the beginning if nothing is said. `name` is the parameter's.
pub fn position_of(name: &str, text: Option<&str>) -> Result<Position, Refusal> {
    let Some(text) = text else { return Ok(Position::START) };
    let message = format!("{name} must be the id of an event of this stream");
    text.parse().map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, message))
}

/// The events of a job after this position.
pub async fn events(
    engine: &Engine,
    caller: &Caller,
    id: JobId,
    position: (u64, u64),
) -> Result<RunnerEvents, Refusal> {
    let events = RunnerEvents::open(engine.clone(), caller.clone(), id, position).await;
    let events = events
        .map_err(|_| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "The job cannot be read now"))?;
    events.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, format!("Job not found: {id}")))
}

/// An error in this contract's shape: `{"statusCode","message","error"}`.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    message: String,
    reached: Option<TooMany>,
}

impl Refusal {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), reached: None }
    }
}

impl From<TooMany> for Refusal {
    fn from(reached: TooMany) -> Self {
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, reached.to_string());
        Self { reached: Some(reached), ..refusal }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(serde_json::json!({
            "statusCode": self.status.as_u16(),
            "message": self.message,
            "error": self.status.canonical_reason().unwrap_or_default(),
        }));
        later((self.status, body).into_response(), self.reached)
    }
}
