//! A job's log as it is shown: windows of parsed lines, and one line whole.

use super::{
    problem::{Answer, ApiError, job_id, job_not_found},
    request::Params,
};
use crate::{auth::By, path::Path, query::Query};
use axum::{Json, extract::State};
use engine::Engine;
use http::StatusCode;
use shared::{
    log::{Line, LogWindow},
    problem::Problem,
};

const COUNT: i64 = 500;
const MOST: i64 = 1000;

/// Lines from number `from` on.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}/log",
    tag = "logs",
    operation_id = "read_log",
    params(
        ("id" = String, Path, description = "Id of the job"),
        (
            "from" = Option<i64>,
            Query,
            description = "1-based; a negative number counts from the end. Absent: the last 500 lines",
        ),
        (
            "count" = Option<u32>,
            Query,
            minimum = 1,
            maximum = 1000,
            description = "500 when absent; a window may end early, `next` says where to go on",
        ),
    ),
    responses(
        (status = 200, body = LogWindow),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn window(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Json<LogWindow>> {
    let params = Params::of(query, &["from", "count"])?;
    let from = params.number("from", i64::MIN, i64::MAX)?.unwrap_or(-COUNT);
    let count = params.number("count", 1, MOST)?.unwrap_or(COUNT);
    let count = u32::try_from(count).unwrap_or_default();
    let window = engine.log_window(&caller, job_id(&id)?, from, count).await?;
    window.map(Json).ok_or_else(|| job_not_found(&id))
}

/// One line, whole.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}/log/{n}",
    tag = "logs",
    operation_id = "read_log_line",
    params(
        ("id" = String, Path, description = "Id of the job"),
        ("n" = u64, Path, description = "Number of the line, 1-based"),
    ),
    responses(
        (status = 200, body = Line),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn line(
    State(engine): State<Engine>,
    By(caller): By,
    Path((id, n)): Path<(String, String)>,
    query: Query,
) -> Answer<Json<Line>> {
    Params::of(query, &[])?;
    let not_found = || ApiError::new(StatusCode::NOT_FOUND, format!("job {id} has no line {n}"));
    let number = n.parse().map_err(|_| not_found())?;
    let line = engine.log_line(&caller, job_id(&id)?, number).await?;
    line.map(Json).ok_or_else(not_found)
}
