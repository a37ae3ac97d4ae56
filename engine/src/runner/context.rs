//! What every part of the runner works with.

use super::{
    bounds::{Bound, Bounds},
    disk::Disk,
    live::LiveLogs,
};
use crate::{
    Caller, Observation, Settings,
    board::{Applied, Board, Refused},
    executor::environment::{Inherited, Marker},
    linux::{self, directories::Directories},
    pipeline_log::PipelineLogs,
    store::{Store, StoreError, StoredJob},
};
use shared::{ConnectionId, JobId};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

/// Shared by the queues and the attempts.
pub struct Context {
    pub board: Board,
    pub store: Store,
    settings: RwLock<Arc<Settings>>,
    pub bounds: Bounds,
    pub disk: Disk,
    pub inherited: Inherited,
    pub logs: LiveLogs,
    pub pipeline_logs: PipelineLogs,
    pub directories: Arc<Directories>,
    /// The built-in runner's own connection.
    pub connection: ConnectionId,
    /// Marks every process of a run.
    pub install: String,
    /// Another one than a run's means that the machine was started again since.
    pub boot_id: String,
    pub hostname: String,
    /// What is started as executor.
    pub executor: PathBuf,
    jobs: PathBuf,
    caller: Caller,
}

/// The runner's own surroundings, read before the server changes its limits.
pub struct Surroundings {
    pub inherited: Inherited,
    pub boot_id: String,
    pub hostname: String,
}

impl Surroundings {
    pub fn read() -> Self {
        Self {
            inherited: Inherited::capture(),
            // None: no run can be told from one of another boot, so none is lost for that.
            boot_id: linux::boot_id().unwrap_or_default(),
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        }
    }
}

impl Context {
    pub fn new(
        (board, store): (Board, Store),
        settings: Settings,
        around: Surroundings,
        directories: Arc<Directories>,
        data_dir: &Path,
        executor: PathBuf,
    ) -> Self {
        let install = store.install_id();
        Self {
            connection: super::connection_id(install),
            install: install.to_string(),
            jobs: data_dir.join("jobs"),
            logs: LiveLogs::default(),
            pipeline_logs: PipelineLogs::default(),
            inherited: around.inherited,
            boot_id: around.boot_id,
            hostname: around.hostname,
            caller: Caller::board(),
            bounds: Bounds::default(),
            board,
            store,
            disk: Disk::new(&data_dir.to_owned(), settings.min_free_disk),
            settings: RwLock::new(Arc::new(settings)),
            directories,
            executor,
        }
    }

    /// As they are now; a reload replaces them.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn replace_settings(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        self.bounds.replace(&self.settings());
    }

    /// How many runs of a pipeline there are, and may be. Held by each of its jobs that waits or runs.
    pub fn bound(&self, pipeline: &str) -> Arc<Bound> {
        self.bounds.of(pipeline, || self.settings().pipeline(pipeline)?.max_concurrent)
    }

    /// Where the files of a job are. 256 folders by the last byte of the id, which is random, so
    /// that no folder grows past what a file system lists quickly.
    pub fn job_dir(&self, job: JobId) -> PathBuf {
        job_dir(&self.jobs, job)
    }

    pub fn marker(&self, job: JobId, attempt: u32) -> Marker {
        Marker { install: self.install.clone(), job, attempt }
    }

    /// Tells the board, and resolves when that is committed.
    ///
    /// # Errors
    /// As the board refuses it; `Closed` when the server is ending.
    pub async fn tell(&self, observation: Observation) -> Result<Applied, Refused> {
        self.board.send(observation).await.map_err(|_| Refused::Closed)?.await
    }

    /// All that is stored of a job.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn stored(self: &Arc<Self>, job: JobId) -> Result<Option<StoredJob>, StoreError> {
        let this = self.clone();
        blocking(move || this.store.job_detail(&this.caller, job)).await
    }
}

/// Runs what waits for the disk or for a process where waiting is allowed.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // Such a task is never cancelled once it runs, so this is its panic: it goes on here.
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is going away and takes this task with it.
        Err(_) => std::future::pending().await,
    }
}

/// Where the files of a job are, in the directory of all of them.
pub fn job_dir(jobs: &Path, job: JobId) -> PathBuf {
    jobs.join(format!("{:02x}", job.0.as_bytes()[15])).join(job.to_string())
}
