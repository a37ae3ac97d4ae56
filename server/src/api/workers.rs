//! Workers: what runs jobs.

use super::{problem::Answer, request::Params};
use crate::{auth::By, query::Query};
use axum::{Json, extract::State};
use engine::Engine;
use shared::{Rows, Worker, problem::Problem};

/// All workers as they were last seen.
#[utoipa::path(
    get,
    path = "/api/v1/workers",
    tag = "workers",
    operation_id = "list_workers",
    responses(
        (status = 200, body = Rows<Worker>),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    By(caller): By,
    query: Query,
) -> Answer<Json<Rows<Worker>>> {
    Params::of(query, &[])?;
    Ok(Json(engine.workers(&caller).await?))
}
