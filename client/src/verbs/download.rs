//! A log as it is: exactly its bytes, or those of the lines that match.

use super::lines::is_match;
use crate::{
    failure::{Failure, Refusal},
    long::{self, Reader},
    plain,
    session::Session,
};
use http::StatusCode;
use regex::Regex;
use reqwest::Response;
use shared::{JobDetail, JobId};

/// Prints the log of a job; after a break the rest of it.
pub async fn print(session: &Session, id: JobId, grep: Option<&Regex>) -> Result<(), Failure> {
    let text = id.to_string();
    let mut download = Download { session, grep, sent: 0, skip: 0, line: Vec::new() };
    match long::read(session, &["api", "jobs", &text, "logs", "static"], &[], &mut download).await {
        Err(Failure::Refused(refusal)) => {
            if !ended_by(session, &text, &refusal, download.sent).await? {
                return Err(Failure::Refused(refusal));
            }
        }
        ended => ended?,
    }
    download.end()
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
struct Download<'a> {
    session: &'a Session,
    grep: Option<&'a Regex>,
    /// Bytes that came.
    sent: u64,
    /// Those of them that come once more.
    skip: u64,
    line: Vec<u8>,
}

impl Reader for Download<'_> {
    fn rest(&self) -> Option<(&'static str, String)> {
        (self.sent > 0).then(|| ("range", format!("bytes={}-", self.sent)))
    }

    fn begin(&mut self, answer: &Response) -> bool {
        // Whoever stands in between and knows no ranges gives all of it again.
        self.skip = if answer.status() == StatusCode::PARTIAL_CONTENT { 0 } else { self.sent };
        true
    }

    fn take(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        let known = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip -= known as u64;
        let news = &bytes[known..];
        self.print(news)?;
        self.sent += news.len() as u64;
        Ok(!news.is_empty())
    }
}

impl Download<'_> {
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
            (true, true) => out.extend_from_slice(&plain::line(line, console.colours)),
            (true, false) => out.extend_from_slice(line),
        }
        is_wanted
    }

    /// What is left without an end of its own.
    fn end(&self) -> Result<(), Failure> {
        let mut out = Vec::new();
        if self.line.is_empty() || !self.shown(&self.line, &mut out) {
            return Ok(());
        }
        self.session.console.print(&out)
    }
}
