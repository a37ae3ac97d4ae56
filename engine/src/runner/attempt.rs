//! One attempt of one job, from claim to last word.
//!
//! Started here or by a server before this one, an attempt is followed the same way: first the
//! lock, then the journal, says where it stands ([`Standing`]); what is to be done follows from
//! that, until the journal has its end.

use super::{
    context::{Context, blocking},
    follow::Follower,
    retry, start,
};
use crate::{
    Definition, Observation,
    board::{Applied, Refused},
    executor::{
        cancel, journal,
        lock::{self, Guard, Holder},
        remove_work, sweep,
    },
    observation::{LogMark, RunChange, RunProgress},
    store::Unfinished,
};
use shared::{CancelRequest, Job, JobId, JobState, Timestamp, log::LogInfo};
use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc};
use tokio::sync::{oneshot, watch};

/// Cancel requests for one job: the newest, and how many there were. The second one skips grace
/// and cleanup.
#[derive(Clone, Debug, Default)]
pub struct Cancels {
    pub newest: Option<CancelRequest>,
    pub count: u32,
}

/// One attempt that is being started or followed.
pub struct Attempt {
    pub context: Arc<Context>,
    pub job: JobId,
    /// The name of its pipeline.
    pub pipeline: String,
    pub number: u32,
    pub dir: PathBuf,
    /// What it runs, as it was queued with: JSON. Read only when it has to be started.
    pub definition: Option<String>,
    /// What it was queued with.
    pub params: BTreeMap<String, String>,
    /// Boot in which it was claimed.
    boot_id: String,
    /// Bytes of the journal that the board has.
    pub position: u64,
    pub cancels: watch::Receiver<Cancels>,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum Last {
    /// The job is over.
    Over(JobState),
    /// There will be another: the job as it waits for it.
    Retrying(Box<Job>),
}

/// Where an attempt stands, by its lock and its journal.
enum Standing {
    /// An executor has the lock.
    Running(Holder),
    /// The journal has a last word.
    Ended,
    /// The executor is gone without one.
    Lost(Guard, String),
    /// No step ever ran.
    Unborn,
}

/// Takes a waiting job into a free slot and follows it to its end. None: it did not come to run, as
/// it was cancelled meanwhile or the server is ending.
pub async fn claim(
    context: Arc<Context>,
    job: JobId,
    worker: String,
    cancels: watch::Receiver<Cancels>,
) -> Option<Last> {
    let stored = match context.stored(job).await {
        Ok(stored) => stored?,
        Err(error) => {
            tracing::error!(%job, %error, "cannot read a job that is to run; it stays queued until the next start");
            return None;
        }
    };
    let number = stored.job.attempt + 1;
    let (boot_id, at) = (context.boot_id.clone(), Timestamp::now());
    let claimed =
        Observation::Claimed { job, attempt: number, worker, boot_id: boot_id.clone(), at };
    let pipeline = stored.job.pipeline.unwrap_or_default();
    // Before others can see that it is active: who restarts the pipeline then finds it.
    context.pipeline_logs.begins(&pipeline, job);
    if context.tell(claimed).await.is_err() {
        context.pipeline_logs.forget(job);
        return None;
    }
    context.pipeline_logs.started(&pipeline, job, number);
    Attempt {
        dir: context.job_dir(job),
        definition: stored.definition,
        params: stored.params,
        position: 0,
        context,
        job,
        pipeline,
        number,
        boot_id,
        cancels,
    }
    .end(None)
    .await
}

/// Follows an attempt that a server before this one claimed. `known` is told whether its executor
/// lives, before anything else may be claimed.
pub async fn adopt(
    context: Arc<Context>,
    found: Unfinished,
    cancels: watch::Receiver<Cancels>,
    known: oneshot::Sender<bool>,
) -> Option<Last> {
    Attempt {
        job: found.job.id,
        pipeline: found.job.pipeline.unwrap_or_default(),
        number: found.job.attempt,
        dir: context.job_dir(found.job.id),
        definition: found.definition,
        params: found.params,
        boot_id: found.boot_id.unwrap_or_default(),
        position: found.journal_position,
        context,
        cancels,
    }
    .end(Some(known))
    .await
}

impl Attempt {
    /// Its last word.
    async fn end(mut self, known: Option<oneshot::Sender<bool>>) -> Option<Last> {
        match self.run(known).await {
            Ok(last) => Some(last),
            Err(Refused::Closed) => None,
            Err(refused) => {
                tracing::error!(job = %self.job, %refused, "the board refuses what an attempt says; it is not followed any further");
                None
            }
        }
    }

    async fn run(&mut self, mut known: Option<oneshot::Sender<bool>>) -> Result<Last, Refused> {
        loop {
            let standing = self.standing().await;
            if let Some(known) = known.take() {
                // Nobody waits any more when the start of the server was given up.
                let _ = known.send(matches!(standing, Ok(Standing::Running(_))));
            }
            match standing {
                Ok(Standing::Running(holder)) => {
                    self.deliver_cancel(Some(holder)).await;
                    if let Some(last) = Follower::of_executor(self, &holder).until_gone().await? {
                        return Ok(last);
                    }
                }
                Ok(Standing::Ended) => {
                    if let Some(last) = Follower::of_files(self).look().await? {
                        return Ok(last);
                    }
                    // It was told before; the board has it.
                    return Ok(Last::Over(JobState::Failed));
                }
                Ok(Standing::Lost(guard, reason)) => {
                    self.repair(guard).await;
                    return self.lost(reason).await;
                }
                Ok(Standing::Unborn) => {
                    if let Some(last) = start::start(self).await? {
                        return Ok(last);
                    }
                }
                Err(error) => return self.lost(format!("its files cannot be read: {error}")).await,
            }
        }
    }

    /// First the lock, then the journal, never the other way round: a journal read before the lock
    /// was seen free may lack the lines that its executor wrote last.
    async fn standing(&self) -> io::Result<Standing> {
        let (dir, number) = (self.dir.clone(), self.number);
        let restarted = self.boot_id != self.context.boot_id;
        blocking(move || {
            if !dir.exists() {
                return Ok(Standing::Unborn);
            }
            let guard = match lock::take(&dir)? {
                lock::State::Held(holder) => return Ok(Standing::Running(holder)),
                lock::State::Free(guard) => guard,
            };
            let entries = match journal::read_from(&dir, number, 0) {
                Ok(news) => news.entries,
                Err(error) => return Ok(Standing::Lost(guard, error.to_string())),
            };
            Ok(if entries.iter().any(journal::Entry::is_end) {
                Standing::Ended
            } else if restarted {
                Standing::Lost(guard, "the machine was restarted".to_owned())
            } else if entries.is_empty() {
                Standing::Unborn
            } else {
                Standing::Lost(guard, "its executor is gone without a last word".to_owned())
            })
        })
        .await
    }

    /// Hands a cancel request, if there is one, to the executor: the file first, so that one that is
    /// only starting finds it.
    pub async fn deliver_cancel(&mut self, holder: Option<Holder>) {
        let Cancels { newest: Some(request), count } = self.cancels.borrow_and_update().clone()
        else {
            return;
        };
        let dir = self.dir.clone();
        let delivered = blocking(move || {
            cancel::request(&dir, &request, count > 1)?;
            holder.map_or(Ok(true), |holder| cancel::knock(&dir, &holder))
        });
        if let Err(error) = delivered.await {
            tracing::warn!(job = %self.job, %error, "a cancel request could not be delivered");
        }
    }

    /// Makes the log whole again while the lock is held, so that no executor writes to it.
    async fn repair(&self, guard: Guard) {
        let (dir, job, number) = (self.dir.clone(), self.job, self.number);
        blocking(move || {
            if let Err(error) = crate::logs::repair(&dir, number) {
                tracing::error!(%job, %error, "the log of a lost run could not be repaired");
            }
            drop(guard);
        })
        .await;
    }

    /// Ends what the attempt left running, then tells the board that it is lost.
    pub async fn lost(&mut self, reason: String) -> Result<Last, Refused> {
        let marker = self.context.marker(self.job, self.number);
        let (dir, number) = (self.dir.clone(), self.number);
        let swept = blocking(move || {
            let swept = sweep::sweep(&marker);
            // What cannot be removed goes with the job's directory.
            let _ = remove_work(&dir, number);
            swept
        })
        .await;
        let reason = match swept {
            Ok(swept) if swept.alive.is_empty() => reason,
            Ok(swept) => {
                format!("{reason}; these processes of it would not die: {:?}", swept.alive)
            }
            Err(error) => {
                format!("{reason}; what it left running could not be looked for: {error}")
            }
        };
        let info = Follower::of_files(self).size().await;
        let mark = LogMark { offset: info.bytes, lines: info.lines };
        let retry_at = retry::after_loss(self.definition().as_ref(), self.number);
        let lost = RunChange::Lost { at: Timestamp::now(), reason, mark, retry_at };
        let told = self.tell(vec![lost], None).await?;
        Ok(self.last(told, JobState::Failed, info))
    }

    /// What it runs. None: it cannot be read.
    pub fn definition(&self) -> Option<Definition> {
        serde_json::from_str(self.definition.as_deref()?).ok()
    }

    /// The attempt is over; `told` is what the board made of that, `state` what it was told.
    pub fn last(&self, told: Applied, state: JobState, log: LogInfo) -> Last {
        self.context.pipeline_logs.grew(&self.pipeline, self.job, log);
        if let Some(job) = &told.job {
            self.context.pipeline_logs.ended(job);
        }
        match told.job {
            Some(job) if job.state == JobState::Retrying => {
                self.context.logs.set(self.job, log);
                Last::Retrying(Box::new(job))
            }
            job => {
                self.context.logs.close(self.job, log);
                Last::Over(job.map_or(state, |job| job.state))
            }
        }
    }

    /// News of this attempt for the board; resolves when they are committed.
    pub async fn tell(
        &self,
        changes: Vec<RunChange>,
        journal_position: Option<u64>,
    ) -> Result<Applied, Refused> {
        let run = RunProgress { job: self.job, attempt: self.number, journal_position, changes };
        self.context.tell(Observation::Run(Box::new(run))).await
    }
}
