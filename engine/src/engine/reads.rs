//! What a caller can ask about jobs and what runs them. Every answer with rows has `as_of`, read
//! before them.

use super::{
    Engine,
    attention::{self, HOUR_MS},
};
use crate::{
    Caller, Definition,
    logs::{LogError, search::PatternError},
    runner::blocking,
    store::{BadCursor, JobRows, JobsQuery, QueryError, Store, StoreError},
};
use shared::{
    Connection, EventId, Job, JobDetail, JobFilter, JobId, JobSort, JobState, Page, Queue, Rows,
    RunningJob, Timestamp, Worker, WorkerJobs,
    page::{JobsPage, Overview},
};

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Cursor(#[from] BadCursor),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The job has no log: it never ran, or its log was deleted.
    #[error("the job has no log")]
    NoLog,
    #[error("the log cannot be read: {0}")]
    Log(#[from] LogError),
    /// What a log was to be searched for.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

impl From<QueryError> for ReadError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Cursor(why) => Self::Cursor(why),
            QueryError::Store(error) => Self::Store(error),
        }
    }
}

/// Active jobs that the workers are shown with.
const RUNNING: u32 = 200;
/// Active jobs on the overview.
const ACTIVE_SHOWN: u32 = 20;
/// Failures on the overview.
const SHOWN: u32 = 10;

impl Engine {
    /// The head as it is now, and what `read` says of the store after that.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        caller: &Caller,
        read: impl FnOnce(&Store, &Caller) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<(EventId, T), ReadError> {
        let as_of = self.head();
        let (store, caller) = (self.inner.store.clone(), caller.clone());
        Ok((as_of, blocking(move || read(&store, &caller)).await?))
    }

    pub async fn connections(&self, _caller: &Caller) -> Result<Rows<Connection>, ReadError> {
        let as_of = self.head();
        Ok(Rows { items: self.inner.board.connections(), as_of })
    }

    pub async fn queues(&self, _caller: &Caller) -> Result<Rows<Queue>, ReadError> {
        let as_of = self.head();
        Ok(Rows { items: self.inner.board.queues_with_stats(), as_of })
    }

    /// Workers with what they run: of all together the newest 200 jobs.
    pub async fn workers(&self, caller: &Caller) -> Result<Rows<WorkerJobs>, ReadError> {
        let filter = JobFilter { states: vec![JobState::Active], ..JobFilter::default() };
        let query = JobsQuery { filter, sort: JobSort::Created, cursor: None, limit: RUNNING };
        let (as_of, active) =
            self.ask(caller, move |store, caller| Ok(store.jobs(caller, &query)?.items)).await?;
        let with_jobs = |worker: Worker| {
            let is_own = |job: &&Job| {
                job.connection_id == worker.connection_id && job.worker.as_ref() == Some(&worker.id)
            };
            let shown = |job: &Job| RunningJob {
                id: job.id,
                name: job.name.clone(),
                since: job.started_at,
            };
            WorkerJobs { running: active.iter().filter(is_own).map(shown).collect(), worker }
        };
        let items = self.inner.board.workers().into_iter().map(with_jobs).collect();
        Ok(Rows { items, as_of })
    }

    /// A page of jobs, newest first.
    pub async fn jobs(&self, caller: &Caller, query: &JobsQuery) -> Result<Page<Job>, ReadError> {
        let query = query.clone();
        let (as_of, mut rows) =
            self.ask(caller, move |store, caller| Ok(store.jobs(caller, &query)?)).await?;
        self.inner.board.overlay(&mut rows.items);
        Ok(Page { items: rows.items, next_cursor: rows.next_cursor, total: rows.total, as_of })
    }

    /// Jobs that run now, counted up to 10,000: what goes on without the server.
    pub async fn running(&self, caller: &Caller) -> Result<u64, ReadError> {
        let active = JobFilter { states: vec![JobState::Active], ..JobFilter::default() };
        let query = JobsQuery { filter: active, sort: JobSort::Created, cursor: None, limit: 1 };
        Ok(self.jobs(caller, &query).await?.total.count)
    }

    /// What the jobs page shows.
    pub async fn jobs_page(
        &self,
        caller: &Caller,
        query: &JobsQuery,
    ) -> Result<JobsPage, ReadError> {
        let query = query.clone();
        let (as_of, (mut rows, counts)) = self
            .ask(caller, move |store, caller| Ok(store.jobs_and_counts(caller, &query)?))
            .await?;
        self.inner.board.overlay(&mut rows.items);
        let JobRows { items, next_cursor, total } = rows;
        let jobs = Page { items, next_cursor, total, as_of };
        let connections = self.inner.board.connections();
        let queues = self.inner.board.queues().into_iter().map(|queue| queue.name).collect();
        Ok(JobsPage { jobs, counts, queues, connections })
    }

    /// What the overview shows.
    pub async fn overview(&self, caller: &Caller) -> Result<Overview, ReadError> {
        let settings = self.inner.runner.settings();
        let (as_of, (counts, mut active, failed, done, activity, pipelines, held)) = self
            .ask(caller, move |store, caller| {
                let newest = |state, sort, limit| {
                    let filter = JobFilter { states: vec![state], ..JobFilter::default() };
                    store.jobs(caller, &JobsQuery { filter, sort, cursor: None, limit })
                };
                let active = newest(JobState::Active, JobSort::Created, ACTIVE_SHOWN)?.items;
                let failed = newest(JobState::Failed, JobSort::Finished, SHOWN)?.items;
                let done = newest(JobState::Completed, JobSort::Finished, SHOWN)?.items;
                let activity = store.activity(caller, Timestamp::now())?;
                let pipelines = attention::of_pipelines(store, caller, &settings)?;
                let counts = store.counts(caller, &JobFilter::default())?;
                Ok((counts, active, failed, done, activity, pipelines, store.paused()?))
            })
            .await?;
        let board = &self.inner.board;
        board.overlay(&mut active);
        let (queues, workers) = (board.queues_with_stats(), board.workers());
        let disk_low = self.inner.runner.disk_low();
        let mut attention =
            attention::of_the_board(disk_low, &workers, &queues, &held, Timestamp::now());
        attention.extend(pipelines);
        let hour = Timestamp(Timestamp::now().0 - HOUR_MS);
        let late = |job: &&Job| job.finished_at.is_none_or(|at| at >= hour);
        let looked_at = active.iter().chain(&failed).chain(&done).filter(late).cloned();
        attention.extend(attention::of_cut_logs(&self.cut(looked_at.collect()).await));
        Ok(Overview {
            connections: board.connections(),
            counts,
            active,
            failed,
            queues,
            workers,
            activity,
            attention: attention::sorted(attention),
            as_of,
        })
    }

    /// All that is known of a job. None: there is no such job.
    pub async fn job(&self, caller: &Caller, id: JobId) -> Result<Option<JobDetail>, ReadError> {
        let (as_of, stored) =
            self.ask(caller, move |store, caller| Ok(store.job_detail(caller, id)?)).await?;
        let Some(mut stored) = stored else { return Ok(None) };
        self.inner.board.overlay(std::slice::from_mut(&mut stored.job));
        let (log, (left_out, left_out_by)) = self.log_size(&stored.job).await?;
        // One that cannot be read has nothing to offer.
        let defined = stored.definition.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let defined: Definition = defined.unwrap_or_default();
        Ok(Some(JobDetail {
            waiting: self.waiting(&stored.job).await.or(stored.delay),
            job: stored.job,
            params: stored.params,
            param_defs: defined.params,
            retried_by: stored.retried_by,
            created_by: stored.created_by,
            steps: stored.steps,
            earlier: stored.earlier,
            attempts: stored.attempts,
            timeline: stored.story,
            cancel: stored.cancel,
            log,
            left_out,
            left_out_by,
            as_of,
        }))
    }

    /// Why a job is still waiting, in one sentence.
    async fn waiting(&self, job: &Job) -> Option<String> {
        match (job.state, job.run_at) {
            (JobState::Scheduled, Some(at)) => Some(format!("scheduled for {at}")),
            (JobState::Retrying, Some(at)) => {
                Some(format!("attempt {} of {} begins at {at}", job.attempt + 1, job.max_attempts))
            }
            (JobState::Queued, _) => self.inner.runner.why_waiting(job).await,
            _ => None,
        }
    }
}
