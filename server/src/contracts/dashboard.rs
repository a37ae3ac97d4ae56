//! Contract 1, `GET /api/events/stream`: live updates of one or more connections.
//!
//! The hub has every event encoded; a stream is a cursor in it. What is of one stream alone is
//! written here: the heartbeat, the position before it, and the size of the one log it follows.

use super::{
    body::{self, Source, unfold},
    sse,
    too_many::{TooMany, later},
};
use crate::{
    auth::{By, Routes, Rule},
    query::Query,
    served::Served,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use engine::{
    Caller, Engine,
    hub::{Interest, Subscription},
};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};
use shared::{
    Connection, ConnectionId, EventId, Freshness, JobId, Timestamp,
    event::{Heartbeat, JobLog, name},
    log::LogInfo,
};
use std::{
    task::{Context, Poll},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// Time between two `job:log` of one stream.
const LOG_PACE: Duration = Duration::from_millis(100);

pub fn routes() -> Routes {
    Routes::new().get("/api/events/stream", Rule::Stream, open)
}

async fn open(
    State(Served { engine, streams, .. }): State<Served>,
    By(caller): By,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Asked { interest, since, log } = Asked::of(&query, &headers)?;
    let known = engine.connections(&caller).await.map_err(|_| Refusal::unavailable())?.items;
    if interest.connections.iter().any(|id| !known.iter().any(|c| c.id == *id)) {
        return Err(Refusal::not_found("no such connection"));
    }
    let log = match log {
        Some(id) => Some(LogSize::watch(&engine, &caller, id).await?),
        None => None,
    };
    let place = streams.open(&caller, "dashboard")?;
    let watched = interest.connections.clone();
    let subscription = engine.hub().subscribe(&caller, interest, since);
    // Read after the stream's place was taken: what changes from here on comes by the stream.
    let known = engine.connections(&caller).await.map_err(|_| Refusal::unavailable())?.items;
    let first = not_live(known.iter().filter(|connection| watched.contains(&connection.id)));
    let log = log.map(|log| unfold(log, LogSize::next));
    Ok(body::stream(place, Dashboard { first, subscription, log }))
}

/// Which connections are not live, told like a heartbeat: else nothing would tell a stream that begins now from
/// one where nothing happens.
fn not_live<'a>(connections: impl Iterator<Item = &'a Connection>) -> Option<Bytes> {
    let mut out = BytesMut::new();
    for connection in connections.filter(|connection| connection.freshness != Freshness::Live) {
        sse::event(&mut out, None, name::CONNECTION_STATE, connection);
    }
    (!out.is_empty()).then(|| out.freeze())
}

/// What a request asks for.
struct Asked {
    interest: Interest,
    since: Option<EventId>,
    log: Option<JobId>,
}

impl Asked {
    fn of(query: &Query, headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut connections: Vec<ConnectionId> = query.list("connectionId").map_err(|_| {
            Refusal::invalid("connectionId", "wanted is a UUID, or a comma list of UUIDs")
        })?;
        if connections.is_empty() {
            return Err(Refusal::invalid("connectionId", "is required"));
        }
        connections.sort_unstable();
        connections.dedup();
        let mut interest = Interest { connections, ..Interest::default() };
        for word in query.text("types").unwrap_or("job,worker,queue").split(',') {
            match word {
                "job" => interest.jobs = true,
                "worker" => interest.workers = true,
                "queue" => interest.queues = true,
                _ => {
                    return Err(Refusal::invalid(
                        "types",
                        "wanted is a list of job, worker, queue",
                    ));
                }
            }
        }
        let log =
            query.value("log").map_err(|_| Refusal::invalid("log", "wanted is a job's id"))?;
        let (field, since) = match headers.get("last-event-id") {
            Some(id) => ("Last-Event-ID", Some(id.to_str().unwrap_or_default())),
            None => ("since", query.text("since")),
        };
        let since = since.map(str::parse).transpose();
        let since = since.map_err(|_| Refusal::invalid(field, "wanted is the id of an event"))?;
        Ok(Self { interest, since, log })
    }
}

struct Dashboard<L> {
    first: Option<Bytes>,
    subscription: Subscription,
    log: Option<L>,
}

impl<L: Source> Source for Dashboard<L> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        if let Poll::Ready(frames) = self.subscription.poll_frames(cx) {
            return Poll::Ready(Some(frames));
        }
        if let Some(log) = &mut self.log {
            match log.poll_next(cx) {
                Poll::Ready(None) => self.log = None,
                piece => return piece,
            }
        }
        Poll::Pending
    }

    fn beat(&mut self) -> Option<Bytes> {
        #[derive(Serialize)]
        struct Nothing {}
        let mut out = BytesMut::new();
        if let Some(position) = self.subscription.moved() {
            sse::event(&mut out, Some(&position), name::CURSOR, &Nothing {});
        }
        sse::event(&mut out, None, name::HEARTBEAT, &Heartbeat { timestamp: Timestamp::now() });
        Some(out.freeze())
    }
}

/// The size of one log as it changes: at once, then paced; the last value always arrives.
struct LogSize {
    id: JobId,
    size: watch::Receiver<LogInfo>,
    told: Option<Instant>,
    closed: bool,
}

impl LogSize {
    async fn watch(engine: &Engine, caller: &Caller, id: JobId) -> Result<Self, Refusal> {
        let size = engine.watch_log(caller, id).await.map_err(|_| Refusal::unavailable())?;
        let size = size.ok_or_else(|| Refusal::not_found("no such job"))?;
        Ok(Self { id, size, told: None, closed: false })
    }

    async fn next(mut self) -> (Self, Option<Bytes>) {
        if let Some(told) = self.told {
            if self.closed || self.size.changed().await.is_err() {
                return (self, None);
            }
            tokio::time::sleep_until(told + LOG_PACE).await;
        }
        let LogInfo { lines, bytes, open, closed } = *self.size.borrow_and_update();
        let mut out = BytesMut::new();
        sse::event(
            &mut out,
            None,
            name::JOB_LOG,
            &JobLog { id: self.id, lines, bytes, open, closed },
        );
        self.told = Some(Instant::now());
        self.closed = closed;
        (self, Some(out.freeze()))
    }
}

/// An error in this contract's shape: `{"error":{"code","message","docs_url","details"?}}`.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Option<Value>,
    reached: Option<TooMany>,
}

impl Refusal {
    fn invalid(field: &'static str, rule: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "VALIDATION_ERROR",
            message: format!("{field}: {rule}"),
            details: Some(json!({ "field": field })),
            reached: None,
        }
    }

    fn not_found(message: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "NOT_FOUND",
            message: message.to_owned(),
            details: None,
            reached: None,
        }
    }

    fn unavailable() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "UNAVAILABLE",
            message: "the store cannot be read now".to_owned(),
            details: None,
            reached: None,
        }
    }
}

impl From<TooMany> for Refusal {
    fn from(reached: TooMany) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: "RATE_LIMITED",
            message: reached.to_string(),
            details: Some(reached.details()),
            reached: Some(reached),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut error = json!({
            "code": self.code,
            "message": self.message,
            "docs_url": "/api/v1/openapi.json",
        });
        if let Some(details) = self.details {
            error["details"] = details;
        }
        let response = (self.status, Json(json!({ "error": error }))).into_response();
        later(response, self.reached)
    }
}
