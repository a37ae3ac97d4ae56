//! Executions: running a pipeline.

use super::{
    problem::Answer,
    request::{Fields, Params, StrictJson},
};
use crate::{auth::By, query::Query};
use axum::{Json, extract::State};
use engine::Engine;
use http::{HeaderName, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use shared::{Job, problem::Problem};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What to run.
#[derive(Deserialize, ToSchema)]
pub(super) struct Execution {
    /// Name of the pipeline.
    pipeline: String,
    /// Values of its parameters.
    #[serde(default)]
    params: BTreeMap<String, Value>,
}

impl Fields for Execution {
    const NAMES: &'static [&'static str] = &["pipeline", "params"];
}

/// Queues a run of a pipeline; answered when it is written.
#[utoipa::path(
    post,
    path = "/api/v1/executions",
    tag = "jobs",
    operation_id = "create_execution",
    request_body = Execution,
    responses(
        (
            status = 202,
            body = Job,
            description = "Queued",
            headers(("Location" = String, description = "The job")),
        ),
        (
            status = 400,
            body = Problem,
            content_type = "application/problem+json",
            description = "No such pipeline or parameter",
        ),
        (
            status = 503,
            body = Problem,
            content_type = "application/problem+json",
            description = "Too busy, or not written in time: then `job_id` names the job, which may still run",
        ),
    ),
)]
pub(super) async fn create(
    State(engine): State<Engine>,
    By(caller): By,
    query: Query,
    StrictJson(Execution { pipeline, params }): StrictJson<Execution>,
) -> Answer<(StatusCode, [(HeaderName, String); 1], Json<Job>)> {
    Params::of(query, &[])?;
    let params = params.into_iter().map(|(name, value)| (name, text(value))).collect();
    let job = engine.run(&caller, &pipeline, params).await?;
    let location = format!("/api/v1/jobs/{}", job.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(job)))
}

/// Parameters are texts; another value is taken as it is written.
fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
