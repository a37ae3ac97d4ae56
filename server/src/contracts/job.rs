//! Contract 2, `/api/jobs/{job_id}/…`: what its four routes share.
//!
//! They read the job's story and log, never the ring, so a replay works for any job that is kept,
//! over restarts too; the hub only wakes them.

use super::{job_download, job_logs, job_status, sse, streams::TooMany};
use crate::auth::{Routes, Rule};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use engine::ReadError;
use http::{HeaderMap, HeaderValue, StatusCode, header};
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
}

impl Refusal {
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, detail: detail.into() }
    }

    fn bad_position() -> Self {
        Self::invalid("Last-Event-ID must be the id of an event of this stream")
    }

    pub fn no_job(id: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, detail: format!("Job not found: {id}") }
    }

    pub fn no_log(id: JobId) -> Self {
        let detail = format!("Log file not found for job: {id}");
        Self { status: StatusCode::NOT_FOUND, detail }
    }

    /// A read of this job's data failed; only the log's absence is worth a word of its own.
    pub fn read(error: &ReadError, id: JobId) -> Self {
        match error {
            ReadError::NoLog => Self::no_log(id),
            _ => Self {
                status: StatusCode::SERVICE_UNAVAILABLE,
                detail: "The job cannot be read now".to_owned(),
            },
        }
    }
}

impl From<TooMany> for Refusal {
    fn from(TooMany: TooMany) -> Self {
        let detail = "Too many streams are open".to_owned();
        Self { status: StatusCode::TOO_MANY_REQUESTS, detail }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(serde_json::json!({ "detail": self.detail }));
        let mut response = (self.status, body).into_response();
        if matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
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
