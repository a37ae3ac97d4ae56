//! The built-in runner: queues with slots, and the attempts that run in them.
//!
//! - [`queue`]: one loop per queue claims what waits for a free slot; it is the queue's worker
//! - [`attempt`]: one attempt from claim to last word; [`start`] gets it an executor, [`follow`]
//!   reads the files that the executor writes
//! - [`live`]: how far each growing log is, for its readers
//!
//! The runner decides what runs; executors run it (see [`crate::executor`]) and outlive the server.
//! It changes no state itself: it tells the board what it saw and waits for the commit.

mod attempt;
mod context;
mod follow;
pub mod live;
mod queue;
mod rates;
mod start;

use crate::{
    Observation, Settings,
    board::{Board, Refused},
    definition::QueueDef,
    linux::directories::Directories,
    store::{Store, Unfinished},
};
use context::{Context, Surroundings};
use live::LiveLogs;
use queue::{Command, QueueLoop};
use shared::{
    CancelRequest, Connection, ConnectionId, ConnectionKind, Freshness, Job, JobId, JobState,
    Timestamp,
};
use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use uuid::Uuid;

pub(crate) use context::blocking;

/// Handle of the runner.
pub struct Runner {
    context: Arc<Context>,
    queues: HashMap<String, mpsc::UnboundedSender<Command>>,
    watching: JoinHandle<()>,
}

/// Why the runner could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("changes of files cannot be watched: {0}")]
    Watch(io::Error),
    #[error("the board refused to begin: {0}")]
    Board(#[from] Refused),
}

/// The id of an installation's own connection.
pub fn connection_id(install: Uuid) -> ConnectionId {
    ConnectionId(Uuid::new_v5(&install, b"local"))
}

impl Runner {
    /// Adopts the runs that a server before this one left, then begins to claim. Resolves when it is
    /// clear of every one of them whether its executor lives.
    ///
    /// # Errors
    /// When files cannot be watched.
    pub async fn start(
        (board, store): (Board, Store),
        settings: Settings,
        unfinished: Vec<Unfinished>,
        data_dir: &Path,
        executor: PathBuf,
    ) -> Result<Self, StartError> {
        let around = Surroundings::read();
        let directories = Directories::new().map_err(StartError::Watch)?;
        let watching = tokio::spawn(directories.clone().pass_on());
        let copy = store.is_copy();
        let context =
            Context::new((board, store), settings, around, directories, data_dir, executor);
        let mut this = Self { context: Arc::new(context), queues: HashMap::new(), watching };
        this.context.tell(Observation::Connection(Box::new(this.connection()))).await?;
        for queue in this.context.settings.queues.clone() {
            this.open(queue);
        }
        if copy {
            this.give_up(unfinished).await?;
        } else {
            this.go_on_with(unfinished).await;
        }
        Ok(this)
    }

    pub fn logs(&self) -> &LiveLogs {
        &self.context.logs
    }

    pub fn settings(&self) -> &Settings {
        &self.context.settings
    }

    /// The built-in runner's own connection.
    pub fn connection_id(&self) -> ConnectionId {
        self.context.connection
    }

    /// Where the files of a job are.
    pub fn job_dir(&self, job: JobId) -> PathBuf {
        self.context.job_dir(job)
    }

    /// A job of this runner is committed as queued.
    pub fn enqueue(&self, job: &Job) {
        self.command(&job.queue, Command::Enqueue { job: job.id, since: job.created_at });
    }

    /// A request to cancel a job of this runner is committed.
    pub fn cancel(&self, job: &Job, request: CancelRequest) {
        if job.state.is_over() {
            // It never ran, so its log is empty.
            self.context.logs.close(job.id, shared::log::LogInfo::default());
        }
        self.command(&job.queue, Command::Cancel { job: job.id, request });
    }

    /// Claims nothing more. With `cancel` the runs are cancelled and waited for, else their
    /// executors go on without this server.
    pub async fn stop(&self, cancel: bool) {
        let request = cancel.then(|| CancelRequest {
            by: "tailboard".to_owned(),
            at: Timestamp::now(),
            why: Some("the server is shutting down".to_owned()),
        });
        let mut stopping = Vec::new();
        for queue in self.queues.values() {
            let (told, stopped) = oneshot::channel();
            if queue.send(Command::Stop { cancel: request.clone(), told }).is_ok() {
                stopping.push(stopped);
            }
        }
        for stopped in stopping {
            // An error: the loop ended before.
            let _ = stopped.await;
        }
        self.watching.abort();
    }

    fn command(&self, queue: &str, command: Command) {
        // A queue's loop ends only when the server does; then nobody has to be told.
        let sent = self.queues.get(queue).map(|queue| queue.send(command));
        if sent.is_none() {
            tracing::error!(queue, "a command for a queue that is not there");
        }
    }

    fn open(&mut self, definition: QueueDef) {
        let (commands, receiver) = mpsc::unbounded_channel();
        let name = definition.name.clone();
        tokio::spawn(QueueLoop::new(self.context.clone(), definition, receiver).run());
        self.queues.insert(name, commands);
    }

    fn connection(&self) -> Connection {
        Connection {
            id: self.context.connection,
            name: "local".to_owned(),
            kind: ConnectionKind::Local,
            freshness: Freshness::Live,
            since: Timestamp::now(),
            reason: None,
            revision: 0,
        }
    }

    /// Adopts first; what waits comes after that.
    async fn go_on_with(&mut self, unfinished: Vec<Unfinished>) {
        for found in &unfinished {
            if !self.queues.contains_key(&found.job.queue) {
                // Not in the configuration any more: what runs is followed, what waits goes on waiting.
                self.open(QueueDef { name: found.job.queue.clone(), concurrency: 0 });
            }
        }
        let (active, waiting): (Vec<_>, Vec<_>) =
            unfinished.into_iter().partition(|found| found.job.state == JobState::Active);
        let mut adopting = Vec::with_capacity(active.len());
        for found in active {
            let (known, is_known) = oneshot::channel();
            let queue = found.job.queue.clone();
            self.command(&queue, Command::Adopt { found: Box::new(found), known });
            adopting.push(is_known);
        }
        for is_known in adopting {
            // An error: it ended while it was being adopted.
            let _ = is_known.await;
        }
        waiting.iter().for_each(|found| self.enqueue(&found.job));
    }

    /// The data directory is a copy: its runs belong to the board beside which it was made.
    async fn give_up(&self, unfinished: Vec<Unfinished>) -> Result<(), Refused> {
        use crate::observation::{LogMark, RunChange, RunProgress};
        let reason = "this board is a copy";
        for Unfinished { job, .. } in unfinished {
            let at = Timestamp::now();
            let told = if job.state == JobState::Active {
                let lost = RunChange::Lost { at, reason: reason.into(), mark: LogMark::default() };
                Observation::Run(Box::new(RunProgress {
                    job: job.id,
                    attempt: job.attempt,
                    journal_position: None,
                    changes: vec![lost],
                }))
            } else {
                let request =
                    CancelRequest { by: "tailboard".into(), at, why: Some(reason.to_owned()) };
                Observation::CancelRequested { job: job.id, request }
            };
            self.context.tell(told).await?;
        }
        Ok(())
    }
}
