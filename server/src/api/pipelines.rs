//! Pipelines: what the built-in runner can run.

use super::{
    problem::{Answer, ApiError},
    request::Params,
};
use crate::{auth::By, path::Path, query::Query};
use axum::{Json, extract::State};
use engine::{Caller, Engine};
use http::StatusCode;
use shared::{Pipeline, Rows, page::PipelinePage, problem::Problem};

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

/// One pipeline: its steps and schedule, how its last 100 runs ended, and its 50 newest jobs.
#[utoipa::path(
    get,
    path = "/api/v1/pipelines/{name}",
    tag = "pipelines",
    operation_id = "get_pipeline",
    params(("name" = String, Path, description = "Name of the pipeline")),
    responses(
        (status = 200, body = PipelinePage),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn one(
    State(engine): State<Engine>,
    By(caller): By,
    Path(name): Path<String>,
    query: Query,
) -> Answer<Json<PipelinePage>> {
    Params::of(query, &[])?;
    page(&engine, &caller, &name).await
}

/// One pipeline as it is shown.
pub(super) async fn page(
    engine: &Engine,
    caller: &Caller,
    name: &str,
) -> Answer<Json<PipelinePage>> {
    let page = engine.pipeline(caller, name).await?;
    page.map(Json).ok_or_else(|| {
        ApiError::new(StatusCode::NOT_FOUND, format!("there is no pipeline called {name}"))
    })
}
