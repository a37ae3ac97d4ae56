//! What the pages' forms do without JavaScript: act, then lead to the page that shows it.

use crate::{auth::By, served::Served};
use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use engine::{CancelError, Engine, RunError, RunRequest};
use http::{HeaderValue, StatusCode, header};
use shared::JobId;
use std::fmt::Display;

/// The routes of the forms.
pub fn router() -> Router<Served> {
    Router::new().route("/jobs/{id}/cancel", post(cancel)).route("/pipelines/{name}/run", post(run))
}

async fn run(
    State(engine): State<Engine>,
    By(caller): By,
    Path(pipeline): Path<String>,
) -> Result<Redirect, Response> {
    match engine.run(&caller, RunRequest { pipeline, ..RunRequest::default() }).await {
        Ok(job) => Ok(to_job(job.id)),
        Err(error @ RunError::UnknownPipeline(_)) => Err(refused(StatusCode::NOT_FOUND, error)),
        Err(error @ RunError::Param(_)) => Err(refused(StatusCode::BAD_REQUEST, error)),
        Err(error) => Err(later(error)),
    }
}

async fn cancel(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
) -> Result<Redirect, Response> {
    let Ok(id) = id.parse::<JobId>() else {
        return Err(refused(StatusCode::NOT_FOUND, CancelError::NotFound));
    };
    match engine.cancel(&caller, id, None).await {
        // It ended before the button was pressed; its page says how.
        Ok(_) | Err(CancelError::Over(_)) => Ok(to_job(id)),
        Err(error @ CancelError::NotFound) => Err(refused(StatusCode::NOT_FOUND, error)),
        Err(error) => Err(later(error)),
    }
}

/// 303: the browser asks for the page, and a reload does not act again.
fn to_job(id: JobId) -> Redirect {
    Redirect::to(&format!("/jobs/{id}"))
}

fn refused(status: StatusCode, error: impl Display) -> Response {
    (status, format!("Not done: {error}.\n")).into_response()
}

fn later(error: impl Display) -> Response {
    let mut response = refused(StatusCode::SERVICE_UNAVAILABLE, error);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
