//! What a caller can do with jobs: run, run again, cancel, delete.

use super::Engine;
use crate::{
    Caller, Definition, Observation,
    board::{Ack, Applied, Refused, SendError},
    observation::{NewJob, NewStep, RequestKey},
    params::{self, ParamError},
    runner::blocking,
    store::StoreError,
};
use serde_json::Value;
use shared::{CancelRequest, Job, JobId, JobState, Timestamp};
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

/// How long an action waits for its commit before it answers that it does not know.
const COMMIT_TIME: Duration = Duration::from_secs(5);
/// How far ahead a run may be asked for.
const FURTHEST_MS: i64 = 366 * 24 * 60 * 60 * 1000;

/// What to run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunRequest {
    pub pipeline: String,
    /// Values of its parameters: text, numbers or booleans.
    pub params: BTreeMap<String, Value>,
    /// Not before this, at most a year ahead.
    pub run_at: Option<Timestamp>,
    /// None: the pipeline's.
    pub priority: Option<i32>,
    /// The same key of the same caller is answered with the same job for 24 hours.
    pub key: Option<String>,
}

/// What to run again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RetryRequest {
    /// None: as they were.
    pub params: Option<BTreeMap<String, Value>>,
    /// As in [`RunRequest`].
    pub key: Option<String>,
}

/// Why a pipeline was not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("there is no pipeline {0:?}")]
    UnknownPipeline(String),
    #[error("parameter {0}")]
    Param(#[from] ParamError),
    #[error("run_at is more than a year ahead")]
    TooFar,
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    #[error("job {job}, which this Idempotency-Key made, is deleted")]
    Deleted { job: JobId },
    #[error("the board has more to do than it can take on; nothing was queued")]
    Busy,
    /// Not committed after five seconds; it still may be.
    #[error("job {job} is not stored yet; it may still run")]
    Slow { job: JobId },
    #[error("the server is ending")]
    Closed,
}

/// Why a job was not run again.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    #[error("there is no such job")]
    NotFound,
    #[error("the job is still {0}; it can be run again when it is over")]
    NotOver(JobState),
    #[error("the job cannot be read: {0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Run(#[from] RunError),
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
    Store(#[from] StoreError),
    #[error("the server is ending")]
    Closed,
}

/// Why a job was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    #[error("there is no such job")]
    NotFound,
    #[error("the job is still {0}; cancel it first")]
    NotOver(JobState),
    #[error("the board has more to do than it can take on; nothing was done")]
    Busy,
    /// Not committed after five seconds; it still may be.
    #[error("the deletion is not stored yet; the job may still be deleted")]
    Slow,
    #[error("the job cannot be read: {0}")]
    Store(#[from] StoreError),
    #[error("the server is ending")]
    Closed,
}

impl Engine {
    /// Queues a run of a pipeline; resolves when that is committed.
    ///
    /// # Errors
    /// As [`RunError`] says; of all but `Slow` and `Closed` nothing is left behind.
    pub async fn run(&self, caller: &Caller, request: RunRequest) -> Result<Job, RunError> {
        self.again(caller, request, None).await
    }

    /// Makes a new job of one that is over, with the same parameters or others. It runs what the
    /// pipeline is now.
    ///
    /// # Errors
    /// As [`RetryError`] says.
    pub async fn retry(
        &self,
        caller: &Caller,
        id: JobId,
        request: RetryRequest,
    ) -> Result<Job, RetryError> {
        let (store, asks) = (self.inner.store.clone(), caller.clone());
        let found = blocking(move || store.job_detail(&asks, id)).await?;
        let found = found.ok_or(RetryError::NotFound)?;
        if !found.job.state.is_over() {
            return Err(RetryError::NotOver(found.job.state));
        }
        let pipeline = found.job.pipeline.unwrap_or(found.job.name);
        let as_they_were =
            || found.params.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        let params = request.params.unwrap_or_else(as_they_were);
        let priority = Some(found.job.priority);
        let request = RunRequest { pipeline, params, run_at: None, priority, key: request.key };
        Ok(self.again(caller, request, Some(id)).await?)
    }

    async fn again(
        &self,
        caller: &Caller,
        request: RunRequest,
        retry_of: Option<JobId>,
    ) -> Result<Job, RunError> {
        let runner = &self.inner.runner;
        let settings = runner.settings();
        let definition = settings.pipeline(&request.pipeline);
        let definition =
            definition.ok_or_else(|| RunError::UnknownPipeline(request.pipeline.clone()))?;
        let params = params::settle(&definition.params, &request.params)?;
        let now = Timestamp::now();
        if request.run_at.is_some_and(|at| at.0 - now.0 > FURTHEST_MS) {
            return Err(RunError::TooFar);
        }
        // As it was asked for: what was left out may mean something else by the time it is repeated.
        let asked =
            (&request.pipeline, &request.params, request.run_at, request.priority, retry_of);
        // JSON, text, numbers and ids: this cannot fail to be JSON.
        let asked = serde_json::to_vec(&asked).unwrap_or_default();
        let key = request.key.map(|key| RequestKey {
            caller: caller.name.to_string(),
            key,
            request: Uuid::new_v5(&Uuid::NAMESPACE_OID, &asked),
        });
        let job = NewJob {
            priority: request.priority.unwrap_or(definition.priority),
            run_at: request.run_at.filter(|at| *at > now),
            retry_of,
            key,
            params,
            ..new_job(definition, runner.connection_id(), caller.name.to_string(), now)
        };
        let id = job.id;
        let ack = self.inner.board.try_send(Observation::Queued(Box::new(job)));
        let ack = ack.map_err(|error| match error {
            SendError::Full => RunError::Busy,
            SendError::Closed => RunError::Closed,
        })?;
        // A repeated request changes nothing: its job is enqueued already.
        let told = self.when_committed(ack, |engine, applied| async move {
            if let Some(job) = applied.job.as_ref().filter(|_| applied.changed) {
                engine.inner.runner.enqueue(job);
            }
        });
        match told.await {
            Some(Ok(Applied { job: Some(job), .. })) => Ok(job),
            Some(Err(Refused::KeyReused)) => Err(RunError::KeyReused),
            Some(Err(Refused::Deleted(job))) => Err(RunError::Deleted { job }),
            Some(_) => Err(RunError::Closed),
            None => Err(RunError::Slow { job: id }),
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
        self.stored_row(caller, id).await?.ok_or(CancelError::NotFound)?;
        let request = CancelRequest { by: caller.name.to_string(), at: Timestamp::now(), why };
        let asked = Observation::CancelRequested { job: id, request: request.clone() };
        let ack = self.inner.board.try_send(asked).map_err(|error| match error {
            SendError::Full => CancelError::Busy,
            SendError::Closed => CancelError::Closed,
        })?;
        let told = self.when_committed(ack, |engine, applied| async move {
            if let Some(job) = &applied.job {
                engine.inner.runner.cancel(job, request).await;
            }
        });
        match told.await {
            Some(Ok(Applied { job: Some(job), .. })) => Ok(job),
            Some(Err(Refused::UnknownJob)) => Err(CancelError::NotFound),
            Some(Err(Refused::Over(state))) => Err(CancelError::Over(state)),
            Some(_) => Err(CancelError::Closed),
            None => Err(CancelError::Slow),
        }
    }

    /// Deletes a job that is over with all that belongs to it; resolves when that is committed.
    ///
    /// # Errors
    /// As [`DeleteError`] says.
    pub async fn delete(&self, caller: &Caller, id: JobId) -> Result<(), DeleteError> {
        let job = self.stored_row(caller, id).await?.ok_or(DeleteError::NotFound)?;
        let deleted = Observation::Deleted { job: id, connection: job.connection_id };
        let ack = self.inner.board.try_send(deleted).map_err(|error| match error {
            SendError::Full => DeleteError::Busy,
            SendError::Closed => DeleteError::Closed,
        })?;
        let told = self.when_committed(ack, move |engine, _| async move {
            engine.inner.runner.removed(id);
        });
        match told.await {
            Some(Ok(_)) => {
                tracing::info!(job = %id, by = %caller.name, "job deleted");
                Ok(())
            }
            Some(Err(Refused::UnknownJob)) => Err(DeleteError::NotFound),
            Some(Err(Refused::NotOver(state))) => Err(DeleteError::NotOver(state)),
            Some(Err(_)) => Err(DeleteError::Closed),
            None => Err(DeleteError::Slow),
        }
    }

    async fn stored_row(&self, caller: &Caller, id: JobId) -> Result<Option<Job>, StoreError> {
        let (store, asks) = (self.inner.store.clone(), caller.clone());
        blocking(move || store.job(&asks, id)).await
    }

    /// Waits for a commit and does what follows from it, in a task of its own: who asked may go away,
    /// what is committed is done all the same. None: not committed in time.
    pub(super) async fn when_committed<F: Future<Output = ()> + Send>(
        &self,
        ack: Ack,
        then: impl FnOnce(Engine, Applied) -> F + Send + 'static,
    ) -> Option<Result<Applied, Refused>> {
        let engine = self.clone();
        let done = self.deed(async move {
            let applied = ack.await?;
            then(engine, applied.clone()).await;
            Ok::<_, Refused>(applied)
        });
        match tokio::time::timeout(COMMIT_TIME, done).await {
            Ok(Ok(answer)) => Some(answer),
            // The runtime is ending.
            Ok(Err(_)) => Some(Err(Refused::Closed)),
            Err(_) => None,
        }
    }
}

/// A run of a pipeline as it is queued, without parameters.
pub(crate) fn new_job(
    definition: &Definition,
    connection: shared::ConnectionId,
    created_by: String,
    created_at: Timestamp,
) -> NewJob {
    let steps = definition.steps.iter();
    NewJob {
        id: JobId(Uuid::now_v7()),
        connection,
        external_id: None,
        name: definition.name.clone(),
        pipeline: Some(definition.name.clone()),
        queue: definition.queue.clone(),
        params: BTreeMap::new(),
        steps: steps.map(|s| NewStep { name: s.name.clone(), phase: s.phase }).collect(),
        definition: serde_json::to_string(definition).ok(),
        max_attempts: definition.retry.retries.saturating_add(1),
        priority: definition.priority,
        run_at: None,
        retry_of: None,
        due: None,
        key: None,
        created_by,
        created_at,
    }
}
