//! The lines of a log as text, printed each once: those that are there as they can be read fastest, then
//! those that come.

use super::follow::read;
use crate::{
    failure::Failure,
    live::Live,
    long::{self, Reader},
    plain,
    session::Session,
    sse::{Event, LONGEST},
};
use http::{StatusCode, header};
use regex::Regex;
use reqwest::Response;
use serde::Deserialize;
use shared::{JobId, Timestamp};

/// Text that is gathered before it is written, if more of it is there already.
const PIECE: usize = 64 * 1024;
/// Characters of a time before a line, and the space after them.
const TIME: usize = 25;

/// Which lines are printed, and how.
#[derive(Default)]
pub struct Choice<'a> {
    pub since: Option<Timestamp>,
    pub grep: Option<&'a Regex>,
    /// With their times.
    pub timestamps: bool,
}

/// Whether a line matches as it is seen: without colours, nor what was written over.
pub fn is_match(grep: &Regex, line: &[u8]) -> bool {
    let seen = plain::line(line, false);
    grep.is_match(&String::from_utf8_lossy(&seen))
}

pub struct Lines<'a> {
    session: &'a Session,
    id: String,
    choice: Choice<'a>,
    /// The last line that came.
    after: u64,
    /// What came of the next one.
    begun: Vec<u8>,
    out: Vec<u8>,
    stream: Option<Live<'a>>,
}

/// One line of a log, as contract 2 has it.
#[derive(Deserialize)]
struct Line {
    line: String,
    line_number: u64,
    timestamp: Option<Timestamp>,
}

impl<'a> Lines<'a> {
    /// Those after this one.
    pub fn after(session: &'a Session, id: JobId, after: u64, choice: Choice<'a>) -> Self {
        let (begun, out) = (Vec::new(), Vec::new());
        Self { session, id: id.to_string(), choice, after, begun, out, stream: None }
    }

    /// Prints the lines that are there; the number of the last one. It may be less than there were: where the
    /// server goes away, or knows no lines as text.
    ///
    /// # Errors
    /// When they cannot be had.
    pub async fn so_far(&mut self) -> Result<u64, Failure> {
        let timed = self.choice.timestamps || self.choice.since.is_some();
        let query = [
            ("follow", "false".to_owned()),
            ("format", "text".to_owned()),
            ("timestamps", timed.to_string()),
        ];
        let (session, id) = (self.session, self.id.clone());
        match long::read(session, &["api", "jobs", &id, "logs"], &query, self).await {
            // Nothing was printed yet.
            Err(Failure::Refused(refusal)) if refusal.status == StatusCode::NOT_FOUND => {}
            ended => ended?,
        }
        self.flush()?;
        Ok(self.after)
    }

    /// Prints the next lines as they come; false at the end of the log, or, unless it is to be followed, of
    /// what is there.
    ///
    /// # Errors
    /// When they cannot be had.
    pub async fn next(&mut self, follow: bool) -> Result<bool, Failure> {
        loop {
            let stream = self.stream.get_or_insert_with(|| {
                let query = vec![("follow", follow.to_string())];
                let after = Some(self.after.to_string());
                Live::new(self.session, &["api", "jobs", &self.id, "logs"], query, after)
            });
            let event = match stream.next().await {
                Ok(event) => event,
                // A job that ended before it began has no log; one whose lines came was deleted.
                Err(Failure::Refused(refusal))
                    if refusal.status == StatusCode::NOT_FOUND && self.after == 0 =>
                {
                    return Ok(false);
                }
                Err(failure) => return Err(failure),
            };
            let has_more = stream.has_more();
            let Some(event) = event else { return Ok(false) };
            match event.name.as_str() {
                "log" => self.take_event(&event)?,
                "log_complete" => {
                    stream.finish();
                    self.flush()?;
                    return Ok(false);
                }
                _ => {}
            }
            if self.out.len() >= PIECE || !has_more {
                self.flush()?;
                return Ok(true);
            }
        }
    }

    fn take_event(&mut self, event: &Event) -> Result<(), Failure> {
        let line: Line = read(event)?;
        // The stream never repeats a line; whatever stands in between might.
        if line.line_number > self.after {
            self.after = line.line_number;
            self.put(line.timestamp, line.line.as_bytes());
        }
        Ok(())
    }

    fn put(&mut self, at: Option<Timestamp>, line: &[u8]) {
        let Choice { since, grep, timestamps } = self.choice;
        let is_since = since.zip(at).is_none_or(|(since, at)| at >= since);
        if !is_since || grep.is_some_and(|grep| !is_match(grep, line)) {
            return;
        }
        if timestamps {
            let at = at.map_or("-".to_owned(), |at| at.to_string());
            self.out.extend_from_slice(format!("{at:<24} ").as_bytes());
        }
        let console = &self.session.console;
        match console.is_terminal {
            true => self.out.extend_from_slice(&plain::line(line, console.colours)),
            false => self.out.extend_from_slice(line),
        }
        self.out.push(b'\n');
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if self.out.is_empty() {
            return Ok(());
        }
        self.session.console.print(&self.out)?;
        self.out.clear();
        Ok(())
    }
}

/// Of lines as text each is a line, so those that came whole say where to go on.
impl Reader for Lines<'_> {
    fn rest(&self) -> Option<(&'static str, String)> {
        Some(("last-event-id", self.after.to_string()))
    }

    /// A board that does not know of lines as text gives events, which are asked for where it can be told how
    /// they end.
    fn begin(&mut self, answer: &Response) -> bool {
        self.begun.clear();
        let kind = answer.headers().get(header::CONTENT_TYPE);
        kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"))
    }

    fn take(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        let timed = self.choice.timestamps || self.choice.since.is_some();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(piece);
            if self.begun.len() > LONGEST {
                let what = "the log has a line that is longer than any may be";
                return Err(Failure::Unreachable(what.to_owned()));
            }
            if self.begun.last() != Some(&b'\n') {
                continue;
            }
            let mut line = std::mem::take(&mut self.begun);
            let text = &line[..line.len() - 1];
            let (at, text) = match text.split_at_checked(TIME) {
                Some((at, text)) if timed => (time(at), text),
                _ => (None, text),
            };
            self.after += 1;
            self.put(at, text);
            line.clear();
            self.begun = line;
        }
        self.flush()?;
        Ok(!bytes.is_empty())
    }
}

fn time(text: &[u8]) -> Option<Timestamp> {
    std::str::from_utf8(text).ok()?.trim_end().parse().ok()
}
