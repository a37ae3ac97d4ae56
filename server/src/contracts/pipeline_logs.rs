//! Contract 4, `GET /v0/pipelines/{pipeline_name}/logs`: what all runs of a pipeline print, as plain
//! text. First what its circular buffer has, then what comes, until the pipeline is deleted or
//! restarted.

use super::{
    body::{self, unfold},
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
use bytes::Bytes;
use engine::{PipelineLog, ReadError};
use http::StatusCode;
use serde_json::{Value, json};

/// Text read for one piece; one line may be longer.
const PIECE: usize = 64 * 1024;
const LAST_LINE: &[u8] = b"Logs have ended\n";

pub fn routes() -> Routes {
    Routes::new().get("/v0/pipelines/{pipeline_name}/logs", Rule::READ, open)
}

async fn open(
    State(Served { engine, streams, .. }): State<Served>,
    By(caller): By,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    if streams.is_closing() {
        return Err(Refusal::unreachable());
    }
    let log = engine.pipeline_log(&caller, &name).ok_or_else(|| Refusal::unknown(&name))?;
    let place = streams.open(&caller, "pipeline_logs")?;
    // A fresh buffer has a line too, so this waits for the disk only.
    let (log, first) = log.next(PIECE).await?;
    let text = TextStream { log: Some(log), ready: first.as_deref().map(piece) };
    Ok(body::text(place, unfold(text, TextStream::next)))
}

/// A copy, so that what waits for a slow client holds no memory of the thread that read it.
fn piece(text: &[u8]) -> Bytes {
    Bytes::copy_from_slice(text)
}

struct TextStream {
    /// None: all is said.
    log: Option<PipelineLog>,
    /// Read before the answer was begun.
    ready: Option<Bytes>,
}

impl TextStream {
    async fn next(mut self) -> (Self, Option<Bytes>) {
        if let Some(ready) = self.ready.take() {
            return (self, Some(ready));
        }
        let Some(log) = self.log.take() else { return (self, None) };
        match log.next(PIECE).await {
            Ok((log, Some(text))) => (Self { log: Some(log), ready: None }, Some(piece(&text))),
            Ok((_, None)) => (self, Some(Bytes::from_static(LAST_LINE))),
            Err(error) => {
                tracing::error!(%error, "a pipeline's log cannot be read any further");
                (self, None)
            }
        }
    }
}

/// An error in this contract's shape: `{"message","error_code","details"}`.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Value,
    reached: Option<TooMany>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: json!({}), reached: None }
    }

    fn unknown(name: &str) -> Self {
        let message = format!("Unknown pipeline name '{name}'");
        let details = json!({ "pipeline_name": name });
        Self { details, ..Self::new(StatusCode::NOT_FOUND, "UnknownPipelineName", message) }
    }

    fn unreachable() -> Self {
        let message = "The runner cannot be reached: the server is going away";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "RunnerInteractionUnreachable", message)
    }
}

impl From<TooMany> for Refusal {
    fn from(reached: TooMany) -> Self {
        let (status, message) = (StatusCode::TOO_MANY_REQUESTS, reached.to_string());
        let refusal = Self::new(status, "TooManyRequests", message);
        Self { details: reached.details(), reached: Some(reached), ..refusal }
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        tracing::error!(%error, "a pipeline's log cannot be read");
        let message = "The log cannot be read";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "message": self.message,
            "error_code": self.code,
            "details": self.details,
        });
        later((self.status, Json(body)).into_response(), self.reached)
    }
}
