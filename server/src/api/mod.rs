//! The JSON API under `/api/v1`: one file per resource, strict about what it is asked ([`request`]),
//! problem details when it refuses ([`problem`]), described by [`description`].
//!
//! Every answer with rows has `as_of`, the event from which a stream goes on without a gap.

mod access;
mod again;
mod connections;
mod description;
mod executions;
#[expect(unused_qualifications, reason = "the macro that describes a handler writes them")]
mod jobs;
mod log;
mod log_download;
mod log_search;
mod pipeline_edits;
mod pipelines;
mod problem;
mod queues;
mod reload;
mod request;
mod views;
mod workers;

use crate::auth::{Routes, Rule};
use axum::routing::any;
use http::{StatusCode, Uri};
use shared::Role;

pub use problem::ApiError;

/// The routes of the API. What is not there is a problem too.
pub fn routes() -> Routes {
    let act = |name| Rule::Act(Role::Operator, name);
    let admin = |name| Rule::Act(Role::Admin, name);
    let download = Rule::Act(Role::Viewer, "log.download");
    let v1 = Routes::new()
        .post("/config/reload", admin("config.reload"), reload::reload)
        .get("/connections", Rule::READ, connections::list)
        .patch("/connections/{id}", admin("connection.events"), connections::change)
        .post("/executions", act("pipeline.run"), executions::create)
        .get("/jobs", Rule::READ, jobs::list)
        .get("/jobs/{id}", Rule::READ, jobs::show)
        .delete("/jobs/{id}", act("job.delete"), again::delete)
        .post("/jobs/{id}/cancel", act("job.cancel"), jobs::cancel)
        .get("/jobs/{id}/log", Rule::READ, log::window)
        .get("/jobs/{id}/log/download", download, log_download::download)
        .get("/jobs/{id}/log/search", Rule::READ, log_search::search)
        .get("/jobs/{id}/log/{n}", Rule::READ, log::line)
        .post("/jobs/{id}/retry", act("job.retry"), again::retry)
        .get("/openapi.json", Rule::READ, description::show)
        .get("/overview", Rule::READ, views::overview)
        .get("/pages/jobs", Rule::READ, views::jobs)
        .get("/pages/pipelines", Rule::READ, views::pipelines)
        .get("/pipelines", Rule::READ, pipelines::list)
        .get("/pipelines/{name}", Rule::READ, pipelines::one)
        .put("/pipelines/{name}", admin("pipeline.put"), pipeline_edits::put)
        .delete("/pipelines/{name}", admin("pipeline.delete"), pipeline_edits::delete)
        .post("/pipelines/{name}/restart", act("pipeline.restart"), pipeline_edits::restart)
        .get("/queues", Rule::READ, queues::list)
        .post("/queues/{name}/pause", act("queue.pause"), queues::pause)
        .post("/queues/{name}/resume", act("queue.resume"), queues::resume)
        .get("/workers", Rule::READ, workers::list)
        .merge(access::routes())
        .wrap(|router| router.fallback(no_route).method_not_allowed_fallback(no_method))
        .under("/api/v1");
    // A nested router does not see its own root with a slash.
    v1.wrap(|router| router.route("/api/v1/", any(no_route)))
}

async fn no_route(uri: Uri) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, format!("there is nothing at {}", uri.path()))
}

async fn no_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "this cannot be done here")
}
