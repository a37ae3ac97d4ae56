//! Connections: the systems being watched.

use super::{problem::Answer, request::Params};
use crate::{auth::By, query::Query};
use axum::{Json, extract::State};
use engine::Engine;
use shared::{Connection, Rows, problem::Problem};

/// All connections with their freshness.
#[utoipa::path(
    get,
    path = "/api/v1/connections",
    tag = "connections",
    operation_id = "list_connections",
    responses(
        (status = 200, body = Rows<Connection>),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    By(caller): By,
    query: Query,
) -> Answer<Json<Rows<Connection>>> {
    Params::of(query, &[])?;
    Ok(Json(engine.connections(&caller).await?))
}
