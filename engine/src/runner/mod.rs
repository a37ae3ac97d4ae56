//! The built-in runner: queues with slots, and the attempts that run in them.
//!
//! - [`queue`]: one loop per queue claims what waits for a free slot; it is the queue's worker.
//!   [`waiting`]: the order in which it does; [`bounds`]: how many of a pipeline may run, in whichever
//!   queues; [`report`]: what it says of itself
//! - [`attempt`]: one attempt from claim to last word; [`start`] gets it an executor, [`follow`]
//!   reads the files that the executor writes; [`retry`]: whether there is another
//! - [`scheduler`]: what is due is queued; [`scheduling`]: the loop around it
//! - [`left`]: what a server before this one left is gone on with
//! - [`live`]: how far each growing log is, for its readers
//! - [`disk`]: whether there is room for new runs; [`tidy`]: directories of deleted jobs
//!
//! The runner decides what runs; executors run it (see [`crate::executor`]) and outlive the server.
//! It changes no state itself: it tells the board what it saw and waits for the commit.

mod attempt;
mod bounds;
mod context;
mod disk;
mod follow;
mod left;
pub mod live;
mod queue;
mod rates;
mod report;
mod retry;
pub mod scheduler;
mod scheduling;
mod start;
mod tidy;
mod waiting;

use crate::{
    Observation, Settings,
    board::{Board, Refused},
    definition::QueueDef,
    linux::directories::Directories,
    logs::{Log, Size},
    pipeline_log::PipelineLogs,
    store::{Store, StoreError, Unfinished},
};
pub(crate) use context::job_dir;
use context::{Context, Surroundings};
use live::LiveLogs;
use queue::{Command, QueueLoop};
use shared::{
    CancelRequest, Connection, ConnectionId, ConnectionKind, Freshness, Job, JobId, Timestamp,
    log::LogInfo,
};
use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use context::blocking;

/// Handle of the runner.
pub struct Runner {
    context: Arc<Context>,
    queues: Mutex<Queues>,
    schedules: watch::Sender<Arc<Settings>>,
    watching: JoinHandle<()>,
    /// Tasks of the whole runner. They end by themselves when `ending` is cancelled, so that nothing
    /// holds the store after that.
    tasks: Mutex<Vec<JoinHandle<()>>>,
    ending: CancellationToken,
}

/// The queues, by name.
#[derive(Default)]
struct Queues {
    loops: HashMap<String, mpsc::UnboundedSender<Command>>,
    /// By whom and since when each is paused, those too that have no loop now: a queue that leaves the
    /// configuration and comes back is still paused.
    paused: HashMap<String, (String, Timestamp)>,
}

/// Why the runner could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("changes of files cannot be watched: {0}")]
    Watch(io::Error),
    #[error("the board refused to begin: {0}")]
    Board(#[from] Refused),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Waits; false: the server is ending.
pub(crate) async fn pause(time: Duration, ending: &CancellationToken) -> bool {
    tokio::select! {
        () = ending.cancelled() => false,
        () = tokio::time::sleep(time) => true,
    }
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
        let pipelines = context.settings();
        let pipelines = pipelines.pipelines.iter().map(|new| (new.name.as_str(), false));
        context.pipeline_logs.keep(pipelines);
        let context = Arc::new(context);
        let (looks, dir) = (context.clone(), data_dir.to_owned());
        let schedules = watch::Sender::new(context.settings());
        let (tasks, ending) = (Mutex::default(), CancellationToken::new());
        let queues = Mutex::default();
        let this = Self { context, queues, schedules, watching, tasks, ending };
        this.attend(|ending| async move {
            looks.disk.keep_looking(dir, || looks.settings().min_free_disk, ending).await;
        });
        let tidies = this.context.clone();
        this.attend(|ending| tidy::tidy(tidies, ending));
        this.context.tell(Observation::Connection(Box::new(this.connection()))).await?;
        let store = this.context.store.clone();
        let paused = blocking(move || store.paused()).await?.into_iter();
        let own = paused.filter(|paused| paused.connection == this.context.connection);
        this.queues().paused = own.map(|it| (it.queue, (it.by, it.since))).collect();
        for queue in this.context.settings().queues.clone() {
            this.open(&mut this.queues(), queue);
        }
        if copy {
            this.give_up(unfinished).await?;
        } else {
            this.go_on_with(unfinished).await;
        }
        Ok(this)
    }

    /// Makes jobs of what is due from now on. `enqueue` is told of each, committed.
    pub fn keep_schedules(&self, enqueue: impl Fn(&Job) + Send + 'static) {
        let (context, settings) = (self.context.clone(), self.schedules.subscribe());
        self.attend(|ending| scheduling::keep(context, settings, enqueue, ending));
    }

    /// Work that goes on for as long as the runner does, and ends when it is told to.
    pub fn attend<F: Future<Output = ()> + Send + 'static>(
        &self,
        work: impl FnOnce(CancellationToken) -> F,
    ) {
        let task = tokio::spawn(work(self.ending.clone()));
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    pub fn logs(&self) -> &LiveLogs {
        &self.context.logs
    }

    pub fn pipeline_logs(&self) -> &PipelineLogs {
        &self.context.pipeline_logs
    }

    pub fn settings(&self) -> Arc<Settings> {
        self.context.settings()
    }

    /// Some says why no new run starts: the disk is nearly full.
    pub fn disk_low(&self) -> Option<String> {
        self.context.disk.low()
    }

    /// The built-in runner's own connection.
    pub fn connection_id(&self) -> ConnectionId {
        self.context.connection
    }

    /// Where the files of a job are.
    pub fn job_dir(&self, job: JobId) -> PathBuf {
        self.context.job_dir(job)
    }

    /// A job of this runner is committed as queued, or as scheduled.
    pub fn enqueue(&self, job: &Job) {
        self.command(&job.queue, Command::Enqueue(Box::new(job.clone())));
    }

    /// A request to cancel a job of this runner is committed.
    pub async fn cancel(&self, job: &Job, request: CancelRequest) {
        self.command(&job.queue, Command::Cancel { job: job.id, request });
        if job.state.is_over() {
            // Nothing of it runs, so its log is what its attempts left, if there were any.
            let dir = self.context.job_dir(job.id);
            let size =
                blocking(move || Log::open(&dir)?.map_or(Ok(Size::default()), |log| log.size()));
            let size = size.await.unwrap_or_default();
            self.context.pipeline_logs.ended(job);
            let info = LogInfo { lines: size.lines, bytes: size.bytes, ..LogInfo::default() };
            self.context.logs.close(job.id, info);
        }
    }

    /// The pause of a queue is committed, or its end.
    pub fn pause(&self, queue: &str, paused: Option<(String, Timestamp)>) {
        let mut queues = self.queues();
        match paused.clone() {
            Some(paused) => drop(queues.paused.insert(queue.to_owned(), paused)),
            None => drop(queues.paused.remove(queue)),
        }
        self.command_in(&mut queues, queue, 0, Command::Pause(paused));
    }

    /// A deleted job's directory is removed now rather than at the next start.
    pub fn removed(&self, job: JobId) {
        tokio::spawn(tidy::remove(self.context.clone(), job));
    }

    /// Why a job waits for a slot, in one sentence. None: it does not, as far as its queue knows.
    pub async fn why_waiting(&self, job: &Job) -> Option<String> {
        let (answer, answered) = oneshot::channel();
        self.command(&job.queue, Command::Ask { job: job.id, answer });
        answered.await.ok().flatten()
    }

    /// From now on it is as these settings say. What is queued or runs keeps the definition it was
    /// queued with; a queue that is not there any more ends with its last job.
    pub fn replace(&self, settings: Settings) {
        let before = self.context.settings();
        let queues = settings.queues.clone();
        let pipelines = settings.pipelines.iter().map(|new| {
            let changed = before.pipeline(&new.name).is_some_and(|old| old != new);
            (new.name.as_str(), changed)
        });
        self.context.pipeline_logs.keep(pipelines);
        self.context.replace_settings(settings);
        self.schedules.send_replace(self.context.settings());
        for QueueDef { name, concurrency } in &queues {
            let changed = Command::Configure { concurrency: *concurrency };
            self.command_in(&mut self.queues(), name, *concurrency, changed);
        }
        let gone = before.queues.iter().filter(|old| queues.iter().all(|new| new.name != old.name));
        for queue in gone {
            self.command(&queue.name, Command::Configure { concurrency: 0 });
        }
    }

    /// Claims nothing more. With `cancel` the runs are cancelled and waited for, else their
    /// executors go on without this server.
    pub async fn stop(&self, cancel: bool) {
        let request = cancel.then(|| CancelRequest {
            by: "tailboard".to_owned(),
            at: Timestamp::now(),
            why: Some("the server is shutting down".to_owned()),
        });
        self.ending.cancel();
        let mut stopping = Vec::new();
        for queue in self.queues().loops.values() {
            let (told, stopped) = oneshot::channel();
            if queue.send(Command::Stop { cancel: request.clone(), told }).is_ok() {
                stopping.push(stopped);
            }
        }
        for stopped in stopping {
            // An error: the loop ended before.
            let _ = stopped.await;
        }
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // What it held is free then. A panic of it was reported where it happened.
            let _ = task.await;
        }
        self.watching.abort();
    }

    fn command(&self, queue: &str, command: Command) {
        // Not in the configuration, if there is no loop: it is there again for this.
        self.command_in(&mut self.queues(), queue, 0, command);
    }

    /// Tells the loop of a queue; if that ended, a new one with so many slots.
    fn command_in(&self, queues: &mut Queues, queue: &str, slots: u32, command: Command) {
        let unsent = match queues.loops.get(queue) {
            Some(queue) => queue.send(command).err().map(|error| error.0),
            None => Some(command),
        };
        if let Some(command) = unsent {
            let commands =
                self.open(queues, QueueDef { name: queue.to_owned(), concurrency: slots });
            // Opened just now; an error means that the server is ending.
            let _ = commands.send(command);
        }
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, queues: &mut Queues, definition: QueueDef) -> mpsc::UnboundedSender<Command> {
        let (commands, receiver) = mpsc::unbounded_channel();
        let name = definition.name.clone();
        let paused = queues.paused.get(&name).cloned();
        tokio::spawn(QueueLoop::new(self.context.clone(), definition, paused, receiver).run());
        queues.loops.insert(name, commands.clone());
        commands
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
}
