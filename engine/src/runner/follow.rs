//! Following a run by its files: journal, log, live.

use super::{
    attempt::{Attempt, Last},
    context::blocking,
    retry,
};
use crate::{
    Observation,
    board::Refused,
    executor::{journal, lock::Holder},
    linux::{directories::Watched, readable},
    logs::{self, Log, LogError, Size},
    observation::RunChange,
};
use shared::{JobState, log::LogInfo};
use std::{future::pending, os::fd::OwnedFd, time::Duration};
use tokio::{io::unix::AsyncFd, time::Instant};

/// How often files are looked at without being told that they changed: for a kernel that has no
/// watches left, and to see a process that is gone where that is not told either.
const ANYWAY: Duration = Duration::from_secs(1);
/// Time from one look to the next, so that a flood of output costs 50 looks a second, not thousands.
const PAUSE: Duration = Duration::from_millis(20);

/// Follows one attempt.
pub struct Follower<'a> {
    attempt: &'a mut Attempt,
    holder: Option<Holder>,
    /// Readable when the executor is gone.
    gone: Option<AsyncFd<OwnedFd>>,
    changed: Option<Watched>,
    /// Number of the newest change of the unfinished lines; none while there is none.
    live: Option<u64>,
    /// How often that changed.
    open: u64,
    /// What the step says of itself.
    progress: Option<f32>,
}

impl<'a> Follower<'a> {
    /// Follows the executor that holds the lock.
    pub fn of_executor(attempt: &'a mut Attempt, holder: &Holder) -> Self {
        let job = attempt.job;
        let gone = holder
            .pidfd(&attempt.dir)
            .and_then(|fd| fd.map(readable).transpose())
            .inspect_err(|error| tracing::warn!(%job, %error, "cannot wait for an executor"))
            .ok()
            .flatten();
        let changed = attempt
            .context
            .directories
            .watch(&attempt.dir)
            .inspect_err(|error| tracing::warn!(%job, %error, "cannot watch a run's files"))
            .ok();
        Self { holder: Some(*holder), gone, changed, ..Self::of_files(attempt) }
    }

    /// Reads files that nobody writes to any more.
    pub fn of_files(attempt: &'a mut Attempt) -> Self {
        Self {
            attempt,
            holder: None,
            gone: None,
            changed: None,
            live: None,
            open: 0,
            progress: None,
        }
    }

    /// Follows until the last word. None: the executor is gone, or is not known to live any more,
    /// and has not said one.
    ///
    /// # Errors
    /// When the board refuses what it is told.
    pub async fn until_gone(mut self) -> Result<Option<Last>, Refused> {
        loop {
            let looked = Instant::now();
            if let Some(last) = self.look().await? {
                return Ok(Some(last));
            }
            let changed = async {
                match &self.changed {
                    Some(watched) => watched.changed().await,
                    None => pending().await,
                }
            };
            let gone = async {
                match &self.gone {
                    // An error means that the runtime is ending.
                    Some(pidfd) => drop(pidfd.readable().await),
                    None => tokio::time::sleep(ANYWAY).await,
                }
            };
            tokio::select! {
                () = gone => return self.look().await,
                () = changed => tokio::time::sleep_until(looked + PAUSE).await,
                Ok(()) = self.attempt.cancels.changed() => {
                    self.attempt.deliver_cancel(self.holder).await;
                }
                () = tokio::time::sleep(ANYWAY) => {}
            }
        }
    }

    /// Reads what is new and tells it. Some: the last word was among it.
    ///
    /// # Errors
    /// When the board refuses what it is told.
    pub async fn look(&mut self) -> Result<Option<Last>, Refused> {
        let attempt = &*self.attempt;
        let (dir, number, position) = (attempt.dir.clone(), attempt.number, attempt.position);
        let news = blocking(move || journal::read_from(&dir, number, position)).await;
        // The size after the journal: a line of the journal names no byte that is not in it.
        let info = self.size().await;
        self.attempt.context.logs.set(self.attempt.job, info);
        self.attempt.context.pipeline_logs.grew(&self.attempt.pipeline, self.attempt.job, info);
        let news = match news {
            Ok(news) => news,
            Err(error) => {
                tracing::error!(job = %self.attempt.job, %error, "a journal cannot be read");
                return Ok(None);
            }
        };
        if news.position == self.attempt.position {
            return Ok(None);
        }
        let mut changes: Vec<_> =
            news.entries.into_iter().map(journal::Entry::into_change).collect();
        changes.iter_mut().for_each(|change| self.again(change));
        let end = changes.iter().find_map(|change| match change {
            RunChange::Ended { state, .. } => Some(*state),
            RunChange::Lost { .. } => Some(JobState::Failed),
            _ => None,
        });
        let told = self.attempt.tell(changes, Some(news.position)).await?;
        self.attempt.position = news.position;
        Ok(end.map(|state| self.attempt.last(told, state, info)))
    }

    /// When the attempt is followed by another, if this was its end.
    fn again(&self, change: &mut RunChange) {
        let definition = || self.attempt.definition();
        match change {
            RunChange::Ended { state: JobState::Failed, retry_at, .. } => {
                *retry_at = retry::after_failure(definition().as_ref(), self.attempt.number);
            }
            RunChange::Lost { retry_at, .. } => {
                *retry_at = retry::after_loss(definition().as_ref(), self.attempt.number);
            }
            _ => {}
        }
    }

    /// Size of the log now.
    pub async fn size(&mut self) -> LogInfo {
        let (dir, job) = (self.attempt.dir.clone(), self.attempt.job);
        let sizes = move || -> Result<_, LogError> {
            let live = logs::live::read(&dir)?;
            let (change, progress) = live.map_or((None, None), |l| (Some(l.change), l.progress));
            Ok((Log::open(&dir)?.map_or(Ok(Size::default()), |log| log.size())?, change, progress))
        };
        let (size, live, progress) = blocking(sizes)
            .await
            .inspect_err(|error| tracing::warn!(%job, %error, "the size of a log cannot be read"))
            .unwrap_or_default();
        if live != self.live {
            self.open += 1;
            self.live = live;
        }
        if progress != self.progress {
            self.progress = progress;
            let (job, attempt) = (self.attempt.job, self.attempt.number);
            let news = Observation::Progress { job, attempt, progress, step: None };
            // What the next look says again: dropped while the line is full.
            let _ = self.attempt.context.board.try_send(news);
        }
        LogInfo { lines: size.lines, bytes: size.bytes, open: self.open, closed: false }
    }
}
