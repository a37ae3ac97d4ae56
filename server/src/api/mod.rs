//! The JSON API under `/api/v1`: one file per resource, strict about what it is asked ([`request`]),
//! problem details when it refuses ([`problem`]), described by [`description`].
//!
//! Every answer with rows has `as_of`, the event from which a stream goes on without a gap.

mod again;
mod connections;
mod description;
mod executions;
#[expect(unused_qualifications, reason = "the macro that describes a handler writes them")]
mod jobs;
mod log;
mod log_download;
mod log_search;
mod pipelines;
mod problem;
mod queues;
mod reload;
mod request;
mod views;
mod workers;

use crate::served::Served;
use axum::{
    Router,
    routing::{any, get, post},
};
use http::{StatusCode, Uri};
use problem::ApiError;

/// The routes of the API. What is not there is a problem too.
pub fn router() -> Router<Served> {
    let v1 = Router::new()
        .route("/config/reload", post(reload::reload))
        .route("/connections", get(connections::list))
        .route("/executions", post(executions::create))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{id}", get(jobs::show).delete(again::delete))
        .route("/jobs/{id}/cancel", post(jobs::cancel))
        .route("/jobs/{id}/log", get(log::window))
        .route("/jobs/{id}/log/download", get(log_download::download))
        .route("/jobs/{id}/log/search", get(log_search::search))
        .route("/jobs/{id}/log/{n}", get(log::line))
        .route("/jobs/{id}/retry", post(again::retry))
        .route("/openapi.json", get(description::show))
        .route("/overview", get(views::overview))
        .route("/pages/jobs", get(views::jobs))
        .route("/pages/pipelines", get(views::pipelines))
        .route("/pipelines", get(pipelines::list))
        .route("/pipelines/{name}", get(pipelines::one))
        .route("/queues", get(queues::list))
        .route("/queues/{name}/pause", post(queues::pause))
        .route("/queues/{name}/resume", post(queues::resume))
        .route("/workers", get(workers::list))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method);
    // A nested router does not see its own root with a slash.
    Router::new().nest("/api/v1", v1).route("/api/v1/", any(no_route))
}

async fn no_route(uri: Uri) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, format!("there is nothing at {}", uri.path()))
}

async fn no_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "this cannot be done here")
}
