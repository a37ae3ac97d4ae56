//! `tailboard wait`: until a job is over.

use super::follow::{self, Status, interruptible};
use crate::{
    failure::Failure,
    job_ref::{self, Care},
    reach::Reach,
    session::Session,
    words,
};
use clap::Args;
use std::{process::ExitCode, time::Duration};

#[derive(Args)]
pub struct Wait {
    /// Its id, a beginning or an end of it, `latest`, or `PIPELINE:latest`.
    job: String,
    /// Longest wait, such as 90s or 10m; then the status is 4 and the job goes on.
    #[arg(long, value_name = "TIME", value_parser = words::duration)]
    timeout: Option<Duration>,
    #[command(flatten)]
    reach: Reach,
}

pub async fn run(args: Wait) -> Result<ExitCode, Failure> {
    let session = Session::new(&args.reach)?;
    let work = async {
        let id = job_ref::find(&session, &args.job, Care::Read).await?;
        let mut status = Status::of(&session, id);
        let over = async {
            while status.next().await? {}
            Ok(())
        };
        interruptible(id, over).await?;
        follow::ended(&session, id).await
    };
    match args.timeout {
        None => work.await,
        Some(most) => tokio::time::timeout(most, work).await.unwrap_or_else(|_| {
            let time = words::span(u64::try_from(most.as_millis()).unwrap_or(u64::MAX));
            Err(match session.api.was_reached() {
                true => Failure::Timeout(format!(
                    "not over after {time}; it goes on: `tailboard cancel` ends it"
                )),
                // Of the job nothing is known.
                false => session.api.unreachable(&format!("no answer in {time}")),
            })
        }),
    }
}
