//! Contract 2, `…/logs/static` and `…/logs/info`: the log as a file.

use super::{
    job::{Refusal, job_id},
    job_logs::flag,
};
use crate::{auth::By, path::Path, query::Query, web::Download};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use engine::Engine;
use http::{HeaderMap, StatusCode};
use shared::{JobId, log::LogDownloadInfo};

pub async fn info(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
) -> Result<Json<LogDownloadInfo>, Refusal> {
    let id = job_id(&id)?;
    let info = engine.log_info(&caller, id).await.map_err(|error| Refusal::read(&error, id))?;
    let (info, modified) = info.ok_or_else(|| Refusal::no_job(&id.to_string()))?;
    Ok(Json(LogDownloadInfo {
        job_id: id,
        log_file: file_name(id),
        size_bytes: info.bytes,
        lines: info.lines,
        last_modified: modified.ok_or_else(|| Refusal::no_log(id))?,
    }))
}

pub async fn download(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let gzip = flag(&query, "gzip")?.unwrap_or(false);
    let id = job_id(&id)?;
    let file = engine.log_file(&caller, id).await.map_err(|error| Refusal::read(&error, id))?;
    let (file, len) = file.ok_or_else(|| Refusal::no_job(&id.to_string()))?;
    let download = Download { id, name: file_name(id), file, len, gzip };
    Ok(download.answer(&headers, || {
        let detail = Json(serde_json::json!({ "detail": format!("The log has {len} bytes") }));
        (StatusCode::RANGE_NOT_SATISFIABLE, detail).into_response()
    }))
}

fn file_name(id: JobId) -> String {
    format!("tailboard-{id}.log")
}
