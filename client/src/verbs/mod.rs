//! What can be asked of a board. One file per verb, or per kind of them.

mod act;
mod download;
mod follow;
mod job;
mod jobs;
mod key;
mod lines;
mod login;
mod logs;
mod people;
mod pipelines;
mod queues;
mod run;
mod user;
mod wait;
mod watch;
mod workers;

use crate::{door::Door, failure::Failure};
use clap::Subcommand;
use shared::JobState;
use std::{path::Path, process::ExitCode};

#[derive(Subcommand)]
pub enum Verb {
    /// Run a pipeline.
    Run(run::Run),
    /// List jobs, newest first.
    Jobs(jobs::Jobs),
    /// Show one job: its steps, attempts, and why it failed or waits.
    Job(job::Show),
    /// Print the log of a job.
    Logs(logs::Logs),
    /// Wait for the end of a job, and end as it does.
    Wait(wait::Wait),
    /// Ask for a job to be cancelled; a second time it gets no time to tidy up.
    Cancel(act::Cancel),
    /// Run a job that is over again.
    Retry(act::Retry),
    /// Delete jobs that are over, with their logs.
    Delete(act::Delete),
    /// List queues.
    Queues(queues::Queues),
    /// List workers; as JSON with what they run.
    Workers(workers::Workers),
    /// Start nothing more from a queue; what runs goes on.
    Pause(queues::Pause),
    /// Start jobs of a queue again.
    Resume(queues::Resume),
    /// List pipelines: what can be run, when it runs by itself, how its last runs ended.
    Pipelines(pipelines::Pipelines),
    /// Users: who may sign in, and what they may do.
    User(people::Asked<user::Verb>),
    /// API keys: what scripts get in with.
    Key(people::Asked<key::Verb>),
    /// Keep the address of a board and a token for it.
    Login(login::In),
    /// Forget them.
    Logout(login::Out),
}

pub async fn run<D: Door>(
    verb: Verb,
    open: impl FnOnce(&Path, bool) -> Result<D, Failure>,
) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Run(args) => run::run(args).await,
        Verb::Jobs(args) => jobs::run(args).await,
        Verb::Job(args) => job::run(args).await,
        Verb::Logs(args) => logs::run(args).await,
        Verb::Wait(args) => wait::run(args).await,
        Verb::Cancel(args) => act::cancel(args).await,
        Verb::Retry(args) => act::retry(args).await,
        Verb::Delete(args) => act::delete(args).await,
        Verb::Queues(args) => queues::run(args).await,
        Verb::Workers(args) => workers::run(args).await,
        Verb::Pause(args) => queues::pause(args).await,
        Verb::Resume(args) => queues::resume(args).await,
        Verb::Pipelines(args) => pipelines::run(args).await,
        Verb::User(args) => people::run(args, open).await,
        Verb::Key(args) => people::run(args, open).await,
        Verb::Login(args) => login::keep(args).await,
        Verb::Logout(args) => login::forget(&args),
    }
}

/// The status that a job's end is told by.
fn outcome(state: JobState) -> ExitCode {
    ExitCode::from(match state {
        JobState::Completed => 0,
        JobState::Cancelled => 3,
        _ => 1,
    })
}
