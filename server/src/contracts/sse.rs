//! Writes server-sent events.
//!
//! Nothing a job says can break a frame: data is one line of JSON, names are our own constants, and an
//! id is an [`Id`].

use super::runner_event::Position;
use bytes::{BufMut, BytesMut};
use engine::hub::write_one_line;
use serde::Serialize;
use shared::EventId;
use std::{
    fmt::{Display, Write},
    hash::{BuildHasher, RandomState},
    ops::RangeInclusive,
};

/// The id of the closing event of a job's stream; a reconnect with it is answered 204.
pub const END: &str = "end";

/// What may be an `id:`: what is never empty and has no CR, LF or NUL, whatever a job says.
pub trait Id: Display {}

impl Id for u64 {}
impl Id for EventId {}
impl Id for Position {}
/// Words of our own: [`END`].
impl Id for &'static str {}

/// Appends one event.
pub fn event(out: &mut BytesMut, id: Option<&dyn Id>, name: &'static str, data: &impl Serialize) {
    if let Some(id) = id {
        // Writing into a BytesMut cannot fail: it grows.
        let _ = writeln!(out, "id: {id}");
    }
    out.put_slice(b"event: ");
    out.put_slice(name.as_bytes());
    out.put_slice(b"\ndata: ");
    let start = out.len();
    if write_one_line((&mut *out).writer(), data).is_err() {
        // Our payloads are structs with text keys, which always serialize; a frame stays a frame.
        out.truncate(start);
        out.put_slice(b"null");
    }
    out.put_slice(b"\n\n");
}

/// The first bytes of a stream: when to come again, and a comment that makes proxies pass it on.
/// Neither has a blank line of its own, which some clients take for an empty event.
pub fn preamble() -> String {
    format!("retry: {}\n:ok\n", jitter(2000..=4000))
}

/// The last bytes before the server goes away: come again, but not all at once.
pub fn farewell() -> String {
    format!("retry: {}\n", jitter(1000..=5000))
}

/// All that a browser gets that is one stream too many: come again, but not soon.
pub fn later() -> String {
    format!("retry: {}\n:later\n", jitter(5000..=15_000))
}

/// A number out of the range, another one each time. Spreads load; no secret depends on it.
fn jitter(range: RangeInclusive<u64>) -> u64 {
    let span = range.end() - range.start() + 1;
    range.start() + RandomState::new().hash_one(0) % span
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(id: Option<&dyn Id>, data: &impl Serialize) -> String {
        let mut out = BytesMut::new();
        event(&mut out, id, "log", data);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn an_event_without_an_id_has_no_id_line() {
        assert_eq!(written(None, &json!({})), "event: log\ndata: {}\n\n");
    }

    #[test]
    fn the_time_to_come_again_stays_in_its_range_and_varies() {
        let times: Vec<_> = (0..200).map(|_| jitter(2000..=4000)).collect();
        assert!(times.iter().all(|t| (2000..=4000).contains(t)));
        assert!(times.iter().any(|t| *t != times[0]));
    }
}
