//! The handle a server holds: everything it can ask ([`reads`], [`pipelines`], [`log_reads`], [`log_search`],
//! [`measures`]) and do ([`actions`], [`queue_actions`], [`pipeline_edits`],
//! [`pipeline_runs`], [`events`]).

mod actions;
mod attention;
mod events;
mod log_reads;
mod log_search;
mod measures;
mod pipeline_edits;
mod pipeline_log;
mod pipeline_runs;
mod pipelines;
mod queue_actions;
mod reads;

pub(crate) use actions::new_job;
pub use actions::{CancelError, DeleteError, RetryError, RetryRequest, RunError, RunRequest};
pub use events::SwitchError;
pub use log_search::LogSearch;
pub use measures::Measures;
pub use pipeline_edits::{EditError, Put, Reloaded};
pub use pipeline_log::PipelineLog;
pub use pipeline_runs::RestartError;
pub use queue_actions::PauseError;
pub use reads::ReadError;

use crate::{
    QueueDef, Retention, Settings,
    board::{self, Board},
    definition::OnShutdown,
    hub::{Hub, HubError},
    retention,
    runner::{self, Runner, blocking},
    store::{Store, StoreError},
};
use pipeline_edits::Edits;
use shared::EventId;
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{sync::RwLock, task::JoinHandle};

/// The whole engine; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    hub: Hub,
    board: Board,
    store: Store,
    runner: Runner,
    edits: Edits,
    /// Shared by every deed that is under way.
    deeds: Arc<RwLock<()>>,
}

/// Why the engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the data directory {path} cannot be made: {source}")]
    DataDir { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Hub(#[from] HubError),
    #[error(transparent)]
    Board(#[from] board::StartError),
    #[error(transparent)]
    Runner(#[from] runner::StartError),
}

impl Engine {
    /// Opens the data directory, adopts the runs that go on in it, and begins to run what waits.
    /// `executor` is the program that is started for each attempt: `/proc/self/exe`.
    ///
    /// # Errors
    /// When the directory is in use, of a newer version, on a file system without locks, or cannot
    /// be read.
    pub async fn start(
        data_dir: &Path,
        settings: Settings,
        executor: PathBuf,
    ) -> Result<Self, StartError> {
        let dir = data_dir.to_owned();
        let (store, board, hub, unfinished, made) = blocking(move || -> Result<_, StartError> {
            make_private(&dir)?;
            let (store, writer) = Store::open(&dir)?;
            let hub = Hub::start(&store)?;
            let (unfinished, made) = (store.unfinished()?, store.pipelines()?);
            let board = Board::start(&store, writer, hub.clone())?;
            Ok((store, board, hub, unfinished, made))
        })
        .await?;
        let edits = Edits::new(settings.clone(), made.clone());
        let settings = pipeline_edits::merged(settings, &made);
        let parts = (board.clone(), store.clone());
        let runner = Runner::start(parts, settings, unfinished, data_dir, executor).await?;
        let this = Self {
            inner: Arc::new(Inner {
                hub,
                board: board.clone(),
                store: store.clone(),
                runner,
                edits,
                deeds: Arc::default(),
            }),
        };
        let inner = Arc::downgrade(&this.inner);
        this.inner.runner.keep_schedules(move |job| {
            if let Some(inner) = inner.upgrade() {
                inner.runner.enqueue(job);
            }
        });
        let (inner, kept) = (Arc::downgrade(&this.inner), Arc::downgrade(&this.inner));
        let rules = move || match kept.upgrade() {
            Some(inner) => inner.runner.settings().retention.clone(),
            None => Retention::default(),
        };
        let removed = move |job| {
            if let Some(inner) = inner.upgrade() {
                inner.runner.removed(job);
            }
        };
        this.inner.runner.attend(|ending| retention::keep(board, store, rules, removed, ending));
        Ok(this)
    }

    pub fn hub(&self) -> &Hub {
        &self.inner.hub
    }

    /// The newest published event: `as_of` of whatever is read after this.
    pub fn head(&self) -> EventId {
        self.inner.hub.head()
    }

    /// Err says why nothing can be taken on.
    ///
    /// # Errors
    /// While the store cannot write, or the disk is nearly full.
    pub fn ready(&self) -> Result<(), String> {
        self.inner.board.writable()?;
        self.inner.runner.disk_low().map_or(Ok(()), Err)
    }

    /// The queues of the configuration.
    pub fn queue_definitions(&self) -> Vec<QueueDef> {
        self.inner.runner.settings().queues.clone()
    }

    pub fn on_shutdown(&self) -> OnShutdown {
        self.inner.runner.settings().on_shutdown
    }

    /// Ends what the engine does. With `cancel_runs` the runs are cancelled and waited for, else
    /// they go on and the next start adopts them. What is in line is committed. Nothing of the engine's own holds the
    /// data directory after that.
    pub async fn stop(&self, cancel_runs: bool) {
        self.inner.runner.stop(cancel_runs).await;
        let board = self.inner.board.clone();
        blocking(move || board.stop()).await;
        // The board answers nobody any more, so none of them takes long.
        drop(self.inner.deeds.write().await);
    }

    /// Does something that goes on though nobody may wait for it any more. The engine's end does.
    fn deed<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        // An error: the engine has ended.
        let under_way = self.inner.deeds.clone().try_read_owned();
        tokio::spawn(async move {
            let done = work.await;
            drop(under_way);
            done
        })
    }
}

/// Makes a data directory. Logs and arguments are nobody else's business: it is the owner's alone.
///
/// # Errors
/// When it is not there and cannot be made.
pub fn make_private(dir: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| StartError::DataDir { path: dir.to_owned(), source })
}
