//! What a page of the board shows, in one answer: the browser asks for it when it goes from page to
//! page without loading a document.

use super::{
    jobs::{JobsParams, jobs_query},
    problem::Answer,
    request::Params,
};
use crate::{auth::By, query::Query};
use axum::{Json, extract::State};
use engine::Engine;
use shared::{
    page::{JobsPage, Overview, PipelinesPage},
    problem::Problem,
};

/// What runs, what failed, queues and workers.
#[utoipa::path(
    get,
    path = "/api/v1/overview",
    tag = "pages",
    operation_id = "show_overview",
    responses(
        (status = 200, body = Overview),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn overview(
    State(engine): State<Engine>,
    By(caller): By,
    query: Query,
) -> Answer<Json<Overview>> {
    Params::of(query, &[])?;
    Ok(Json(engine.overview(&caller).await?))
}

/// One page of jobs, and the choices above it.
#[utoipa::path(
    get,
    path = "/api/v1/pages/jobs",
    tag = "pages",
    operation_id = "show_jobs_page",
    params(JobsParams),
    responses(
        (status = 200, body = JobsPage),
        (status = 400, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn jobs(
    State(engine): State<Engine>,
    By(caller): By,
    query: Query,
) -> Answer<Json<JobsPage>> {
    Ok(Json(engine.jobs_page(&caller, &jobs_query(query)?).await?))
}

/// All pipelines with their connections.
#[utoipa::path(
    get,
    path = "/api/v1/pages/pipelines",
    tag = "pages",
    operation_id = "show_pipelines_page",
    responses(
        (status = 200, body = PipelinesPage),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn pipelines(
    State(engine): State<Engine>,
    By(caller): By,
    query: Query,
) -> Answer<Json<PipelinesPage>> {
    Params::of(query, &[])?;
    Ok(Json(engine.pipelines(&caller).await?))
}
