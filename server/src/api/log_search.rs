//! Search in a job's log.

use super::{
    problem::{Answer, bad_field, job_id, job_not_found},
    request::Params,
};
use crate::{auth::By, path::Path, query::Query};
use axum::{Json, extract::State};
use engine::{
    Engine, LogSearch,
    logs::search::{Search, Way},
};
use shared::{log::LogMatches, problem::Problem};

const LIMIT: i64 = 1000;
const MOST: i64 = 10_000;

/// Lines in which something is seen, without escapes and what was written over. One request looks at
/// 64 MiB at most, and for about a second; `next` says where the next one goes on.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}/log/search",
    tag = "logs",
    operation_id = "search_log",
    params(
        ("id" = String, Path, description = "Id of the job"),
        ("q" = String, Query, description = "What to look for, 1 to 256 bytes"),
        ("mode" = Option<String>, Query, description = "`plain` (when absent) or `regex`"),
        ("case" = Option<String>, Query, description = "`ignore` (when absent) or `match`"),
        (
            "from" = Option<u64>,
            Query,
            description = "The first line looked at; forwards from there. Absent: from the beginning",
        ),
        (
            "before" = Option<u64>,
            Query,
            description = "Backwards from the line before this one, the nearest first; not with `from`",
        ),
        (
            "limit" = Option<u32>,
            Query,
            maximum = 10_000,
            description = "How many line numbers come back, 1,000 when absent; all are counted",
        ),
        (
            "first" = Option<bool>,
            Query,
            description = "Ends with the last line that comes back: none beyond it is counted. Always \
                           so for one line backwards",
        ),
    ),
    responses(
        (status = 200, body = LogMatches),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn search(
    State(engine): State<Engine>,
    By(caller): By,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Json<LogMatches>> {
    let search = search_of(query)?;
    let matches = engine.search_log(&caller, job_id(&id)?, search).await?;
    matches.map(Json).ok_or_else(|| job_not_found(&id))
}

fn search_of(query: Query) -> Answer<LogSearch> {
    let known = ["q", "mode", "case", "from", "before", "limit", "first"];
    let params = Params::of(query, &known)?;
    let line = |name| -> Answer<Option<u64>> {
        let number = params.number(name, 0, i64::MAX)?;
        Ok(number.map(i64::unsigned_abs))
    };
    let way = match (line("from")?, line("before")?) {
        (Some(_), Some(_)) => return Err(bad_field("before", "there is from or before, not both")),
        (from, None) => Way::From(from.unwrap_or_default()),
        (None, Some(before)) => Way::Before(before),
    };
    let limit = params.number("limit", 0, MOST)?.unwrap_or(LIMIT);
    let first = params.one("first")?.unwrap_or_default();
    if first && limit == 0 {
        return Err(bad_field("first", "no line is wanted: limit is 0"));
    }
    let first = first || (limit == 1 && matches!(way, Way::Before(_)));
    Ok(LogSearch {
        text: params.text("q").unwrap_or_default(),
        mode: params.one("mode")?.unwrap_or_default(),
        case: params.one("case")?.unwrap_or_default(),
        // MOST fits every usize.
        part: Search { way, limit: usize::try_from(limit).unwrap_or_default(), first },
    })
}
