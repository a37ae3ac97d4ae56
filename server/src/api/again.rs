//! Jobs that are over: running one again, deleting one.

use super::{
    executions::{IdempotencyKey, Made, WANTED_PARAMS, made},
    problem::{Answer, delete_error, job_id, retry_error},
    request::{Fields, Params, StrictJson},
};
use crate::{auth::By, path::Path, query::Query};
use axum::extract::State;
use engine::{Engine, RetryRequest};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use shared::{Job, problem::Problem};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Running a job again.
#[derive(Deserialize, ToSchema)]
pub(super) struct Retry {
    /// Values of its parameters; as they were when absent.
    params: Option<BTreeMap<String, Value>>,
}

impl Fields for Retry {
    const NAMES: &'static [&'static str] = &["params"];
    const WANTED: &'static [(&'static str, &'static str)] = &[("params", WANTED_PARAMS)];
}

/// Makes a new job of one that is over, of what its pipeline is now.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/{id}/retry",
    tag = "jobs",
    operation_id = "retry_job",
    params(
        ("id" = String, Path, description = "Id of the job"),
        (
            "Idempotency-Key" = Option<String>,
            Header,
            description = "The same key with the same body is answered with the same job for 24 hours, or with 410 once that is deleted",
        ),
    ),
    request_body = Option<Retry>,
    responses(
        (
            status = 202,
            body = Job,
            description = "The new job is queued",
            headers(("Location" = String, description = "The new job")),
        ),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (
            status = 409,
            body = Problem,
            content_type = "application/problem+json",
            description = "The job is not over, or its pipeline is gone",
        ),
        (
            status = 410,
            body = Problem,
            content_type = "application/problem+json",
            description = "The job that this Idempotency-Key made is deleted; `job_id` names it",
        ),
        (
            status = 422,
            body = Problem,
            content_type = "application/problem+json",
            description = "The Idempotency-Key was used for another request",
        ),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn retry(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
    query: Query,
    key: IdempotencyKey,
    StrictJson(Retry { params }): StrictJson<Retry>,
) -> Answer<Made> {
    Params::of(query, &[])?;
    let id = job_id(&id)?;
    let request = RetryRequest { params, key: key.0 };
    let job = engine.retry(&caller, id, request).await.map_err(|error| retry_error(id, error))?;
    Ok(made(job))
}

/// Deletes a job that is over, with its log and all that belongs to it.
#[utoipa::path(
    delete,
    path = "/api/v1/jobs/{id}",
    tag = "jobs",
    operation_id = "delete_job",
    params(
        ("id" = String, Path, description = "Id of the job"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (
            status = 409,
            body = Problem,
            content_type = "application/problem+json",
            description = "The job is not over",
        ),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn delete(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
    query: Query,
) -> Answer<StatusCode> {
    Params::of(query, &[])?;
    let id = job_id(&id)?;
    engine.delete(&caller, id).await.map_err(|error| delete_error(id, error))?;
    Ok(StatusCode::NO_CONTENT)
}
