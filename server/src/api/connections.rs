//! Connections: the systems being watched.

use super::{
    problem::{Answer, connection_id},
    request::{Fields, Params, StrictJson},
};
use crate::{
    auth::{By, Done},
    path::Path,
    query::Query,
};
use axum::{Extension, Json, extract::State};
use engine::Engine;
use serde::Deserialize;
use shared::{Connection, Rows, problem::Problem};
use utoipa::ToSchema;

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

/// What to change of a connection.
#[derive(Deserialize, ToSchema)]
pub(super) struct ConnectionChanges {
    events: Events,
}

/// Whether streams are told what happens.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Events {
    On,
    Off,
}

impl Fields for ConnectionChanges {
    const NAMES: &'static [&'static str] = &["events"];
    const WANTED: &'static [(&'static str, &'static str)] = &[("events", "\"on\" or \"off\"")];
}

/// Switches the events of a connection off, or on again. What happens while they are off is stored as
/// ever; streams of one job read it from there.
#[utoipa::path(
    patch,
    path = "/api/v1/connections/{id}",
    tag = "connections",
    operation_id = "change_connection",
    params(("id" = String, Path, description = "Id of the connection")),
    request_body = ConnectionChanges,
    responses(
        (status = 200, body = Connection, description = "As it is from now on"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (
            status = 403,
            body = Problem,
            content_type = "application/problem+json",
            description = "Only an admin may",
        ),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn change(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
    query: Query,
    StrictJson(ConnectionChanges { events }): StrictJson<ConnectionChanges>,
) -> Answer<(Extension<Done>, Json<Connection>)> {
    Params::of(query, &[])?;
    let on = events == Events::On;
    let row = engine.switch_events(&caller, connection_id(&id)?, on).await?;
    let detail = Some(if on { "on" } else { "off" }.to_owned());
    Ok((Extension(Done { detail, ..Done::to(&row.name) }), Json(row)))
}
