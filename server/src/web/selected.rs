//! One action on several jobs: what the list of jobs can do with those that are selected.

use super::forms::{Fields, Refusal, refused};
use crate::auth::{By, Done, Visitor};
use axum::{
    Extension, Form, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use engine::{Caller, Engine, RetryRequest};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;
use shared::JobId;
use std::collections::{BTreeMap, BTreeSet};
use tokio::task::JoinSet;

/// Jobs acted on at once.
const MOST: usize = 500;

#[derive(Clone, Copy)]
enum Act {
    Cancel,
    Retry,
    Delete,
}

impl Act {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "cancel" => Self::Cancel,
            "retry" => Self::Retry,
            "delete" => Self::Delete,
            _ => return None,
        })
    }

    fn done(self) -> &'static str {
        match self {
            Self::Cancel => "asked to end",
            Self::Retry => "run again",
            Self::Delete => "deleted",
        }
    }

    /// As the same done to one job is called in the audit log.
    fn action(self) -> &'static str {
        match self {
            Self::Cancel => "job.cancel",
            Self::Retry => "job.retry",
            Self::Delete => "job.delete",
        }
    }

    /// Does it to one job, and says what was done; why not, otherwise.
    async fn one(self, engine: &Engine, caller: &Caller, id: JobId) -> Result<Done, String> {
        match self {
            Self::Cancel => {
                let cancelled = engine.cancel(caller, id, None).await;
                cancelled.map_err(|e| e.to_string())?;
            }
            Self::Retry => {
                let again = RetryRequest { params: None, key: None };
                let job = engine.retry(caller, id, again).await.map_err(|e| e.to_string())?;
                return Ok(Done::queued(&job));
            }
            Self::Delete => engine.delete(caller, id).await.map_err(|e| e.to_string())?,
        }
        Ok(Done::to(format!("/jobs/{id}")))
    }
}

/// `act` is `cancel`, `retry` or `delete`; `id` comes once for each job. Each job is acted on for itself:
/// the answer says of how many it was done, and why of others it was not. What was done is written down for each.
pub async fn selected(
    State(engine): State<Engine>,
    By(caller): By,
    visitor: Visitor,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Refusal> {
    let Form(fields) = fields.map_err(|wrong| Refusal(Box::new(wrong.into_response())))?;
    let bad = |why: &str| refused(StatusCode::BAD_REQUEST, why);
    let act = fields.iter().find(|(name, _)| name == "act").and_then(|(_, act)| Act::of(act));
    let act = act.ok_or_else(|| bad("act is one of cancel, retry, delete"))?;
    let ids = fields.iter().filter(|(name, _)| name == "id").map(|(_, id)| id.parse::<JobId>());
    let ids: BTreeSet<JobId> =
        ids.collect::<Result<_, _>>().map_err(|_| bad("id: one of them is not the id of a job"))?;
    if ids.is_empty() || ids.len() > MOST {
        return Err(bad(&format!(
            "id: 1 to {MOST} jobs can be selected at once, not {}",
            ids.len()
        )));
    }
    let said = all(act, &engine, (&caller, &visitor), ids).await;
    let done = Extension(Done { detail: Some(said.clone()), ..Done::to("/jobs/selected") });
    let in_place = headers.get(header::ACCEPT).is_some_and(|accept| accept == "application/json");
    Ok(match in_place {
        true => (done, Json(json!({ "said": said }))).into_response(),
        false => (done, format!("{said}.\n")).into_response(),
    })
}

/// At the same time, so that they share commits.
async fn all(
    act: Act,
    engine: &Engine,
    (caller, visitor): (&Caller, &Visitor),
    ids: BTreeSet<JobId>,
) -> String {
    let mut tasks = JoinSet::new();
    for id in ids {
        let (engine, caller, visitor) = (engine.clone(), caller.clone(), visitor.clone());
        tasks.spawn(async move {
            let done = act.one(&engine, &caller, id).await?;
            let entry = done.entry(&caller, &visitor, act.action(), StatusCode::OK);
            visitor.access.audit(entry).await;
            Ok(())
        });
    }
    let mut done = 0;
    let mut refusals = BTreeMap::<String, u32>::new();
    while let Some(answer) = tasks.join_next().await {
        match answer.map_err(|error| error.to_string()).and_then(|answer| answer) {
            Ok(()) => done += 1,
            Err(why) => *refusals.entry(why).or_default() += 1,
        }
    }
    let mut said = format!("{done} {}", act.done());
    for (why, count) in refusals {
        said.push_str(&format!("; {count} not: {why}"));
    }
    said
}
