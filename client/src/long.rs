//! A long answer, read to its end whatever breaks in between: what is missing is asked for again.

use crate::{
    api::{Ask, Miss, causes},
    failure::Failure,
    pause::Tries,
    session::Session,
};
use http::HeaderValue;
use reqwest::Response;
use std::time::Duration;

/// Longest wait for the next bytes of one.
const SILENCE: Duration = Duration::from_secs(45);

/// Who reads one.
pub trait Reader {
    /// The header that asks for what is still missing; `None` at the beginning.
    fn rest(&self) -> Option<(&'static str, String)>;

    /// An answer begins; whether it is read.
    fn begin(&mut self, answer: &Response) -> bool;

    /// Takes what came next; whether something of it is new.
    ///
    /// # Errors
    /// When it is of no use to go on.
    fn take(&mut self, bytes: &[u8]) -> Result<bool, Failure>;
}

/// Reads an answer to its end.
///
/// # Errors
/// When it is refused, the board was away for too long, or the reader has enough.
pub async fn read(
    session: &Session,
    path: &[&str],
    query: &[(&str, String)],
    reader: &mut impl Reader,
) -> Result<(), Failure> {
    let mut tries: Option<Tries> = None;
    loop {
        match once(session, path, query, reader, &mut tries).await {
            Ok(()) => return Ok(()),
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
}

/// Reads one answer, as much as comes of it.
async fn once(
    session: &Session,
    path: &[&str],
    query: &[(&str, String)],
    reader: &mut impl Reader,
    tries: &mut Option<Tries>,
) -> Result<(), Miss> {
    let mut ask = Ask::get(path, query);
    if let Some((name, value)) = reader.rest() {
        let value = HeaderValue::try_from(value);
        let value = value.map_err(|error| Miss::Lasting(Failure::Other(error.to_string())))?;
        ask = ask.header(name, value);
    }
    let mut response = session.api.open(&ask).await?;
    if !reader.begin(&response) {
        return Ok(());
    }
    loop {
        let broken = |why: String| Miss::Passing { why, after: None, unsent: false };
        let chunk = tokio::time::timeout(SILENCE, response.chunk()).await;
        let chunk = chunk.map_err(|_| broken("the answer stopped in the middle".to_owned()))?;
        let chunk = chunk.map_err(|error| broken(causes(&error)))?;
        let Some(chunk) = chunk else { return Ok(()) };
        let is_new = reader.take(&chunk).map_err(Miss::Lasting)?;
        if is_new && tries.take().is_some_and(|tries| tries.were_told()) {
            session.console.note("connected again");
        }
    }
}
