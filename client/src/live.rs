//! A stream of the board, read to its end whatever breaks in between: it is asked for again after the
//! last event that came whole, so none is lost and none comes twice.

use crate::{
    api::{Ask, Miss, causes},
    failure::Failure,
    pause::Tries,
    session::Session,
    sse::{Decoder, Event},
};
use http::{HeaderValue, StatusCode, header};
use reqwest::Response;
use std::time::Duration;
use tokio::time::Instant;

/// Three missed heartbeats.
const SILENCE: Duration = Duration::from_secs(45);
/// The event that only says that the stream lives.
const HEARTBEAT: &str = "heartbeat";

pub struct Live<'a> {
    session: &'a Session,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    /// The id to go on after.
    last: Option<String>,
    open: Option<Open>,
    /// Since the connection was lost, or was not had.
    tries: Option<Tries>,
    /// When the next try is made.
    at: Instant,
    /// The console counts this stream among those that are lost.
    is_lost: bool,
    over: bool,
}

struct Open {
    response: Response,
    decoder: Decoder,
    /// When something came last.
    heard: Instant,
}

impl<'a> Live<'a> {
    /// A stream that begins after the event with this id; with none, where it begins by itself.
    pub fn new(
        session: &'a Session,
        path: &[&str],
        query: Vec<(&'static str, String)>,
        last: Option<String>,
    ) -> Self {
        let path = path.iter().map(|&segment| segment.to_owned()).collect();
        let (open, tries, at) = (None, None, Instant::now());
        Self { session, path, query, last, open, tries, at, is_lost: false, over: false }
    }

    /// The next event that is no heartbeat; `None` at the end: the client says when it has come, or the
    /// server, asked to go on after it. May be dropped at any await.
    ///
    /// # Errors
    /// When the stream is refused, or the board was away for too long.
    pub async fn next(&mut self) -> Result<Option<Event>, Failure> {
        while !self.over {
            if self.open.is_none() {
                self.connect().await?;
                continue;
            }
            match self.read().await? {
                Some(event) if event.name == HEARTBEAT => {}
                Some(event) => return Ok(Some(event)),
                None => {}
            }
        }
        Ok(None)
    }

    /// Whether the next event is there already.
    pub fn has_more(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.decoder.has_more())
    }

    /// The event was the last one.
    pub fn finish(&mut self) {
        (self.over, self.open) = (true, None);
    }

    async fn connect(&mut self) -> Result<(), Failure> {
        tokio::time::sleep_until(self.at).await;
        let path: Vec<_> = self.path.iter().map(String::as_str).collect();
        let mut ask = Ask::get(&path, &self.query)
            .header("accept", HeaderValue::from_static("text/event-stream"));
        if let Some(last) = &self.last {
            // Ids are the board's own words; one that cannot be sent back is not gone on after.
            let value = HeaderValue::try_from(last).map_err(|_| {
                Failure::Unreachable("an event has an id that cannot be one".to_owned())
            })?;
            ask = ask.header("last-event-id", value);
        }
        let answer = self.session.api.open(&ask).await;
        if answer.is_ok() && std::mem::take(&mut self.is_lost) {
            self.session.console.found();
        }
        match answer {
            Ok(response) if response.status() == StatusCode::NO_CONTENT => {
                self.finish();
                Ok(())
            }
            Ok(response) if !is_stream(&response) => Err(Failure::Unreachable(format!(
                "what answers at {} is no Tailboard",
                self.session.api.url()
            ))),
            Ok(response) => {
                let decoder = Decoder::after(self.last.clone());
                self.open = Some(Open { response, decoder, heard: Instant::now() });
                Ok(())
            }
            Err(Miss::Lasting(failure)) => Err(failure),
            Err(Miss::Passing { why, after, .. }) => self.lost(&why, after),
        }
    }

    /// An event, or nothing when some bytes came or the connection is gone.
    async fn read(&mut self) -> Result<Option<Event>, Failure> {
        let Some(open) = &mut self.open else { return Ok(None) };
        if let Some(event) = open.decoder.pop() {
            // Progress was made: the next break is a new one.
            self.tries = None;
            self.last.clone_from(&event.id);
            return Ok(Some(event));
        }
        let why = match tokio::time::timeout_at(open.heard + SILENCE, open.response.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                open.heard = Instant::now();
                return match open.decoder.push(&bytes) {
                    Ok(()) => Ok(None),
                    Err(_) => Err(Failure::Unreachable(
                        "the stream has an event that is longer than any may be".to_owned(),
                    )),
                };
            }
            Ok(Ok(None)) => "the server ended the stream".to_owned(),
            Ok(Err(error)) => causes(&error),
            Err(_) => format!("nothing came for {} s", SILENCE.as_secs()),
        };
        self.open = None;
        self.lost(&why, None)?;
        Ok(None)
    }

    fn lost(&mut self, why: &str, after: Option<Duration>) -> Result<(), Failure> {
        let api = &self.session.api;
        let tries = self.tries.get_or_insert_with(|| Tries::new(api.pace));
        self.at = tries.next(after, api.was_reached()).ok_or_else(|| api.unreachable(why))?;
        if tries.tell() {
            self.is_lost = true;
            self.session.console.lost(why);
        }
        Ok(())
    }
}

fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}
