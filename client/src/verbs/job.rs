//! `tailboard job`: all that is known of one job, its log apart.

use crate::{
    console::{Colour, Console},
    failure::Failure,
    job_ref::{self, Care, short},
    plain,
    reach::Reach,
    session::Session,
    table::{self, Cell, number, whole, wide},
    words,
};
use clap::Args;
use shared::{JobDetail, JobState, StepState};
use std::process::ExitCode;

#[derive(Args)]
pub struct Show {
    /// Its id, a beginning or an end of it, `latest`, or `PIPELINE:latest`.
    job: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

pub async fn run(args: Show) -> Result<ExitCode, Failure> {
    let session = Session::new(&args.reach)?;
    let id = job_ref::find(&session, &args.job, Care::Read).await?.to_string();
    let detail: JobDetail = session.api.get(&["api", "v1", "jobs", &id], &[]).await?;
    let console = &session.console;
    if args.json {
        console.json(&detail, true)?;
    } else {
        for line in described(&detail, console) {
            console.say(&line)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn described(detail: &JobDetail, console: &Console) -> Vec<String> {
    let job = &detail.job;
    let mut facts: Vec<(&str, String)> = vec![
        ("job", job.id.to_string()),
        ("name", plain::text(&job.name)),
        ("state", job.state.to_string()),
    ];
    let mut fact = |name, text: Option<String>| facts.extend(text.map(|text| (name, text)));
    fact("waits", detail.waiting.as_deref().map(plain::text));
    fact("error", job.error.as_deref().map(plain::text));
    fact("queue", Some(plain::text(&job.queue)));
    fact(
        "made",
        Some(format!("{} by {}", words::time(job.created_at), plain::text(&detail.created_by))),
    );
    fact("began", job.started_at.map(words::time));
    fact("ended", job.finished_at.map(words::time));
    fact("took", job.duration_ms.map(words::span));
    fact("due", job.run_at.filter(|_| !job.state.is_over()).map(words::time));
    let attempts =
        (job.max_attempts > 1).then(|| format!("{} of {}", job.attempt, job.max_attempts));
    fact("attempt", attempts);
    fact("retry of", job.retry_of.map(|id| id.to_string()));
    fact("again as", detail.retried_by.map(|id| id.to_string()));
    fact(
        "cancel",
        detail.cancel.as_ref().map(|cancel| {
            let why = cancel
                .why
                .as_deref()
                .map_or(String::new(), |why| format!(": {}", plain::text(why)));
            format!("asked for by {} at {}{why}", plain::text(&cancel.by), words::time(cancel.at))
        }),
    );
    for (name, value) in &detail.params {
        fact("with", Some(format!("{}={}", plain::text(name), plain::text(value))));
    }
    let log = &detail.log;
    fact("log", Some(format!("{}, {}", words::count(log.lines, "line"), words::bytes(log.bytes))));
    let mut lines: Vec<_> = facts
        .into_iter()
        .flat_map(|(name, text)| {
            let colour = Colour::of(job.state).filter(|_| name == "state");
            table::wrapped(name, 9, &Cell::coloured(&text, colour), console)
        })
        .collect();
    if !detail.steps.is_empty() {
        lines.push(String::new());
        lines.extend(steps(detail, console));
    }
    if console.is_terminal {
        lines.push(String::new());
        let next = Cell::coloured(&next(job.state, &short(job.id)), Some(Colour::Dim));
        lines.extend(table::wrapped("", 0, &next, console));
    }
    lines
}

fn steps(detail: &JobDetail, console: &Console) -> Vec<String> {
    const COLUMNS: [table::Column; 6] = [
        number("STEP"),
        wide("NAME"),
        whole("PHASE").leaves(2),
        whole("STATE"),
        number("TIME").leaves(1),
        wide("ERROR"),
    ];
    let rows: Vec<_> = detail
        .steps
        .iter()
        .map(|step| {
            let colour = match step.state {
                StepState::Completed => Some(Colour::Green),
                StepState::Failed => Some(Colour::Red),
                StepState::Active => Some(Colour::Blue),
                StepState::Cancelled => Some(Colour::Yellow),
                StepState::Pending | StepState::Skipped => None,
            };
            vec![
                Cell::of(&(step.ordinal + 1).to_string()),
                Cell::of(&step.name),
                Cell::of(step.phase.as_str()),
                Cell::coloured(step.state.as_str(), colour),
                Cell::of(&step.duration_ms.map_or("-".to_owned(), words::span)),
                Cell::of(step.error.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    table::lines(&COLUMNS, &rows, console)
}

/// What may be done next.
fn next(state: JobState, short: &str) -> String {
    if state.is_over() {
        format!("tailboard logs {short} · tailboard retry {short}")
    } else {
        format!("tailboard logs -f {short} · tailboard cancel {short}")
    }
}
