//! `tailboard logs`: a log as it is, or a part of it, or as it grows.

use super::follow::{Line, Lines, interruptible};
use crate::{
    api::{Ask, Miss},
    failure::{Failure, Refusal},
    job_ref::{self, Care},
    live::Live,
    pause::Tries,
    plain,
    reach::Reach,
    session::Session,
    words,
};
use clap::Args;
use http::{HeaderValue, StatusCode};
use regex::{Regex, RegexBuilder};
use shared::{JobDetail, JobId, Timestamp, log::LogWindow};
use std::process::ExitCode;

/// Bytes of a compiled expression.
const LARGEST_PATTERN: usize = 4 * 1024 * 1024;
/// Lines that are read to find one that has a time: those found again after a crash have none.
const TIMED: usize = 200;

#[derive(Args)]
pub struct Logs {
    /// Its id, a beginning or an end of it, `latest`, or `PIPELINE:latest`.
    job: String,
    /// Go on with what is printed, to the end of the job.
    #[arg(short, long)]
    follow: bool,
    /// Only the last lines.
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
        return download(&session, id, args.grep.as_ref()).await;
    }
    let text = id.to_string();
    let detail: JobDetail = session.api.get(&["api", "v1", "jobs", &text], &[]).await?;
    let lines = detail.log.lines;
    let from_tail = args.tail.map_or(0, |count| lines.saturating_sub(count));
    let from_time = match args.since {
        Some(since) => before(&session, &text, since, lines).await?,
        None => 0,
    };
    let after = from_tail.max(from_time);
    let query = vec![("follow", args.follow.to_string())];
    let stream =
        Live::new(&session, &["api", "jobs", &text, "logs"], query, Some(after.to_string()));
    let mut lines = Lines::new(&session, stream);
    lines.timestamps = args.timestamps;
    let wanted = |line: &Line| {
        let since = args.since.zip(line.timestamp).is_none_or(|(since, at)| at >= since);
        since && args.grep.as_ref().is_none_or(|grep| is_match(grep, line.line.as_bytes()))
    };
    let all = async {
        while lines.print(wanted).await? {}
        Ok(())
    };
    if args.follow && !detail.job.state.is_over() {
        interruptible(id, all).await?;
    } else {
        all.await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a line matches as it is seen: without colours, nor the first half of a line break.
fn is_match(grep: &Regex, line: &[u8]) -> bool {
    let seen = plain::line(line, false);
    grep.is_match(String::from_utf8_lossy(&seen).trim_end_matches('\r'))
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

/// Exactly the bytes of the log, or of the lines that match; after a break the rest of them.
async fn download(session: &Session, id: JobId, grep: Option<&Regex>) -> Result<ExitCode, Failure> {
    let text = id.to_string();
    let mut tries: Option<Tries> = None;
    let mut sent: u64 = 0;
    let mut printer = Printer { session, grep, line: Vec::new() };
    loop {
        match piece(session, &text, &mut sent, &mut printer, &mut tries).await {
            Ok(()) => break,
            Err(Miss::Lasting(Failure::Refused(refusal))) => {
                if ended_by(session, &text, &refusal, sent).await? {
                    break;
                }
                return Err(Failure::Refused(refusal));
            }
            Err(Miss::Lasting(failure)) => return Err(failure),
            Err(Miss::Passing { why, after, .. }) => {
                let tries = tries.get_or_insert_with(|| Tries::new(session.api.pace));
                let at = tries.next(after, session.api.was_reached());
                let at = at.ok_or_else(|| session.api.unreachable(&why))?;
                if tries.tell() {
                    session.console.note(&format!("connection lost ({why}); trying again"));
                }
                tokio::time::sleep_until(at).await;
            }
        }
    }
    printer.end()?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what comes of one answer, from byte number `sent` on.
async fn piece(
    session: &Session,
    id: &str,
    sent: &mut u64,
    printer: &mut Printer<'_>,
    tries: &mut Option<Tries>,
) -> Result<(), Miss> {
    let path = ["api", "jobs", id, "logs", "static"];
    let mut ask = Ask::get(&path, &[]);
    if *sent > 0 {
        // Digits alone.
        let range = HeaderValue::try_from(format!("bytes={sent}-"));
        ask = ask.header("range", range.map_err(|_| Miss::Lasting(Failure::Other(String::new())))?);
    }
    let mut response = session.api.open(&ask).await?;
    // Whoever stands in between and knows no ranges gives all of it again.
    let mut skip = if response.status() == StatusCode::PARTIAL_CONTENT { 0 } else { *sent };
    loop {
        let broken = |why: String| Miss::Passing { why, after: None, unsent: false };
        let chunk = response.chunk().await.map_err(|error| broken(crate::api::causes(&error)))?;
        let Some(chunk) = chunk else { return Ok(()) };
        let known = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
        skip -= known as u64;
        let news = &chunk[known..];
        printer.print(news).map_err(Miss::Lasting)?;
        *sent += news.len() as u64;
        if !news.is_empty() && tries.take().is_some_and(|tries| tries.were_told()) {
            session.console.note("connected again");
        }
    }
}

/// Whether a refusal means that there is nothing more to print: all of it was there before the break, or
/// nothing was ever printed.
async fn ended_by(
    session: &Session,
    id: &str,
    refusal: &Refusal,
    sent: u64,
) -> Result<bool, Failure> {
    match refusal.status {
        StatusCode::RANGE_NOT_SATISFIABLE => Ok(true),
        StatusCode::NOT_FOUND if sent == 0 => {
            let detail: JobDetail = session.api.get(&["api", "v1", "jobs", id], &[]).await?;
            let state = detail.job.state;
            let goes_on = if state.is_over() { "" } else { "; -f waits for what it prints" };
            session.console.note(&format!("nothing was printed: it is {state}{goes_on}"));
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Bytes as they are; line by line where some are left out, or where a terminal is to get no more than
/// text. A line has 64 KiB at most: what is longer was cut as it was written.
struct Printer<'a> {
    session: &'a Session,
    grep: Option<&'a Regex>,
    line: Vec<u8>,
}

impl Printer<'_> {
    fn print(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let console = &self.session.console;
        if !console.is_terminal && self.grep.is_none() {
            return console.print(bytes);
        }
        let mut out = Vec::with_capacity(bytes.len());
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if let Some(line) = self.line.strip_suffix(b"\n") {
                if self.shown(line, &mut out) {
                    out.push(b'\n');
                }
                self.line.clear();
            }
        }
        if out.is_empty() { Ok(()) } else { console.print(&out) }
    }

    /// Whether a line is wanted; then it is put to what is printed.
    fn shown(&self, line: &[u8], out: &mut Vec<u8>) -> bool {
        let console = &self.session.console;
        let is_wanted = self.grep.is_none_or(|grep| is_match(grep, line));
        match (is_wanted, console.is_terminal) {
            (false, _) => {}
            (true, true) => out.extend(plain::line(line, console.colours)),
            (true, false) => out.extend_from_slice(line),
        }
        is_wanted
    }

    /// What is left without an end of its own.
    fn end(&mut self) -> Result<(), Failure> {
        let mut out = Vec::new();
        if self.line.is_empty() || !self.shown(&self.line, &mut out) {
            return Ok(());
        }
        self.session.console.print(&out)
    }
}
