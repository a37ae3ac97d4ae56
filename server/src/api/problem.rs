//! Errors of the API: RFC 9457 problem details, `application/problem+json`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use engine::{CancelError, ReadError, RunError};
use http::{HeaderValue, StatusCode, header};
use shared::{JobId, problem::Problem};

/// Seconds after which a request that found the server busy may come again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// A refused or failed request.
#[derive(Debug)]
pub struct ApiError(Box<Problem>);

pub type Answer<T> = Result<T, ApiError>;

impl ApiError {
    /// A problem whose status says what kind it is.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: Some(detail.into()),
            field: None,
            job_id: None,
        }))
    }

    fn about(mut self, job: JobId) -> Self {
        self.0.job_id = Some(job);
        self
    }
}

/// A parameter or field that is wrong, and what is allowed.
pub fn bad_field(field: &str, detail: impl Into<String>) -> ApiError {
    let mut error = ApiError::new(StatusCode::BAD_REQUEST, detail);
    error.0.field = Some(field.to_owned());
    error
}

/// An id of any other shape belongs to no job either.
pub fn job_not_found(id: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, format!("there is no job {id}"))
}

/// The id of the URL.
pub fn job_id(text: &str) -> Answer<JobId> {
    text.parse().map_err(|_| job_not_found(text))
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Cursor(_) => bad_field("cursor", error.to_string()),
            ReadError::NoLog => Self::new(StatusCode::NOT_FOUND, "the job has no log"),
            _ => {
                tracing::error!(%error, "a read failed");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read now")
            }
        }
    }
}

/// Why nothing can be queued or asked for now.
fn busy() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too much is waiting to be written: try again")
}

fn closed() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "the server is going away")
}

impl From<RunError> for ApiError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::UnknownPipeline => bad_field("pipeline", "there is no such pipeline"),
            RunError::UnknownParam { name } => {
                bad_field(&format!("params.{name}"), "the pipeline has no such parameter")
            }
            RunError::Busy => busy(),
            RunError::Slow { job } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("the job {job} is not written yet; it may still run"),
            )
            .about(job),
            RunError::Closed => closed(),
        }
    }
}

/// What a refused cancel says of this job.
pub fn cancel_error(id: JobId, error: CancelError) -> ApiError {
    match error {
        CancelError::NotFound => job_not_found(&id.to_string()),
        CancelError::Over(state) => {
            ApiError::new(StatusCode::CONFLICT, format!("the job is over: {state}")).about(id)
        }
        CancelError::Busy => busy().about(id),
        CancelError::Slow => {
            let detail = "the request is not written yet; the job may still be cancelled";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail).about(id)
        }
        CancelError::Closed => closed().about(id),
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.0)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}
