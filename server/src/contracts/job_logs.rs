//! Contract 2, `…/logs`: the lines of one job, the last ones first, then new ones as they are complete.
//! Those that are there already can be had as text: a line each, so whoever counts them knows the id of
//! the last one, and a log of a million lines is read as fast as it can be sent.

use super::{
    body::{self, unfold},
    job::{Refusal, Resume, job_id},
    job_status::heartbeat,
    sse,
};
use crate::{auth::By, path::Path, query::Query, served::Served};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use engine::{Caller, Engine, logs::RawLine};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use shared::{JobId, Timestamp, log::LogInfo};
use std::{borrow::Cow, io::Write};
use tokio::sync::watch;

/// Text read for one piece; one line may be longer.
const PIECE: usize = 64 * 1024;
/// The same of what is read to its end at once.
const TEXT_PIECE: usize = 256 * 1024;
const MOST_TAIL: u64 = 1000;
/// Before an end that is not that of the log: whoever comes back goes on after the line it has.
const BROKEN: &[u8] = b": the log cannot be read now, come again\n";

pub async fn open(
    State(Served { engine, streams, .. }): State<Served>,
    By(caller): By,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let format = format(&query)?;
    let follow = flag(&query, "follow")?.unwrap_or(format == Format::Events);
    if follow && format != Format::Events {
        return Err(Refusal::invalid("format=text has the lines so far: follow must be false"));
    }
    let tail = tail_lines(&query)?;
    let resume = Resume::of(&headers)?;
    if resume == Resume::Over {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let id = job_id(&id)?;
    let size = engine.watch_log(&caller, id).await.map_err(|error| Refusal::read(&error, id))?;
    let mut size = size.ok_or_else(|| Refusal::no_job(&id.to_string()))?;
    let now = *size.borrow_and_update();
    // A job that has not begun will have a log to follow; one that never had one will not.
    if !follow || now.closed {
        let info = engine.log_info(&caller, id).await.map_err(|error| Refusal::read(&error, id))?;
        if info.is_none_or(|(_, modified)| modified.is_none()) {
            return Err(Refusal::no_log(id));
        }
    }
    let place = streams.open(&caller, "job_logs")?;
    let (after, initial) = match resume {
        Resume::After(line) => (line, 0),
        _ => (now.lines.saturating_sub(tail), now.lines),
    };
    let silence = streams.every;
    let until = if follow { u64::MAX } else { now.lines };
    let over = false;
    let lines =
        LogStream { engine, caller, id, size, format, silence, after, initial, until, over };
    let pieces = unfold(lines, LogStream::next);
    Ok(match format {
        Format::Events => body::stream(place, pieces),
        Format::Text { .. } => body::text(place, pieces),
    })
}

/// How lines are told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Events,
    /// Each with its time before it, or not.
    Text {
        timed: bool,
    },
}

fn format(query: &Query) -> Result<Format, Refusal> {
    match query.text("format") {
        None | Some("events") => Ok(Format::Events),
        Some("text") => Ok(Format::Text { timed: flag(query, "timestamps")?.unwrap_or(false) }),
        Some(_) => Err(Refusal::invalid("format must be events or text")),
    }
}

/// A parameter that is on or off.
pub(super) fn flag(query: &Query, name: &str) -> Result<Option<bool>, Refusal> {
    // Python writes `True`.
    match query.text(name).map(str::to_ascii_lowercase).as_deref() {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(_) => Err(Refusal::invalid(format!("{name} must be true or false"))),
    }
}

fn tail_lines(query: &Query) -> Result<u64, Refusal> {
    let lines = query.value("tail_lines").ok().map(|lines| lines.unwrap_or(100));
    let lines = lines.filter(|lines| *lines <= MOST_TAIL);
    lines.ok_or_else(|| Refusal::invalid("tail_lines must be between 0 and 1000"))
}

struct LogStream {
    engine: Engine,
    caller: Caller,
    id: JobId,
    size: watch::Receiver<LogInfo>,
    format: Format,
    /// After so long without lines there is a heartbeat.
    silence: std::time::Duration,
    /// The last line that was sent.
    after: u64,
    /// Up to here lines belong to the tail that the stream began with.
    initial: u64,
    /// The last line that is to be sent.
    until: u64,
    over: bool,
}

impl LogStream {
    async fn next(mut self) -> (Self, Option<Bytes>) {
        if self.over {
            return (self, None);
        }
        if self.format != Format::Events {
            // It waits for no line, so there is no silence.
            let piece = self.piece().await;
            return (self, Some(piece).filter(|text| !text.is_empty()));
        }
        let waited = tokio::time::timeout(self.silence, self.piece()).await;
        let piece = waited.unwrap_or_else(|_| heartbeat());
        (self, Some(piece))
    }

    /// The next lines, or the end. May be dropped at any await: nothing is taken before it is given.
    async fn piece(&mut self) -> Bytes {
        let piece = if self.format == Format::Events { PIECE } else { TEXT_PIECE };
        loop {
            // The size first: what is complete by then is in what is read after it.
            let LogInfo { lines, closed, .. } = *self.size.borrow_and_update();
            let until = self.until.min(lines);
            if self.after < until {
                match self.engine.log_lines(&self.caller, self.id, self.after, piece).await {
                    Ok(Some(lines)) if !lines.is_empty() => return self.tell(&lines, until),
                    Ok(Some(_)) => {}
                    Ok(None) => return self.complete("Job was deleted"),
                    Err(error) => {
                        tracing::warn!(job = %self.id, %error, "a log cannot be read");
                        return self.end(Bytes::from_static(BROKEN));
                    }
                }
            } else if self.after >= self.until {
                return self.complete("End of the log so far");
            } else if closed {
                return self.complete("Log is complete");
            }
            if self.size.changed().await.is_err() {
                // Whoever wrote the size is gone: the log was closed or its job deleted.
                let LogInfo { lines, closed, .. } = *self.size.borrow();
                if !closed || self.after >= lines {
                    return self.complete("Log is complete");
                }
            }
        }
    }

    fn tell(&mut self, lines: &[RawLine], until: u64) -> Bytes {
        let lines = &lines[..lines.partition_point(|line| line.n <= until)];
        self.after = lines.last().map_or(self.after, |line| line.n);
        match self.format {
            Format::Events => self.events(lines),
            Format::Text { timed } => text(lines, timed),
        }
    }

    fn events(&self, lines: &[RawLine]) -> Bytes {
        #[derive(Serialize)]
        struct Log<'a> {
            /// Without its line break; what is not UTF-8 is U+FFFD here.
            line: Cow<'a, str>,
            line_number: u64,
            timestamp: Option<Timestamp>,
            initial: bool,
        }
        let mut out = BytesMut::with_capacity(PIECE);
        for RawLine { n, at, text } in lines {
            let log = Log {
                line: String::from_utf8_lossy(text),
                line_number: *n,
                timestamp: *at,
                initial: *n <= self.initial,
            };
            sse::event(&mut out, Some(n), "log", &log);
        }
        out.freeze()
    }

    fn complete(&mut self, message: &str) -> Bytes {
        #[derive(Serialize)]
        struct Complete<'a> {
            message: &'a str,
        }
        let mut out = BytesMut::new();
        sse::event(&mut out, Some(&sse::END), "log_complete", &Complete { message });
        self.end(out.freeze())
    }

    /// The last piece of events; text ends without a word.
    fn end(&mut self, said: Bytes) -> Bytes {
        self.over = true;
        match self.format {
            Format::Events => said,
            Format::Text { .. } => Bytes::new(),
        }
    }
}

/// Lines as text. Before each, where that is wanted, 24 characters and a space: when it was complete, or a
/// hyphen where that is not known.
fn text(lines: &[RawLine], timed: bool) -> Bytes {
    let mut out = Vec::with_capacity(TEXT_PIECE);
    for RawLine { at, text, .. } in lines {
        if timed {
            // Writing into a Vec cannot fail.
            let _ = match at {
                Some(at) => write!(out, "{at:<24} "),
                None => write!(out, "{:<24} ", "-"),
            };
        }
        out.extend_from_slice(String::from_utf8_lossy(text).as_bytes());
        out.push(b'\n');
    }
    out.into()
}
