//! Errors of the API: RFC 9457 problem details, `application/problem+json`.

use crate::config::Wrong;
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use engine::{
    CancelError, DeleteError, PauseError, ReadError, RetryError, RunError, SwitchError,
    store::StoreError,
};
use http::{HeaderValue, StatusCode, header};
use shared::{
    ConnectionId, JobId,
    problem::{FieldError, Problem},
};
use std::fmt::Display;

/// Seconds after which a request that found the server busy may come again.
const RETRY_AFTER: u64 = 1;

/// A refused or failed request.
#[derive(Debug)]
pub struct ApiError {
    problem: Box<Problem>,
    /// Seconds after which it may be asked for again.
    after: Option<u64>,
}

pub type Answer<T> = Result<T, ApiError>;

impl ApiError {
    /// A problem whose status says what kind it is.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let problem = Box::new(Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: Some(detail.into()),
            field: None,
            errors: Vec::new(),
            job_id: None,
        });
        let after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER);
        Self { problem, after }
    }

    fn of_field(mut self, field: &str) -> Self {
        self.problem.field = Some(field.to_owned());
        self
    }

    /// It may be asked for again after so many seconds.
    pub fn after(mut self, seconds: u64) -> Self {
        self.after = Some(seconds);
        self
    }

    /// Fields that are wrong, at least one.
    pub fn of_fields(wrong: Vec<Wrong>) -> Self {
        let told: Vec<_> =
            wrong.iter().map(|Wrong { field, what }| format!("{field}: {what}")).collect();
        let mut error = Self::new(StatusCode::BAD_REQUEST, told.join("\n"));
        error.problem.field = wrong.first().map(|wrong| wrong.field.clone());
        let wrong = wrong.into_iter();
        error.problem.errors =
            wrong.map(|Wrong { field, what }| FieldError { field, detail: what }).collect();
        error
    }

    fn about(mut self, job: JobId) -> Self {
        self.problem.job_id = Some(job);
        self
    }
}

/// A parameter or field that is wrong, and what is allowed.
pub fn bad_field(field: &str, detail: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, detail).of_field(field)
}

/// An id of any other shape belongs to no job either.
pub fn job_not_found(id: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, format!("there is no job {id}"))
}

/// The id of the URL.
pub fn job_id(text: &str) -> Answer<JobId> {
    text.parse().map_err(|_| job_not_found(text))
}

/// The same of a connection.
pub fn connection_id(text: &str) -> Answer<ConnectionId> {
    text.parse().map_err(|_| SwitchError::NotFound.into())
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Cursor(_) => bad_field("cursor", error.to_string()),
            ReadError::Pattern(_) => bad_field("q", error.to_string()),
            ReadError::Store(StoreError::Slow) => {
                tracing::warn!("a list took too long");
                unavailable(&error)
            }
            ReadError::NoLog => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            ReadError::Store(_) | ReadError::Log(_) => {
                tracing::error!(%error, "a read failed");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "it cannot be read now")
            }
        }
    }
}

/// What cannot be done now, but may be a moment later.
fn unavailable(error: &dyn Display) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

impl From<RunError> for ApiError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::UnknownPipeline(_) => bad_field("pipeline", error.to_string()),
            RunError::Param(ref wrong) => {
                bad_field(&format!("params.{}", wrong.name), error.to_string())
            }
            RunError::TooFar => bad_field("run_at", error.to_string()),
            RunError::KeyReused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
                .of_field("Idempotency-Key"),
            RunError::Deleted { job } => Self::new(StatusCode::GONE, error.to_string())
                .of_field("Idempotency-Key")
                .about(job),
            RunError::Slow { job } => unavailable(&error).about(job),
            RunError::Busy | RunError::Closed => unavailable(&error),
        }
    }
}

/// What a refused cancel says of this job.
pub fn cancel_error(id: JobId, error: CancelError) -> ApiError {
    match error {
        CancelError::NotFound => job_not_found(&id.to_string()),
        CancelError::Over(_) => ApiError::new(StatusCode::CONFLICT, error.to_string()).about(id),
        CancelError::Store(error) => ReadError::from(error).into(),
        CancelError::Busy | CancelError::Slow | CancelError::Closed => {
            unavailable(&error).about(id)
        }
    }
}

/// What a refused retry says of this job.
pub fn retry_error(id: JobId, error: RetryError) -> ApiError {
    match error {
        RetryError::NotFound => job_not_found(&id.to_string()),
        RetryError::NotOver(_) => ApiError::new(StatusCode::CONFLICT, error.to_string()).about(id),
        RetryError::Store(error) => ReadError::from(error).into(),
        RetryError::Run(RunError::UnknownPipeline(name)) => {
            let detail = format!("pipeline {name:?} is not in the configuration any more");
            ApiError::new(StatusCode::CONFLICT, detail).about(id)
        }
        RetryError::Run(error) => error.into(),
    }
}

/// What a refused deletion says of this job.
pub fn delete_error(id: JobId, error: DeleteError) -> ApiError {
    match error {
        DeleteError::NotFound => job_not_found(&id.to_string()),
        DeleteError::NotOver(_) => ApiError::new(StatusCode::CONFLICT, error.to_string()).about(id),
        DeleteError::Store(error) => ReadError::from(error).into(),
        DeleteError::Busy | DeleteError::Slow | DeleteError::Closed => {
            unavailable(&error).about(id)
        }
    }
}

impl From<PauseError> for ApiError {
    fn from(error: PauseError) -> Self {
        match error {
            PauseError::NotFound => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            PauseError::Busy | PauseError::Slow | PauseError::Closed => unavailable(&error),
        }
    }
}

impl From<SwitchError> for ApiError {
    fn from(error: SwitchError) -> Self {
        match error {
            SwitchError::NotFound => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            SwitchError::Busy | SwitchError::Slow | SwitchError::Closed => unavailable(&error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_took_too_long_may_be_asked_for_again_and_is_told_how() {
        let error = ApiError::from(ReadError::from(StoreError::Slow));
        assert_eq!(
            error.problem.detail.as_deref(),
            Some("the list took too long; narrow the filter")
        );
        let response = error.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    }
}
