//! A job's log as a file, named for people.

use super::{
    problem::{Answer, ApiError, bad_field, job_id, job_not_found},
    request::Params,
};
use crate::{auth::By, path::Path, query::Query, web::Download};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use engine::Engine;
use http::{HeaderMap, StatusCode};
use shared::{JobId, problem::Problem};

/// All bytes of the log as it is now, as they were printed: `<pipeline>-<end of the id>.log`.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}/log/download",
    tag = "logs",
    operation_id = "download_log",
    params(
        ("id" = String, Path, description = "Id of the job"),
        (
            "format" = Option<String>,
            Query,
            description = "`text` (when absent; takes ranges) or `gzip`, as a file ending in `.gz`",
        ),
    ),
    responses(
        (status = 200, content((String = "text/plain"), (String = "application/gzip"))),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 416, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn download(
    State(engine): State<Engine>,
    By(caller): By,
    Path(text): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Answer<Response> {
    let gzip = match Params::of(query, &["format"])?.text("format").as_deref() {
        None | Some("text") => false,
        Some("gzip") => true,
        Some(_) => return Err(bad_field("format", "a format is one of text, gzip")),
    };
    let id = job_id(&text)?;
    let job = engine.job(&caller, id).await?.ok_or_else(|| job_not_found(&text))?;
    let (file, len) = engine.log_file(&caller, id).await?.ok_or_else(|| job_not_found(&text))?;
    let name = file_name(job.job.pipeline.as_deref().unwrap_or(&job.job.name), id);
    Ok(Download { id, name, file, len, gzip }.answer(&headers, || {
        let detail = format!("the log has {len} bytes");
        ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, detail).into_response()
    }))
}

/// The end of an id tells two jobs apart; its beginning is a time.
fn file_name(pipeline: &str, id: JobId) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let pipeline: String = pipeline.chars().map(plain).collect();
    let id = id.to_string();
    format!("{pipeline}-{}.log", &id[id.len().saturating_sub(8)..])
}
