//! What the pages' forms do without JavaScript: act, then lead to the page that shows it.

use super::{selected::selected, still::drawn::drawn};
use crate::auth::{By, Done, Routes, Rule};
use crate::path::Path;
use axum::{
    Extension, Form, Json,
    extract::{Request, State, rejection::FormRejection},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
};
use engine::{
    Caller, CancelError, DeleteError, Engine, PauseError, RetryError, RetryRequest, RunError,
    RunRequest,
};
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use shared::{ConnectionId, Job, JobId, Role};
use std::{collections::BTreeMap, fmt::Display};

/// The routes of the forms.
pub fn routes() -> Routes {
    let act = |name| Rule::Act(Role::Operator, name);
    Routes::new()
        .post("/jobs/selected", act("jobs.act"), selected)
        .post("/jobs/{id}/cancel", act("job.cancel"), cancel)
        .post("/jobs/{id}/retry", act("job.retry"), retry)
        .post("/jobs/{id}/delete", act("job.delete"), delete)
        .post("/pipelines/{name}/run", act("pipeline.run"), run)
        .post("/queues/{connection}/{name}/pause", act("queue.pause"), pause)
        .post("/queues/{connection}/{name}/resume", act("queue.resume"), resume)
        .wrap(|router| {
            router.layer(middleware::from_fn(in_place)).layer(middleware::from_fn(drawn))
        })
}

/// A page that sends its form itself (it accepts JSON) is told where to go instead of being led there: a
/// redirect that a script follows would fetch a document it has no use for.
async fn in_place(request: Request, next: Next) -> Response {
    let accept = request.headers().get(header::ACCEPT);
    let in_place = accept.is_some_and(|accept| accept == "application/json");
    let response = next.run(request).await;
    let to = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
    match to.filter(|_| in_place && response.status() == StatusCode::SEE_OTHER) {
        Some(to) => Json(serde_json::json!({ "to": to })).into_response(),
        None => response,
    }
}

/// Fields of a form: parameters are called `param.<name>`.
pub(super) type Fields = Result<Form<Vec<(String, String)>>, FormRejection>;

/// The parameters in a form; `None` where it has no field for any. One that was left empty was not given. Forms end
/// lines as mail does.
fn params(fields: Fields) -> Result<Option<BTreeMap<String, Value>>, Refusal> {
    let fields = match fields {
        Ok(Form(fields)) => fields.into_iter(),
        // No form at all says nothing.
        Err(FormRejection::InvalidFormContentType(_)) => return Ok(None),
        Err(wrong) => return Err(Refusal(Box::new(wrong.into_response()))),
    };
    let mut params = None;
    for (name, value) in fields {
        let Some(name) = name.strip_prefix("param.") else { continue };
        let params = params.get_or_insert_with(BTreeMap::new);
        if !value.is_empty() {
            params.insert(name.to_owned(), Value::String(value.replace("\r\n", "\n")));
        }
    }
    Ok(params)
}

/// What a form is answered with that was not obeyed.
pub(super) struct Refusal(pub(super) Box<Response>);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        *self.0
    }
}

async fn run(
    State(engine): State<Engine>,
    By(caller): By,
    Path(pipeline): Path<String>,
    fields: Fields,
) -> Result<Queued, Refusal> {
    let params = params(fields)?.unwrap_or_default();
    let request = RunRequest { pipeline, params, ..RunRequest::default() };
    engine.run(&caller, request).await.map(|job| queued(&job)).map_err(run_refused)
}

fn run_refused(error: RunError) -> Refusal {
    match error {
        RunError::UnknownPipeline(_) => refused(StatusCode::NOT_FOUND, error),
        RunError::Param(_) | RunError::TooFar => refused(StatusCode::BAD_REQUEST, error),
        RunError::KeyReused => refused(StatusCode::UNPROCESSABLE_ENTITY, error),
        RunError::Deleted { .. } => refused(StatusCode::GONE, error),
        RunError::Busy | RunError::Slow { .. } | RunError::Closed => later(error),
    }
}

async fn retry(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Queued, Refusal> {
    let id = job_id(&id)?;
    let params = params(fields)?;
    match engine.retry(&caller, id, RetryRequest { params, key: None }).await {
        Ok(job) => Ok(queued(&job)),
        Err(error @ RetryError::NotFound) => Err(refused(StatusCode::NOT_FOUND, error)),
        Err(error @ RetryError::NotOver(_)) => Err(refused(StatusCode::CONFLICT, error)),
        Err(RetryError::Run(error)) => Err(run_refused(error)),
        Err(error @ RetryError::Store(_)) => Err(later(error)),
    }
}

async fn delete(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
) -> Result<Redirect, Refusal> {
    let id = job_id(&id)?;
    match engine.delete(&caller, id).await {
        Ok(()) | Err(DeleteError::NotFound) => Ok(Redirect::to("/jobs")),
        Err(error @ DeleteError::NotOver(_)) => Err(refused(StatusCode::CONFLICT, error)),
        Err(error) => Err(later(error)),
    }
}

async fn cancel(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
) -> Result<Redirect, Refusal> {
    let id = job_id(&id)?;
    match engine.cancel(&caller, id, None).await {
        // It ended before the button was pressed; its page says how.
        Ok(_) | Err(CancelError::Over(_)) => Ok(to_job(id)),
        Err(error @ CancelError::NotFound) => Err(refused(StatusCode::NOT_FOUND, error)),
        Err(error) => Err(later(error)),
    }
}

async fn pause(
    State(engine): State<Engine>,
    By(caller): By,
    Path((connection, name)): Path<(String, String)>,
) -> Result<Redirect, Refusal> {
    set_paused(&engine, &caller, &connection, &name, true).await
}

async fn resume(
    State(engine): State<Engine>,
    By(caller): By,
    Path((connection, name)): Path<(String, String)>,
) -> Result<Redirect, Refusal> {
    set_paused(&engine, &caller, &connection, &name, false).await
}

async fn set_paused(
    engine: &Engine,
    caller: &Caller,
    connection: &str,
    name: &str,
    paused: bool,
) -> Result<Redirect, Refusal> {
    let Ok(connection) = connection.parse::<ConnectionId>() else {
        return Err(refused(StatusCode::NOT_FOUND, PauseError::NotFound));
    };
    let done = match paused {
        true => engine.pause_queue(caller, connection, name).await,
        false => engine.resume_queue(caller, connection, name).await,
    };
    match done {
        Ok(_) => Ok(Redirect::to("/queues")),
        Err(error @ PauseError::NotFound) => Err(refused(StatusCode::NOT_FOUND, error)),
        Err(error) => Err(later(error)),
    }
}

/// An id of any other shape belongs to no job either.
fn job_id(text: &str) -> Result<JobId, Refusal> {
    text.parse().map_err(|_| refused(StatusCode::NOT_FOUND, CancelError::NotFound))
}

/// A run was queued: to its page, and what of it the audit log says.
type Queued = (Extension<Done>, Redirect);

fn queued(job: &Job) -> Queued {
    (Extension(Done::queued(job)), to_job(job.id))
}

/// 303: the browser asks for the page, and a reload does not act again.
fn to_job(id: JobId) -> Redirect {
    Redirect::to(&format!("/jobs/{id}"))
}

pub(super) fn refused(status: StatusCode, error: impl Display) -> Refusal {
    Refusal(Box::new((status, format!("Not done: {error}.\n")).into_response()))
}

fn later(error: impl Display) -> Refusal {
    let mut response = refused(StatusCode::SERVICE_UNAVAILABLE, error);
    response.0.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
