//! The configuration: reading it again.

use super::{
    problem::{Answer, ApiError},
    request::Params,
};
use crate::{auth::By, config::ConfigError, query::Query, reload::Reloads};
use axum::{Json, extract::State};
use http::StatusCode;
use serde::Serialize;
use shared::problem::Problem;
use utoipa::ToSchema;

/// Names of the pipelines that a reload changed.
#[derive(Serialize, ToSchema)]
pub(super) struct Reloaded {
    added: Vec<String>,
    changed: Vec<String>,
    removed: Vec<String>,
}

/// Reads the configuration file again: all of it holds from now on, or nothing changes. Jobs keep the
/// definition they were queued with.
#[utoipa::path(
    post,
    path = "/api/v1/config/reload",
    tag = "configuration",
    operation_id = "reload_config",
    responses(
        (status = 200, body = Reloaded),
        (
            status = 422,
            body = Problem,
            content_type = "application/problem+json",
            description = "Every mistake of the file, one per line",
        ),
    ),
)]
pub(super) async fn reload(
    State(reloads): State<Reloads>,
    By(caller): By,
    query: Query,
) -> Answer<Json<Reloaded>> {
    Params::of(query, &[])?;
    match reloads.now().await {
        Ok(engine::Reloaded { added, changed, removed }) => {
            tracing::info!(by = %caller.name, "reload asked for");
            Ok(Json(Reloaded { added, changed, removed }))
        }
        Err(error @ (ConfigError::Unreadable { .. } | ConfigError::Wrong(_))) => {
            Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
        }
    }
}
