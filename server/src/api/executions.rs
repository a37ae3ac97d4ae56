//! Executions: running a pipeline.

use super::{
    problem::{Answer, ApiError, bad_field},
    request::{Fields, Params, StrictJson},
};
use crate::{
    auth::{By, Done},
    query::Query,
};
use axum::{
    Extension, Json,
    extract::{FromRequestParts, State},
};
use engine::{Engine, RunRequest};
use http::{HeaderName, StatusCode, header, request::Parts};
use serde::Deserialize;
use serde_json::Value;
use shared::{Job, Timestamp, problem::Problem};
use std::{collections::BTreeMap, ops::RangeInclusive};
use utoipa::ToSchema;

const PRIORITIES: RangeInclusive<i32> = -100..=100;
const LONGEST_KEY: usize = 200;
const WANTED_PRIORITY: &str = "a whole number from -100 to 100";
pub(super) const WANTED_PARAMS: &str = "an object of names and values: text, numbers or booleans";

/// What to run.
#[derive(Deserialize, ToSchema)]
pub(super) struct Execution {
    /// Name of the pipeline.
    pipeline: String,
    /// Values of its parameters: text, numbers or booleans.
    #[serde(default)]
    params: BTreeMap<String, Value>,
    /// Not before this; at most a year ahead.
    run_at: Option<Timestamp>,
    /// -100 to 100, higher ones are taken first; the pipeline's when absent.
    #[schema(minimum = -100, maximum = 100)]
    priority: Option<i32>,
}

impl Fields for Execution {
    const NAMES: &'static [&'static str] = &["pipeline", "params", "run_at", "priority"];
    const WANTED: &'static [(&'static str, &'static str)] = &[
        ("pipeline", "the name of a pipeline, as text"),
        ("params", WANTED_PARAMS),
        (
            "run_at",
            "a time such as \"2026-02-27T10:30:00Z\" or \"2026-02-27T16:00:00+05:30\" (RFC 3339)",
        ),
        ("priority", WANTED_PRIORITY),
    ];
}

/// Queues a run of a pipeline; answered when it is written.
#[utoipa::path(
    post,
    path = "/api/v1/executions",
    tag = "jobs",
    operation_id = "create_execution",
    params(
        (
            "Idempotency-Key" = Option<String>,
            Header,
            description = "The same key with the same body is answered with the same job for 24 hours, or with 410 once that is deleted",
        ),
    ),
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
    key: IdempotencyKey,
    StrictJson(Execution { pipeline, params, run_at, priority }): StrictJson<Execution>,
) -> Answer<Made> {
    Params::of(query, &[])?;
    if priority.is_some_and(|priority| !PRIORITIES.contains(&priority)) {
        return Err(bad_field("priority", format!("wanted is {WANTED_PRIORITY}")));
    }
    let request = RunRequest { pipeline, params, run_at, priority, key: key.0 };
    Ok(made(engine.run(&caller, request).await?))
}

/// A job was made: 202, and where it is.
pub(super) type Made = (StatusCode, [(HeaderName, String); 1], Extension<Done>, Json<Job>);

pub(super) fn made(job: Job) -> Made {
    let location = format!("/api/v1/jobs/{}", job.id);
    let done = Extension(Done::queued(&job));
    (StatusCode::ACCEPTED, [(header::LOCATION, location)], done, Json(job))
}

/// The header of that name, once: 1 to 200 visible characters of ASCII.
pub(super) struct IdempotencyKey(pub Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        let mut keys = parts.headers.get_all("idempotency-key").iter();
        let Some(key) = keys.next() else { return Ok(Self(None)) };
        if keys.next().is_some() {
            return Err(bad_field("Idempotency-Key", "a request has one, not several"));
        }
        let text = key.to_str().ok().filter(|key| {
            (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
        });
        match text {
            Some(text) => Ok(Self(Some(text.to_owned()))),
            None => Err(bad_field(
                "Idempotency-Key",
                format!("wanted are 1 to {LONGEST_KEY} visible characters of ASCII"),
            )),
        }
    }
}
