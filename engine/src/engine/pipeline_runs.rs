//! Runs of a pipeline that is restarted or deleted.

use super::{CancelError, Engine};
use crate::{Caller, runner::blocking, store::JobsQuery};
use shared::{JobFilter, JobId, JobSort, JobState};
use std::time::Duration;

/// Jobs that are looked up at a time.
const AT_A_TIME: u32 = 200;
/// How long it is waited for a board that has more to do than it can take on.
const PAUSE: Duration = Duration::from_millis(200);

/// Why a pipeline was not restarted.
#[derive(Debug, thiserror::Error)]
pub enum RestartError {
    #[error("there is no pipeline called {0}")]
    NotFound(String),
    /// Its log began anew; what was not cancelled is when it is asked for again.
    #[error("not every run could be cancelled: {0}")]
    Cancel(#[from] CancelError),
}

impl Engine {
    /// Cancels the runs of a pipeline that have begun and are not over, with their grace, and begins its log
    /// anew; its readers see how those runs end. What waits for its first attempt goes on waiting.
    /// Resolves, with those that were cancelled, when that is committed.
    ///
    /// # Errors
    /// As [`RestartError`] says.
    pub async fn restart_pipeline(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<Vec<JobId>, RestartError> {
        if self.inner.runner.settings().pipeline(name).is_none() {
            return Err(RestartError::NotFound(name.to_owned()));
        }
        let runs = self.inner.runner.pipeline_logs().restart(name);
        let (engine, by) = (self.clone(), caller.clone());
        // Who asked may go away: all of them are cancelled all the same.
        let cancelled = self.deed(async move {
            let mut cancelled = Vec::with_capacity(runs.len());
            for run in runs {
                if engine.end_run(&by, run, "the pipeline was restarted").await? {
                    cancelled.push(run);
                }
            }
            Ok::<_, CancelError>(cancelled)
        });
        // An error: the runtime is ending.
        let cancelled = cancelled.await.unwrap_or(Err(CancelError::Closed))?;
        tracing::info!(pipeline = name, by = %caller.name, runs = cancelled.len(), "pipeline restarted");
        Ok(cancelled)
    }

    /// Cancels these runs of a deleted pipeline, and all that waits to be one.
    pub(super) async fn end_all_of(self, caller: Caller, pipeline: String, runs: Vec<JobId>) {
        const WHY: &str = "the pipeline was deleted";
        for run in runs {
            self.insist_on_end(&caller, run, WHY).await;
        }
        let states = [JobState::Scheduled, JobState::Queued, JobState::Active, JobState::Retrying];
        let filter = JobFilter {
            connections: vec![self.inner.runner.connection_id()],
            states: states.to_vec(),
            pipeline: Some(pipeline.clone()),
            ..JobFilter::default()
        };
        let mut query =
            JobsQuery { filter, sort: JobSort::Created, cursor: None, limit: AT_A_TIME };
        loop {
            let page = match self.jobs(&caller, &query).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::error!(pipeline, %error, "jobs of a deleted pipeline cannot be read");
                    return;
                }
            };
            for job in page.items {
                self.insist_on_end(&caller, job.id, WHY).await;
            }
            match page.next_cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => return,
            }
        }
    }

    /// Waits for a board that has more to do than it can take on.
    async fn insist_on_end(&self, caller: &Caller, run: JobId, why: &str) {
        loop {
            match self.end_run(caller, run, why).await {
                Ok(_) => return,
                Err(CancelError::Busy) => tokio::time::sleep(PAUSE).await,
                Err(error) => {
                    tracing::warn!(job = %run, %error, "a run of a deleted pipeline goes on");
                    return;
                }
            }
        }
    }

    /// Asks for a run to be cancelled unless somebody did already: a second request would take its grace
    /// from it. False: there was nothing to ask for.
    async fn end_run(&self, caller: &Caller, run: JobId, why: &str) -> Result<bool, CancelError> {
        let (store, asks) = (self.inner.store.clone(), caller.clone());
        let found = blocking(move || store.job_detail(&asks, run)).await;
        if found?.is_none_or(|found| found.cancel.is_some() || found.job.state.is_over()) {
            return Ok(false);
        }
        match self.cancel(caller, run, Some(why.to_owned())).await {
            Ok(_) => Ok(true),
            Err(CancelError::NotFound | CancelError::Over(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
