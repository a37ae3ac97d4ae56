//! Workers: what runs jobs.

use super::{problem::Answer, request::Params};
use crate::{auth::By, query::Query};
use axum::{Json, extract::State};
use engine::Engine;
use shared::{Rows, WorkerJobs, problem::Problem};

/// All workers as they were last seen, and what they run.
#[utoipa::path(
    get,
    path = "/api/v1/workers",
    tag = "workers",
    operation_id = "list_workers",
    responses(
        (status = 200, body = Rows<WorkerJobs>),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    By(caller): By,
    query: Query,
) -> Answer<Json<Rows<WorkerJobs>>> {
    Params::of(query, &[])?;
    Ok(Json(engine.workers(&caller).await?))
}
