//! Jobs: the list, one job, and asking for its cancel.

use super::{
    problem::{Answer, cancel_error, job_id, job_not_found},
    request::{Fields, Params, StrictJson},
};
use crate::{auth::By, path::Path, query::Query};
use axum::{Json, extract::State};
use engine::{Engine, store::JobsQuery};
use http::StatusCode;
use serde::Deserialize;
use shared::{Job, JobFilter, Page, job::JobDetail, problem::Problem};
use utoipa::{IntoParams, ToSchema};

/// Rows of a page when `limit` is absent, and at most.
const LIMIT: i64 = 50;
const MOST: i64 = 200;
/// Characters kept of a reason.
const LONGEST_WHY: usize = 500;

/// Which page of which list. A parameter with an empty value is as good as absent: any.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters that `jobs_query` reads")]
pub(super) struct JobsParams {
    /// Comma list of connection ids.
    connection: Option<String>,
    /// Comma list of job states.
    state: Option<String>,
    /// Name of a queue.
    queue: Option<String>,
    /// Id of a worker.
    worker: Option<String>,
    /// Created at or after this (RFC 3339; the `+` of an offset is written `%2B` in an address).
    from: Option<String>,
    /// Created before this (RFC 3339; the `+` of an offset is written `%2B` in an address).
    to: Option<String>,
    /// Words in name, parameters, error or ids; the last one may be a beginning. Newest first, whatever `sort` says.
    q: Option<String>,
    /// `created` (default), `finished` or `duration`: always downwards; the latter two only have jobs that are over.
    sort: Option<String>,
    /// Name of a pipeline.
    pipeline: Option<String>,
    /// `next_cursor` of the page before, with the same filters.
    cursor: Option<String>,
    /// Rows, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Reads [`JobsParams`].
pub(super) fn jobs_query(query: Query) -> Answer<JobsQuery> {
    const NAMES: [&str; 11] = [
        "connection",
        "state",
        "queue",
        "worker",
        "pipeline",
        "from",
        "to",
        "q",
        "sort",
        "cursor",
        "limit",
    ];
    let params = Params::of(query, &NAMES)?;
    let limit = params.number("limit", 1, MOST)?.unwrap_or(LIMIT);
    Ok(JobsQuery {
        filter: JobFilter {
            connections: params.list("connection")?,
            states: params.list("state")?,
            queue: params.text("queue"),
            worker: params.text("worker"),
            pipeline: params.text("pipeline"),
            from: params.one("from")?,
            to: params.one("to")?,
            q: params.text("q").filter(|q| !q.trim().is_empty()),
        },
        sort: params.one("sort")?.unwrap_or_default(),
        cursor: params.text("cursor"),
        limit: u32::try_from(limit).unwrap_or_default(),
    })
}

/// Jobs, newest first. A filter whose value is empty is as good as absent: any.
#[utoipa::path(
    get,
    path = "/api/v1/jobs",
    tag = "jobs",
    operation_id = "list_jobs",
    params(JobsParams),
    responses(
        (status = 200, body = Page<Job>),
        (
            status = 400,
            body = Problem,
            content_type = "application/problem+json",
            description = "An unknown or malformed parameter, or the cursor of another list",
        ),
    ),
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    By(caller): By,
    query: Query,
) -> Answer<Json<Page<Job>>> {
    Ok(Json(engine.jobs(&caller, &jobs_query(query)?).await?))
}

/// One job with its steps, attempts and timeline.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}",
    tag = "jobs",
    operation_id = "show_job",
    params(
        ("id" = String, Path, description = "Id of the job"),
    ),
    responses(
        (status = 200, body = JobDetail),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Json<JobDetail>> {
    Params::of(query, &[])?;
    let job = engine.job(&caller, job_id(&id)?).await?;
    job.map(Json).ok_or_else(|| job_not_found(&id))
}

/// Asking for a cancel.
#[derive(Deserialize, ToSchema)]
pub(super) struct Cancel {
    /// For the timeline.
    #[schema(max_length = 500)]
    why: Option<String>,
}

impl Fields for Cancel {
    const NAMES: &'static [&'static str] = &["why"];
    const WANTED: &'static [(&'static str, &'static str)] = &[("why", "a text")];
}

/// Asks for a job to be cancelled. A second time, a running job is not given time to tidy up.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/{id}/cancel",
    tag = "jobs",
    operation_id = "cancel_job",
    params(
        ("id" = String, Path, description = "Id of the job"),
    ),
    request_body = Option<Cancel>,
    responses(
        (status = 202, body = Job, description = "The request is written; the job's end decides"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (
            status = 409,
            body = Problem,
            content_type = "application/problem+json",
            description = "The job is over",
        ),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn cancel(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
    query: Query,
    StrictJson(Cancel { why }): StrictJson<Cancel>,
) -> Answer<(StatusCode, Json<Job>)> {
    Params::of(query, &[])?;
    let id = job_id(&id)?;
    let why = why.map(|why| why.chars().take(LONGEST_WHY).collect());
    let job = engine.cancel(&caller, id, why).await.map_err(|error| cancel_error(id, error))?;
    Ok((StatusCode::ACCEPTED, Json(job)))
}
