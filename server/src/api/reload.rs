//! The configuration: reading it again.

use super::{
    problem::{Answer, ApiError},
    request::Params,
};
use crate::{
    auth::By,
    config::ConfigError,
    query::Query,
    reload::{Reloaded, Reloads},
};
use axum::{Json, extract::State};
use http::StatusCode;
use serde::Serialize;
use shared::problem::Problem;
use utoipa::ToSchema;

/// What a reload changed, and what it could not change.
#[derive(Serialize, ToSchema)]
#[schema(as = Reloaded)]
pub(super) struct ReloadAnswer {
    /// Names of pipelines that were not there before.
    added: Vec<String>,
    /// Names of those that are defined otherwise than before.
    changed: Vec<String>,
    /// Names of those that are not there any more.
    removed: Vec<String>,
    /// Keys of other settings that the file has otherwise than before, such as `min_free_disk`; they hold from now on.
    settings: Vec<&'static str>,
    /// Keys of settings that the file has otherwise than at the start of the server; they hold from its next start
    /// on: `public_url`, `trusted_proxies`, and those of `limits` and `access`.
    at_next_start: Vec<&'static str>,
}

/// Reads the configuration file again: all of it holds from now on, or nothing changes. Jobs keep the
/// definition they were queued with.
#[utoipa::path(
    post,
    path = "/api/v1/config/reload",
    tag = "configuration",
    operation_id = "reload_config",
    responses(
        (status = 200, body = ReloadAnswer),
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
) -> Answer<Json<ReloadAnswer>> {
    Params::of(query, &[])?;
    match reloads.now().await {
        Ok(Reloaded { at_once, at_next_start }) => {
            tracing::info!(by = %caller.name, "reload asked for");
            let engine::Reloaded { added, changed, removed, settings } = at_once;
            Ok(Json(ReloadAnswer { added, changed, removed, settings, at_next_start }))
        }
        Err(error @ (ConfigError::Unreadable { .. } | ConfigError::Wrong(_))) => {
            Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
        }
    }
}
