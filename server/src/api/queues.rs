//! Queues: where jobs wait.

use super::{problem::Answer, request::Params};
use crate::{auth::By, query::Query};
use axum::{Json, extract::State};
use engine::Engine;
use shared::{Queue, Rows, problem::Problem};

/// All queues as they stand now.
#[utoipa::path(
    get,
    path = "/api/v1/queues",
    tag = "queues",
    operation_id = "list_queues",
    responses(
        (status = 200, body = Rows<Queue>),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    By(caller): By,
    query: Query,
) -> Answer<Json<Rows<Queue>>> {
    Params::of(query, &[])?;
    Ok(Json(engine.queues(&caller).await?))
}
