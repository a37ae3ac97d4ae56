//! Pipelines: restarting one, and making, changing and deleting them where that is allowed.

use super::{
    pipelines::page,
    problem::{Answer, ApiError},
    request::{JsonObject, Params},
};
use crate::{auth::By, config, path::Path, query::Query, reload::Reloads};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use engine::{EditError, Engine, Put, RestartError};
use http::{StatusCode, header};
use serde::Serialize;
use shared::{JobId, page::PipelinePage, problem::Problem};
use utoipa::ToSchema;

/// What a restart did.
#[derive(Serialize, ToSchema)]
pub(super) struct Restarted {
    /// Runs that are being cancelled.
    cancelled: Vec<JobId>,
}

/// Cancels the runs of a pipeline that have begun, with their grace, and begins its log anew. Who reads the log
/// sees how those runs end; then it ends. What waits for its first attempt goes on waiting.
#[utoipa::path(
    post,
    path = "/api/v1/pipelines/{name}/restart",
    tag = "pipelines",
    operation_id = "restart_pipeline",
    params(("name" = String, Path, description = "Name of the pipeline")),
    responses(
        (status = 202, body = Restarted, description = "Its runs are being cancelled"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (
            status = 503,
            body = Problem,
            content_type = "application/problem+json",
            description = "Not every run could be cancelled: ask again",
        ),
    ),
)]
pub(super) async fn restart(
    State(engine): State<Engine>,
    By(caller): By,
    Path(name): Path<String>,
    query: Query,
) -> Answer<(StatusCode, Json<Restarted>)> {
    Params::of(query, &[])?;
    let cancelled = engine.restart_pipeline(&caller, &name).await?;
    Ok((StatusCode::ACCEPTED, Json(Restarted { cancelled })))
}

/// Makes a pipeline, or changes one that was made here. The body has the keys of a `[[pipeline]]` table of the
/// configuration file, and the same rules. Jobs keep the definition they were queued with.
#[utoipa::path(
    put,
    path = "/api/v1/pipelines/{name}",
    tag = "pipelines",
    operation_id = "put_pipeline",
    params(("name" = String, Path, description = "Name of the pipeline")),
    request_body(
        content = Object,
        description = "The keys of a `[[pipeline]]` table",
        example = json!({
            "cron": "@daily",
            "steps": [{ "name": "greet", "run": "echo hello", "timeout": "1m" }],
        }),
    ),
    responses(
        (status = 200, body = PipelinePage, description = "Changed, or as it was"),
        (
            status = 201,
            body = PipelinePage,
            description = "Made",
            headers(("Location" = String, description = "The pipeline")),
        ),
        (
            status = 400,
            body = Problem,
            content_type = "application/problem+json",
            description = "`errors` has every mistake with its field",
        ),
        (
            status = 403,
            body = Problem,
            content_type = "application/problem+json",
            description = "For admins, where the configuration has `allow_pipeline_editing = true`",
        ),
        (
            status = 409,
            body = Problem,
            content_type = "application/problem+json",
            description = "The configuration file has a pipeline of this name",
        ),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn put(
    State(engine): State<Engine>,
    State(reloads): State<Reloads>,
    By(caller): By,
    Path(name): Path<String>,
    query: Query,
    JsonObject(fields): JsonObject,
) -> Answer<Response> {
    Params::of(query, &[])?;
    engine.may_edit_pipeline(&name)?;
    let (queues, dir) = (engine.queue_definitions(), reloads.directory());
    let definition = config::pipeline_of_json(&name, fields, &queues, &dir);
    let definition = definition.map_err(ApiError::of_fields)?;
    let put = engine.put_pipeline(&caller, definition).await?;
    let page = page(&engine, &caller, &name).await?;
    Ok(match put {
        Put::Made => {
            let place = [(header::LOCATION, format!("/api/v1/pipelines/{name}"))];
            (StatusCode::CREATED, place, page).into_response()
        }
        Put::Changed | Put::Unchanged => page.into_response(),
    })
}

/// Deletes a pipeline that was made here. Its runs that are not over are cancelled, with their grace; its jobs
/// stay. Who reads its log sees how they end; then it ends.
#[utoipa::path(
    delete,
    path = "/api/v1/pipelines/{name}",
    tag = "pipelines",
    operation_id = "delete_pipeline",
    params(("name" = String, Path, description = "Name of the pipeline")),
    responses(
        (status = 204, description = "Deleted"),
        (
            status = 403,
            body = Problem,
            content_type = "application/problem+json",
            description = "For admins, where the configuration has `allow_pipeline_editing = true`",
        ),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (
            status = 409,
            body = Problem,
            content_type = "application/problem+json",
            description = "The configuration file has it",
        ),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn delete(
    State(engine): State<Engine>,
    By(caller): By,
    Path(name): Path<String>,
    query: Query,
) -> Answer<StatusCode> {
    Params::of(query, &[])?;
    engine.delete_pipeline(&caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<EditError> for ApiError {
    fn from(error: EditError) -> Self {
        let status = match error {
            EditError::NotAllowed => StatusCode::FORBIDDEN,
            EditError::InFile(_) | EditError::TooMany => StatusCode::CONFLICT,
            EditError::NotFound(_) => StatusCode::NOT_FOUND,
            EditError::Busy | EditError::Slow | EditError::Closed => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        Self::new(status, error.to_string())
    }
}

impl From<RestartError> for ApiError {
    fn from(error: RestartError) -> Self {
        let status = match error {
            RestartError::NotFound(_) => StatusCode::NOT_FOUND,
            RestartError::Cancel(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}
