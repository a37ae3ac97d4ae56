//! Contract 2, `/api/jobs/{job_id}/…`: what its four routes share.
//!
//! They read the job's story and log, never the ring, so a replay works for any job that is kept,
//! over restarts too; the hub only wakes them.

use super::{
    job_download, job_logs, job_status, sse,
    too_many::{TooMany, later},
};
use crate::auth::{Routes, Rule};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use engine::ReadError;
use http::{HeaderMap, StatusCode};
use shared::{JobId, Role};

pub fn routes() -> Routes {
    let download = Rule::Act(Role::Viewer, "log.download");
    Routes::new()
        .get("/api/jobs/{job_id}/stream", Rule::Stream, job_status::open)
        .get("/api/jobs/{job_id}/logs", Rule::Stream, job_logs::open)
        .get("/api/jobs/{job_id}/logs/static", download, job_download::download)
        .get("/api/jobs/{job_id}/logs/info", Rule::READ, job_download::info)
}

/// The id of the URL; one of any other shape belongs to no job.
pub fn job_id(text: &str) -> Result<JobId, Refusal> {
    text.parse().map_err(|_| Refusal::no_job(text))
}

/// Where a stream of a job goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resume {
    /// At the beginning: no position was given.
    Fresh,
    /// After this position.
    After(u64),
    /// Nowhere: the client has had the end.
    Over,
}

impl Resume {
    pub fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let Some(id) = headers.get("last-event-id") else { return Ok(Self::Fresh) };
        match id.to_str() {
            Ok(sse::END) => Ok(Self::Over),
            // Digits only: `parse` alone would take a sign.
            Ok(id) if id.bytes().all(|b| b.is_ascii_digit()) => {
                id.parse().map(Self::After).map_err(|_| Refusal::bad_position())
            }
            _ => Err(Refusal::bad_position()),
        }
    }
}

/// An error in this contract's shape: `{"detail"}`.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    detail: String,
    reached: Option<TooMany>,
}

impl Refusal {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), reached: None }
    }

    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    fn bad_position() -> Self {
        Self::invalid("Last-Event-ID must be the id of an event of this stream")
    }

    pub fn no_job(id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("Job not found: {id}"))
    }

    pub fn no_log(id: JobId) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("Log file not found for job: {id}"))
    }

    /// A read of this job's data failed; only the log's absence is worth a word of its own.
    pub fn read(error: &ReadError, id: JobId) -> Self {
        match error {
            ReadError::NoLog => Self::no_log(id),
            _ => Self::new(StatusCode::SERVICE_UNAVAILABLE, "The job cannot be read now"),
        }
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
        let body = Json(serde_json::json!({ "detail": self.detail }));
        later((self.status, body).into_response(), self.reached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_a_number_or_the_end() {
        let resume = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("last-event-id", id.parse().unwrap());
            Resume::of(&headers).ok()
        };
        assert_eq!(Resume::of(&HeaderMap::new()).ok(), Some(Resume::Fresh));
        assert_eq!(resume("17"), Some(Resume::After(17)));
        assert_eq!(resume("end"), Some(Resume::Over));
        for id in ["", "+1", "-1", "x", "1.5", "END", "99999999999999999999"] {
            assert_eq!(resume(id), None, "{id}");
        }
    }
}
