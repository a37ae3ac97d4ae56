//! What is done to a job: cancel, retry, delete.

use super::{
    follow,
    run::{made, object, param, tell},
};
use crate::{
    api::{Again, Ask},
    failure::Failure,
    job_ref::{Care, find, short},
    reach::Reach,
    session::Session,
};
use clap::Args;
use serde_json::{Value, json};
use shared::Job;
use std::process::ExitCode;

#[derive(Args)]
pub struct Cancel {
    /// Its id, or at least 6 characters of the id's beginning or end.
    job: String,
    /// Why, for the job's timeline.
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
    /// Print the job as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Args)]
pub struct Retry {
    /// Its id, or at least 6 characters of the id's beginning or end.
    job: String,
    /// A parameter that is to be another one than before; the others stay.
    #[arg(short, long = "param", value_name = "KEY=VALUE", value_parser = param)]
    params: Vec<(String, String)>,
    /// Print the log as it grows, and end as the job does.
    #[arg(short, long)]
    follow: bool,
    /// Print the new job as JSON instead of its id.
    #[arg(long, conflicts_with = "follow")]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Args)]
pub struct Delete {
    /// Their ids, or at least 6 characters of an id's beginning or end.
    #[arg(required = true, value_name = "JOB")]
    jobs: Vec<String>,
    #[command(flatten)]
    reach: Reach,
}

pub async fn cancel(args: Cancel) -> Result<ExitCode, Failure> {
    let session = Session::new(&args.reach)?;
    let id = find(&session, &args.job, Care::Act).await?.to_string();
    let body = args.why.map_or_else(|| json!({}), |why| json!({ "why": why }));
    // A second request would be a second cancel, which takes away the time to tidy up.
    let path = ["api", "v1", "jobs", &id, "cancel"];
    let job: Job = session.api.json(&Ask::post(&path, body, Again::Unsent)).await?;
    if args.json {
        session.console.json(&job, true)?;
    } else {
        let short = short(job.id);
        session.console.say(&match job.state.is_over() {
            true => format!("{id} is {}", job.state),
            false => format!("{id} is asked to end; `tailboard wait {short}` waits for it"),
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn retry(args: Retry) -> Result<ExitCode, Failure> {
    let session = Session::new(&args.reach)?;
    let id = find(&session, &args.job, Care::Act).await?.to_string();
    let path = ["api", "v1", "jobs", &id];
    let mut body = json!({});
    if !args.params.is_empty() {
        // The API takes all of them or none.
        let before: Value = session.api.get(&path, &[]).await?;
        body["params"] = before["params"].clone();
        for (name, value) in object(args.params)? {
            body["params"][name] = value;
        }
    }
    let job = made(&session, &["api", "v1", "jobs", &id, "retry"], body).await?;
    if args.follow {
        session.console.note(&format!("job {} does {id} again", job.id));
        return follow::to_end(&session, job.id).await;
    }
    tell(&session, &job, args.json)?;
    Ok(ExitCode::SUCCESS)
}

pub async fn delete(args: Delete) -> Result<ExitCode, Failure> {
    let session = Session::new(&args.reach)?;
    // All are found before the first one is gone: a slip deletes nothing.
    let mut ids = Vec::with_capacity(args.jobs.len());
    for job in &args.jobs {
        ids.push(find(&session, job, Care::Act).await?);
    }
    ids.dedup();
    for id in ids {
        let id = id.to_string();
        session.api.send(&Ask::delete(&["api", "v1", "jobs", &id])).await?;
        session.console.say(&format!("{id} is deleted"))?;
    }
    Ok(ExitCode::SUCCESS)
}
