//! Contract 3, `GET /api/v1/executions/{execution_id}/events`: one run of a pipeline as it is told.
//!
//! An execution is a job. Each entry of its story that is of use to a client is one event, and the
//! event's place among them its id; so a replay is the same events with the same ids, whenever it is
//! asked for.

use super::{
    body::{self, Beating, unfold},
    execution_event::Event,
    job::Resume,
    sse,
    story::Story,
    too_many::{TooMany, later},
};
use crate::{
    auth::{By, Routes, Rule},
    path::Path,
    query::Query,
    served::Served,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::json;
use shared::{JobDetail, JobId, Timestamp};
use std::time::Duration;
use tokio::time::Instant;

/// How long a stream goes on if nothing is said.
const TIMEOUT: f64 = 300.0;
/// Events joined into one piece; one more may be longer.
const PIECE: usize = 64 * 1024;
const KEEP_ALIVE: &[u8] = b": keep-alive\n";

pub fn routes() -> Routes {
    Routes::new().get("/api/v1/executions/{execution_id}/events", Rule::Stream, open)
}

async fn open(
    State(Served { engine, streams, .. }): State<Served>,
    By(caller): By,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (id, timeout) = match (execution_id(&id), timeout(&query)) {
        (Ok(id), Ok(timeout)) => (id, timeout),
        (id, timeout) => {
            return Err(Refusal::Invalid(id.err().into_iter().chain(timeout.err()).collect()));
        }
    };
    let sent = match Resume::of(&headers).map_err(|_| Refusal::bad_position())? {
        Resume::Over => return Ok(StatusCode::NO_CONTENT.into_response()),
        Resume::After(ordinal) => ordinal,
        Resume::Fresh => 0,
    };
    if streams.is_closing() {
        return Err(Refusal::unavailable());
    }
    let deadline = Instant::now() + timeout;
    let story = Story::open(engine, caller.clone(), id).await;
    let (story, job) =
        story.map_err(|_| Refusal::unavailable())?.ok_or_else(|| Refusal::not_found(id))?;
    let place = streams.open(&caller, "executions")?;
    let events =
        ExecutionStream { story, job: Some(job), sent, progress: None, deadline, over: false };
    let source = unfold(events, ExecutionStream::next);
    Ok(body::stream(place, Beating { source, beat: KEEP_ALIVE }))
}

fn execution_id(text: &str) -> Result<JobId, Invalid> {
    text.parse().map_err(|_| Invalid {
        loc: ["path", "execution_id"],
        msg: "Input should be a valid UUID",
        kind: "uuid_parsing",
        input: text.to_owned(),
    })
}

fn timeout(query: &Query) -> Result<Duration, Invalid> {
    let invalid = |msg, kind| Invalid {
        loc: ["query", "timeout"],
        msg,
        kind,
        input: query.text("timeout").unwrap_or_default().to_owned(),
    };
    let seconds = query.value("timeout").map_err(|_| {
        invalid(
            "Input should be a valid number, unable to parse string as a number",
            "float_parsing",
        )
    })?;
    let seconds: f64 = seconds.unwrap_or(TIMEOUT);
    match seconds {
        _ if (1.0..=3600.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ if seconds > 3600.0 => {
            Err(invalid("Input should be less than or equal to 3600", "less_than_equal"))
        }
        // NaN too, which is in no range.
        _ => Err(invalid("Input should be greater than or equal to 1", "greater_than_equal")),
    }
}

struct ExecutionStream {
    story: Story,
    /// As it was read last, until all of it is told.
    job: Option<Box<JobDetail>>,
    /// Events the client was told.
    sent: u64,
    /// The progress the client was told.
    progress: Option<f32>,
    deadline: Instant,
    over: bool,
}

impl ExecutionStream {
    async fn next(mut self) -> (Self, Option<Bytes>) {
        if self.over {
            return (self, None);
        }
        let deadline = self.deadline;
        let piece = tokio::select! {
            // The end comes first: a stream that always has something to say must end too.
            biased;
            () = tokio::time::sleep_until(deadline) => {
                self.over = true;
                Some(Bytes::from_static(b": timeout\n"))
            }
            piece = self.piece() => piece,
        };
        (self, piece)
    }

    /// The next events. None: it was deleted, and nobody can tell how it ended.
    async fn piece(&mut self) -> Option<Bytes> {
        loop {
            let job = match self.job.take() {
                Some(job) => job,
                None => self.story.changed().await?,
            };
            let mut piece = self.tell(&job);
            if piece.is_empty() && job.job.state.is_over() {
                // The client says that it has more than there is: the end is new to it all the same.
                self.sent = count(&job).checked_sub(1)?;
                piece = self.tell(&job);
            }
            if !piece.is_empty() {
                // There may be more than what fits in a piece.
                self.job = Some(job);
                return Some(piece);
            }
        }
    }

    /// What the client was not told yet, or nothing.
    fn tell(&mut self, job: &JobDetail) -> Bytes {
        let mut out = BytesMut::new();
        let events = events(job);
        let sent = usize::try_from(self.sent).unwrap_or(usize::MAX);
        for (event, ordinal) in events.zip(1_u64..).skip(sent) {
            if out.len() >= PIECE {
                return out.freeze();
            }
            self.over = event.is_last();
            let id: &dyn sse::Id = if self.over { &sse::END } else { &ordinal };
            sse::event(&mut out, Some(id), event.name, &event.data);
            self.sent = ordinal;
        }
        if let Some(event) = Event::progress(job)
            && event.data.progress != self.progress
        {
            // Not history: it moves no position, and a replay has the last one only.
            self.progress = event.data.progress;
            sse::event(&mut out, None, event.name, &event.data);
        }
        out.freeze()
    }
}

/// The story as this contract tells it.
fn events(job: &JobDetail) -> impl Iterator<Item = Event<'_>> {
    job.timeline.iter().filter_map(|entry| Event::of(job, entry))
}

fn count(job: &JobDetail) -> u64 {
    events(job).count() as u64
}

/// An error in this contract's shape: `{"detail","error_code","timestamp"}`, or what is wrong with
/// which parameter.
enum Refusal {
    Invalid(Vec<Invalid>),
    TooMany(TooMany),
    Other { status: StatusCode, code: &'static str, detail: String },
}

#[derive(Serialize)]
struct Invalid {
    loc: [&'static str; 2],
    msg: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    input: String,
}

impl Refusal {
    fn not_found(id: JobId) -> Self {
        let detail = format!("Execution not found: {id}");
        Self::Other { status: StatusCode::NOT_FOUND, code: "execution_not_found", detail }
    }

    fn bad_position() -> Self {
        Self::Other {
            status: StatusCode::BAD_REQUEST,
            code: "invalid_last_event_id",
            detail: "Last-Event-ID must be the id of an event of this stream".to_owned(),
        }
    }

    fn unavailable() -> Self {
        Self::Other {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "streamer_unavailable",
            detail: "Events cannot be streamed now".to_owned(),
        }
    }
}

impl From<TooMany> for Refusal {
    fn from(reached: TooMany) -> Self {
        Self::TooMany(reached)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let told = |code: &str, detail: String| json!({ "detail": detail, "error_code": code, "timestamp": Timestamp::now() });
        let (status, body, reached) = match self {
            Self::Invalid(detail) => {
                (StatusCode::UNPROCESSABLE_ENTITY, json!({ "detail": detail }), None)
            }
            Self::TooMany(reached) => {
                let body = told("too_many_streams", reached.to_string());
                (StatusCode::TOO_MANY_REQUESTS, body, Some(reached))
            }
            Self::Other { status, code, detail } => (status, told(code, detail), None),
        };
        later((status, Json(body)).into_response(), reached)
    }
}
