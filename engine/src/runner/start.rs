//! Starting the executor of a claimed attempt.

use super::{
    attempt::{Attempt, Last},
    context::blocking,
    follow::Follower,
    retry,
};
use crate::{
    Definition, Observation,
    board::Refused,
    executor::{
        env_file::{self, EnvFileError},
        launch::{self, LaunchError, READY_TIME},
        plan::Plan,
    },
    linux,
    observation::{Exit, LogMark, RunChange},
};
use shared::{JobState, Timestamp};
use std::{
    collections::BTreeMap, fs::DirBuilder, io, os::unix::fs::DirBuilderExt, path::Path,
    process::Child, time::Duration,
};

/// Pause after the first failed start; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Starts an executor, again with back-off until there is one. Some: the run was cancelled before
/// any of it ran.
///
/// # Errors
/// When the board refuses what it is told.
pub async fn start(attempt: &mut Attempt) -> Result<Option<Last>, Refused> {
    let definition: Definition =
        match serde_json::from_str(attempt.definition.as_deref().unwrap_or_default()) {
            Ok(definition) => definition,
            Err(error) => {
                let reason = format!("its stored definition cannot be read: {error}");
                return attempt.lost(reason).await.map(Some);
            }
        };
    let secrets = match secrets(&definition).await {
        Ok(secrets) => secrets,
        Err(error) => return failed(attempt, &definition, error.to_string()).await.map(Some),
    };
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match launch(attempt, &definition, &secrets).await {
            Ok(child) => {
                tokio::spawn(reap(child));
                return Ok(None);
            }
            Err(error) => error,
        };
        tracing::warn!(job = %attempt.job, %error, "a run could not be started; trying again");
        let (job, number) = (attempt.job, attempt.number);
        let delayed = Observation::StartDelayed {
            job,
            attempt: number,
            reason: error.to_string(),
            at: Timestamp::now(),
        };
        attempt.context.tell(delayed).await?;
        let asked = attempt.cancels.wait_for(|cancels| cancels.count > 0);
        if tokio::time::timeout(pause, asked).await.is_ok_and(|asked| asked.is_ok()) {
            return cancelled(attempt).await.map(Some);
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("the directory of the job cannot be made: {0}")]
    Directory(#[from] io::Error),
    #[error(transparent)]
    Launch(#[from] LaunchError),
}

/// What `env_file` has now: read for each attempt, and never kept.
async fn secrets(definition: &Definition) -> Result<BTreeMap<String, String>, EnvFileError> {
    let Some(path) = definition.env_file.clone() else { return Ok(BTreeMap::new()) };
    blocking(move || env_file::read(&path)).await
}

async fn launch(
    attempt: &mut Attempt,
    definition: &Definition,
    secrets: &BTreeMap<String, String>,
) -> Result<Child, StartError> {
    let context = attempt.context.clone();
    let (dir, number) = (attempt.dir.clone(), attempt.number);
    let ready = blocking(move || {
        create(&dir)?;
        Ok::<_, StartError>(launch::spawn(&context.executor, &dir, number)?.ready(READY_TIME)?)
    })
    .await?;
    // A request that was made since the claim has to lie there before the plan arrives.
    attempt.deliver_cancel(None).await;
    let context = &attempt.context;
    let marker = context.marker(attempt.job, attempt.number);
    let plan = Plan::of(
        definition,
        &context.settings(),
        &context.inherited,
        &attempt.params,
        secrets,
        &marker,
    );
    Ok(blocking(move || ready.send(&plan)).await?)
}

/// Waits for the process only to reap it: what became of the run is told by its journal.
async fn reap(mut child: Child) {
    if let Ok(pid) = i32::try_from(child.id())
        && let Ok(Some(pidfd)) = linux::pidfd(pid)
        && let Ok(gone) = linux::readable(pidfd)
    {
        // An error here means that the runtime is ending, and init reaps it.
        let _ = gone.readable().await.map(|_| ());
    }
    // It has ended, or there is no pidfd to wait on: either way this returns when it has.
    let _ = blocking(move || child.wait()).await;
}

/// Nothing ran, so there is no executor to answer the request.
async fn cancelled(attempt: &mut Attempt) -> Result<Last, Refused> {
    ended(attempt, JobState::Cancelled, None, None).await
}

/// Nothing of it can run.
async fn failed(
    attempt: &mut Attempt,
    definition: &Definition,
    error: String,
) -> Result<Last, Refused> {
    let retry_at = retry::after_failure(Some(definition), attempt.number);
    ended(attempt, JobState::Failed, Some(error), retry_at).await
}

async fn ended(
    attempt: &mut Attempt,
    state: JobState,
    error: Option<String>,
    retry_at: Option<Timestamp>,
) -> Result<Last, Refused> {
    let log = Follower::of_files(attempt).size().await;
    let mark = LogMark { offset: log.bytes, lines: log.lines };
    let (at, exit) = (Timestamp::now(), Exit::default());
    let ended = RunChange::Ended { state, at, duration_ms: None, exit, error, mark, retry_at };
    let told = attempt.tell(vec![ended], None).await?;
    Ok(attempt.last(told, state, log))
}

fn create(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}
