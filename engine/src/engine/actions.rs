//! What a caller can do.

use super::Engine;
use crate::{
    Caller, Observation,
    board::{Applied, Refused, SendError},
    observation::{NewJob, NewStep},
    runner::blocking,
};
use shared::{CancelRequest, Job, JobId, JobState, Timestamp};
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

/// How long an action waits for its commit before it answers that it does not know.
const COMMIT_TIME: Duration = Duration::from_secs(5);

/// Why a pipeline was not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("there is no pipeline {0:?}")]
    UnknownPipeline(String),
    #[error("{name:?} is no parameter of this pipeline")]
    UnknownParam { name: String },
    #[error("the board has more to do than it can take on; nothing was queued")]
    Busy,
    /// Not committed after five seconds; it still may be.
    #[error("job {job} is not stored yet; it may still run")]
    Slow { job: JobId },
    #[error("the server is ending")]
    Closed,
}

/// Why a job was not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    #[error("there is no such job")]
    NotFound,
    #[error("the job is {0} already")]
    Over(JobState),
    #[error("the board has more to do than it can take on; nothing was done")]
    Busy,
    /// Not committed after five seconds; it still may be.
    #[error("the request is not stored yet; the job may still be cancelled")]
    Slow,
    #[error("the job cannot be read: {0}")]
    Store(#[from] crate::store::StoreError),
    #[error("the server is ending")]
    Closed,
}

impl Engine {
    /// Queues a run of a pipeline; resolves when that is committed.
    ///
    /// # Errors
    /// As [`RunError`] says; of `UnknownPipeline`, `UnknownParam` and `Busy` nothing is left behind.
    pub async fn run(
        &self,
        caller: &Caller,
        pipeline: &str,
        params: BTreeMap<String, String>,
    ) -> Result<Job, RunError> {
        let runner = &self.inner.runner;
        let definition = runner.settings().pipelines.iter().find(|known| known.name == pipeline);
        let definition =
            definition.ok_or_else(|| RunError::UnknownPipeline(pipeline.to_owned()))?;
        if let Some(name) = params.keys().next() {
            return Err(RunError::UnknownParam { name: name.clone() });
        }
        let id = JobId(Uuid::now_v7());
        let steps = definition.steps.iter();
        let job = NewJob {
            id,
            connection: runner.connection_id(),
            external_id: None,
            name: definition.name.clone(),
            pipeline: Some(definition.name.clone()),
            queue: definition.queue.clone(),
            params,
            steps: steps.map(|s| NewStep { name: s.name.clone(), phase: s.phase }).collect(),
            definition: serde_json::to_string(definition).ok(),
            max_attempts: 1,
            priority: 0,
            run_at: None,
            retry_of: None,
            created_by: caller.name.to_string(),
            created_at: Timestamp::now(),
        };
        let ack = self.inner.board.try_send(Observation::Queued(Box::new(job)));
        let ack = ack.map_err(|error| match error {
            SendError::Full => RunError::Busy,
            SendError::Closed => RunError::Closed,
        })?;
        // A task of its own: who asked may go away, a committed job has to be enqueued all the same.
        let engine = self.clone();
        let queued = tokio::spawn(async move {
            let applied = ack.await?;
            if let Some(job) = &applied.job {
                engine.inner.runner.enqueue(job);
            }
            Ok::<_, Refused>(applied)
        });
        match tokio::time::timeout(COMMIT_TIME, queued).await {
            Ok(Ok(Ok(Applied { job: Some(job), .. }))) => Ok(job),
            Ok(_) => Err(RunError::Closed),
            Err(_) => Err(RunError::Slow { job: id }),
        }
    }

    /// Asks for a job to be cancelled; resolves when the request is committed. A waiting job is
    /// cancelled then; a running one ends in its own time. The second request of a running job skips
    /// grace and cleanup.
    ///
    /// # Errors
    /// As [`CancelError`] says.
    pub async fn cancel(
        &self,
        caller: &Caller,
        id: JobId,
        why: Option<String>,
    ) -> Result<Job, CancelError> {
        let (store, asks) = (self.inner.store.clone(), caller.clone());
        let known = blocking(move || store.job(&asks, id)).await?;
        known.ok_or(CancelError::NotFound)?;
        let request = CancelRequest { by: caller.name.to_string(), at: Timestamp::now(), why };
        let asked = Observation::CancelRequested { job: id, request: request.clone() };
        let ack = self.inner.board.try_send(asked).map_err(|error| match error {
            SendError::Full => CancelError::Busy,
            SendError::Closed => CancelError::Closed,
        })?;
        let engine = self.clone();
        let cancelled = tokio::spawn(async move {
            let applied = ack.await?;
            if let Some(job) = &applied.job {
                engine.inner.runner.cancel(job, request);
            }
            Ok::<_, Refused>(applied)
        });
        match tokio::time::timeout(COMMIT_TIME, cancelled).await {
            Ok(Ok(Ok(Applied { job: Some(job), .. }))) => Ok(job),
            Ok(Ok(Err(Refused::UnknownJob))) => Err(CancelError::NotFound),
            Ok(Ok(Err(Refused::Over(state)))) => Err(CancelError::Over(state)),
            Ok(_) => Err(CancelError::Closed),
            Err(_) => Err(CancelError::Slow),
        }
    }
}
