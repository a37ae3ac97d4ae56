//! `tailboard run`: queue a run of a pipeline, and follow it if that is wanted.

use super::follow;
use crate::{
    api::{Again, Ask},
    failure::{Failure, Refusal},
    plain,
    reach::Reach,
    session::Session,
    words,
};
use clap::Args;
use http::{HeaderValue, Method};
use serde_json::{Map, Value, json};
use shared::{Job, Pipeline, Rows, Timestamp};
use std::process::ExitCode;
use uuid::Uuid;

#[derive(Args)]
pub struct Run {
    /// Name of the pipeline.
    pipeline: String,
    /// A parameter; as often as there are some.
    #[arg(short, long = "param", value_name = "KEY=VALUE", value_parser = param)]
    params: Vec<(String, String)>,
    /// Print the log as it grows, and end as the job does.
    #[arg(short, long)]
    follow: bool,
    /// -100 to 100, higher ones are taken first; the pipeline's own when nothing is said.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    priority: Option<i32>,
    /// Not before this time: in 10m, 2h, or at 2026-02-27T10:30:00Z.
    #[arg(long, value_name = "TIME", value_parser = words::moment_ahead)]
    at: Option<Timestamp>,
    /// Print the job as JSON instead of its id.
    #[arg(long, conflicts_with = "follow")]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// `key=value`; the value may have `=` in it.
pub fn param(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("wanted is KEY=VALUE, such as -p {}=value", text.trim_matches('='))),
    }
}

/// Parameters as the API takes them; one that is given twice is a slip.
pub fn object(params: Vec<(String, String)>) -> Result<Map<String, Value>, Failure> {
    let mut object = Map::new();
    for (key, value) in params {
        if object.insert(key.clone(), Value::String(value)).is_some() {
            return Err(Failure::Usage(format!("parameter {key} is given twice")));
        }
    }
    Ok(object)
}

pub async fn run(args: Run) -> Result<ExitCode, Failure> {
    let session = Session::new(&args.reach)?;
    let mut body = json!({ "pipeline": args.pipeline, "params": object(args.params)? });
    if let Some(priority) = args.priority {
        body["priority"] = json!(priority);
    }
    if let Some(at) = args.at {
        body["run_at"] = json!(at);
    }
    let made = made(&session, &["api", "v1", "executions"], body).await;
    let job = match made {
        Err(Failure::Refused(refusal)) if refusal.field.as_deref() == Some("pipeline") => {
            return Err(with_names(&session, refusal).await);
        }
        made => made?,
    };
    if args.follow {
        session.console.note(&format!("job {} of {}", job.id, plain::text(&job.name)));
        return follow::to_end(&session, job.id).await;
    }
    tell(&session, &job, args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// Asks for a new job. The same key with all tries of this one command: however often the request
/// arrives, it makes one job.
pub async fn made(session: &Session, path: &[&str], body: Value) -> Result<Job, Failure> {
    let mut ask = Ask::post(path, body, Again::Safe);
    ask.method = Method::POST;
    if let Ok(key) = HeaderValue::try_from(Uuid::new_v4().to_string()) {
        ask = ask.header("idempotency-key", key);
    }
    session.api.json(&ask).await
}

/// The id alone, so that a script can take it; the rest is for people.
pub fn tell(session: &Session, job: &Job, json: bool) -> Result<(), Failure> {
    let console = &session.console;
    if json {
        return console.json(job, true);
    }
    console.say(&job.id.to_string())?;
    if console.is_terminal {
        let short = crate::job_ref::short(job.id);
        console.note(&format!("{}; `tailboard logs -f {short}` follows it", job.state));
    }
    Ok(())
}

/// An unknown pipeline, and those that are known.
async fn with_names(session: &Session, mut refusal: Refusal) -> Failure {
    let known: Result<Rows<Pipeline>, _> = session.api.get(&["api", "v1", "pipelines"], &[]).await;
    if let Ok(known) = known {
        let names: Vec<_> = known.items.iter().map(|p| plain::text(&p.name)).collect();
        refusal.detail += &match names.as_slice() {
            [] => "; there are none yet".to_owned(),
            names => format!("; there are {}", names.join(", ")),
        };
    }
    Failure::Refused(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_a_name_and_a_value_that_may_have_anything_in_it() {
        assert_eq!(param("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(param("a="), Ok(("a".to_owned(), String::new())));
        assert!(param("a").is_err() && param("=b").is_err());
        let twice = vec![("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())];
        assert!(matches!(object(twice), Err(Failure::Usage(_))));
    }
}
