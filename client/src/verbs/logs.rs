//! `tailboard logs`: a log as it is, or a part of it, or as it grows.

use super::{
    download,
    follow::interruptible,
    lines::{Choice, Lines},
};
use crate::{
    failure::{Failure, Refusal},
    job_ref::{self, Care},
    reach::Reach,
    session::Session,
    words,
};
use clap::Args;
use regex::{Regex, RegexBuilder};
use shared::{
    JobDetail, Timestamp,
    log::{LogMatches, LogWindow},
};
use std::process::ExitCode;

/// Bytes of a compiled expression.
const LARGEST_PATTERN: usize = 4 * 1024 * 1024;
/// Lines that are read to find one that has a time: those found again after a crash have none.
const TIMED: usize = 200;
/// Matches that the board tells of in one answer.
const MOST_MATCHES: u64 = 10_000;

#[derive(Args)]
pub struct Logs {
    /// Its id, a beginning or an end of it, `latest`, or `PIPELINE:latest`.
    job: String,
    /// Go on with what is printed, to the end of the job.
    #[arg(short, long)]
    follow: bool,
    /// Only the last lines; with --grep the last that match.
    #[arg(short = 'n', long, value_name = "COUNT")]
    tail: Option<u64>,
    /// Only lines since then: 10m, 2h, 1d ago, or 2026-02-27T10:30:00Z.
    #[arg(long, value_name = "TIME", value_parser = words::moment)]
    since: Option<Timestamp>,
    /// Only lines that match this regular expression; `(?i)` before it ignores case.
    #[arg(short, long, value_name = "EXPRESSION", value_parser = pattern)]
    grep: Option<Regex>,
    /// When each line was complete, before it.
    #[arg(short, long)]
    timestamps: bool,
    #[command(flatten)]
    reach: Reach,
}

/// An expression whose search takes time in proportion to the text.
fn pattern(text: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(text).size_limit(LARGEST_PATTERN).build();
    built.map_err(|error| error.to_string())
}

pub async fn run(args: Logs) -> Result<ExitCode, Failure> {
    let session = Session::new(&args.reach)?;
    let id = job_ref::find(&session, &args.job, Care::Read).await?;
    let is_whole = args.tail.is_none() && args.since.is_none();
    if is_whole && !args.follow && !args.timestamps {
        download::print(&session, id, args.grep.as_ref()).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = id.to_string();
    let detail: JobDetail = session.api.get(&["api", "v1", "jobs", &text], &[]).await?;
    let lines = detail.log.lines;
    let from_tail = match (args.tail, &args.grep) {
        (None, _) => 0,
        // The board looks for no empty expression; every line matches it.
        (Some(count), Some(grep)) if !grep.as_str().is_empty() => {
            before_matches(&session, &text, grep, count, lines).await?
        }
        (Some(count), _) => lines.saturating_sub(count),
    };
    let from_time = match args.since {
        Some(since) => before(&session, &text, since, lines).await?,
        None => 0,
    };
    let choice =
        Choice { since: args.since, grep: args.grep.as_ref(), timestamps: args.timestamps };
    let mut printed = Lines::after(&session, id, from_tail.max(from_time), choice);
    let follow = args.follow;
    let all = async {
        let last = printed.so_far().await?;
        // A log that is closed has all its lines.
        if last < lines || (follow && !detail.log.closed) {
            while printed.next(follow).await? {}
        }
        Ok(())
    };
    if follow && !detail.job.state.is_over() {
        interruptible(id, all).await?;
    } else {
        all.await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How many lines there are before the last `count` that match: the board looks for them, from the end on.
async fn before_matches(
    session: &Session,
    id: &str,
    grep: &Regex,
    count: u64,
    lines: u64,
) -> Result<u64, Failure> {
    let (mut wanted, mut before) = (count, lines + 1);
    while wanted > 0 && before > 1 {
        let query = [
            ("q", grep.as_str().to_owned()),
            ("mode", "regex".to_owned()),
            ("case", "match".to_owned()),
            ("before", before.to_string()),
            ("limit", wanted.min(MOST_MATCHES).to_string()),
            ("first", "true".to_owned()),
        ];
        let found = session.api.get(&["api", "v1", "jobs", id, "log", "search"], &query).await;
        let found: LogMatches = found.map_err(of_option)?;
        wanted = wanted.saturating_sub(found.lines.len() as u64);
        before = match found.lines.last() {
            Some(first) if wanted == 0 => *first,
            _ => found.next.unwrap_or(1),
        };
    }
    Ok(before - 1)
}

/// What the board says of its parameter is said of the option.
fn of_option(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(refusal) if refusal.field.as_deref() == Some("q") => {
            Failure::Refused(Refusal { field: Some("--grep".to_owned()), ..refusal })
        }
        failure => failure,
    }
}

/// How many lines there are before the first one of that time: a log is in order, so its middle is looked
/// at again and again.
async fn before(session: &Session, id: &str, since: Timestamp, lines: u64) -> Result<u64, Failure> {
    // Lines up to `old` are older; those after `new` are not.
    let (mut old, mut new) = (0, lines);
    while old < new {
        let middle = old + (new - old) / 2 + 1;
        let count = usize::try_from(new - middle + 1).unwrap_or(TIMED).min(TIMED);
        let query = [("from", middle.to_string()), ("count", count.to_string())];
        let window: LogWindow = session.api.get(&["api", "v1", "jobs", id, "log"], &query).await?;
        match window.lines.iter().find_map(|line| Some((line.n, line.at?))) {
            Some((n, at)) if at < since => old = n,
            Some(_) => new = middle - 1,
            // Without times all the way: what was found again after a crash is kept.
            None => new = middle - 1,
        }
    }
    Ok(old)
}
