//! Who is not let in is told so in the shape of errors of what was asked for.

use super::Because;
use crate::api::ApiError;
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use shared::{Role, Timestamp};

/// Whose errors a path has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    Dashboard,
    Job,
    Execution,
    PipelineLogs,
    RunnerJob,
    Problem,
}

impl Shape {
    fn of(path: &str) -> Self {
        let execution = |rest: &str| rest.ends_with("/events");
        if path.starts_with("/api/events/") {
            Self::Dashboard
        } else if path.starts_with("/api/jobs/") {
            Self::Job
        } else if path.strip_prefix("/api/v1/executions/").is_some_and(execution) {
            Self::Execution
        } else if path.starts_with("/v0/") {
            Self::PipelineLogs
        } else if path.starts_with("/runner-jobs/") {
            Self::RunnerJob
        } else {
            Self::Problem
        }
    }
}

/// Nobody who is known: no credential, or one that does not work.
pub(super) fn unauthorized(path: &str) -> Response {
    let detail = "sign in, or send an API key: Authorization: Bearer tb_…";
    answer(path, StatusCode::UNAUTHORIZED, detail)
}

/// Known, but of a lesser role than this needs.
pub(super) fn forbidden(path: &str, has: Role, needs: Role) -> Response {
    let detail = format!("this needs the role {}; yours is {}", needs.as_str(), has.as_str());
    answer(path, StatusCode::FORBIDDEN, &detail)
}

/// Too many changes within a minute.
pub(super) fn too_many(path: &str, per_minute: u32, seconds: u64) -> Response {
    let reached =
        format!("too many changes within a minute: limits.writes_per_minute = {per_minute}");
    let detail = format!("{reached}; try again in {seconds} s");
    let mut response = answer(path, StatusCode::TOO_MANY_REQUESTS, &detail);
    response.extensions_mut().insert(Because(reached));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Refuses what was asked for at `path`, with 401, 403, 421 or 429.
pub fn answer(path: &str, status: StatusCode, detail: &str) -> Response {
    let shape = Shape::of(path);
    if shape == Shape::Problem {
        return ApiError::new(status, detail).into_response();
    }
    (status, Json(body(shape, status, detail))).into_response()
}

fn body(shape: Shape, status: StatusCode, detail: &str) -> Value {
    let (upper, camel) = match status {
        StatusCode::UNAUTHORIZED => ("UNAUTHORIZED", "Unauthorized"),
        StatusCode::FORBIDDEN => ("FORBIDDEN", "Forbidden"),
        StatusCode::MISDIRECTED_REQUEST => ("MISDIRECTED", "Misdirected"),
        _ => ("RATE_LIMITED", "TooManyRequests"),
    };
    match shape {
        Shape::Dashboard => {
            json!({ "error": { "code": upper, "message": detail, "docs_url": "/api/v1/openapi.json" } })
        }
        Shape::Job | Shape::Problem => json!({ "detail": detail }),
        Shape::Execution => {
            let code = upper.to_ascii_lowercase();
            json!({ "detail": detail, "error_code": code, "timestamp": Timestamp::now() })
        }
        Shape::PipelineLogs => {
            json!({ "message": detail, "error_code": camel, "details": {} })
        }
        Shape::RunnerJob => {
            let error = status.canonical_reason();
            json!({ "statusCode": status.as_u16(), "message": detail, "error": error })
        }
    }
}
