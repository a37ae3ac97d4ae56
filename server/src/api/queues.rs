//! Queues: where jobs wait.

use super::{
    problem::{Answer, bad_field},
    request::Params,
};
use crate::{auth::By, path::Path, query::Query};
use axum::{Json, extract::State};
use engine::{Caller, Engine, PauseError};
use shared::{ConnectionId, Queue, Rows, problem::Problem};

/// All queues as they stand now.
#[utoipa::path(
    get,
    path = "/api/v1/queues",
    tag = "queues",
    operation_id = "list_queues",
    responses(
        (status = 200, body = Rows<Queue>),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    By(caller): By,
    query: Query,
) -> Answer<Json<Rows<Queue>>> {
    Params::of(query, &[])?;
    Ok(Json(engine.queues(&caller).await?))
}

/// Claims nothing more from a queue; what runs goes on.
#[utoipa::path(
    post,
    path = "/api/v1/queues/{name}/pause",
    tag = "queues",
    operation_id = "pause_queue",
    params(
        ("name" = String, Path, description = "Name of the queue"),
        ("connection" = Option<String>, Query, description = "Whose queue; may be absent while there is one of that name"),
    ),
    responses(
        (status = 200, body = Queue, description = "It is paused"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn pause(
    State(engine): State<Engine>,
    By(caller): By,
    Path(name): Path<String>,
    query: Query,
) -> Answer<Json<Queue>> {
    let connection = connection_of(&engine, &caller, &name, query).await?;
    Ok(Json(engine.pause_queue(&caller, connection, &name).await?))
}

/// Claims from a queue again.
#[utoipa::path(
    post,
    path = "/api/v1/queues/{name}/resume",
    tag = "queues",
    operation_id = "resume_queue",
    params(
        ("name" = String, Path, description = "Name of the queue"),
        ("connection" = Option<String>, Query, description = "Whose queue; may be absent while there is one of that name"),
    ),
    responses(
        (status = 200, body = Queue, description = "It goes on"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn resume(
    State(engine): State<Engine>,
    By(caller): By,
    Path(name): Path<String>,
    query: Query,
) -> Answer<Json<Queue>> {
    let connection = connection_of(&engine, &caller, &name, query).await?;
    Ok(Json(engine.resume_queue(&caller, connection, &name).await?))
}

async fn connection_of(
    engine: &Engine,
    caller: &Caller,
    name: &str,
    query: Query,
) -> Answer<ConnectionId> {
    let named: Vec<ConnectionId> = Params::of(query, &["connection"])?.list("connection")?;
    let queues = engine.queues(caller).await?.items.into_iter();
    let found: Vec<_> = queues
        .filter(|queue| queue.name == name)
        .map(|queue| queue.connection_id)
        .filter(|connection| named.is_empty() || named.contains(connection))
        .collect();
    match found.as_slice() {
        [] => Err(PauseError::NotFound.into()),
        [one] => Ok(*one),
        _ => {
            Err(bad_field("connection", "several connections have a queue of that name: say which"))
        }
    }
}
