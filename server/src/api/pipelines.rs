//! Pipelines: what the built-in runner can run.

use super::{problem::Answer, request::Params};
use crate::{auth::By, query::Query};
use axum::{Json, extract::State};
use engine::Engine;
use shared::{Pipeline, Rows, problem::Problem};

/// All pipelines, each with its newest jobs.
#[utoipa::path(
    get,
    path = "/api/v1/pipelines",
    tag = "pipelines",
    operation_id = "list_pipelines",
    responses(
        (status = 200, body = Rows<Pipeline>),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    By(caller): By,
    query: Query,
) -> Answer<Json<Rows<Pipeline>>> {
    Params::of(query, &[])?;
    let page = engine.pipelines(&caller).await?;
    Ok(Json(Rows { items: page.pipelines, as_of: page.as_of }))
}
