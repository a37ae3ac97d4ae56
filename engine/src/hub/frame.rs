//! An event as it goes over the wire: encoded once, shared by all who read it.

use super::one_line::write_one_line;
use bytes::Bytes;
use serde::Serialize;
use shared::EventId;
use std::io::Write;

/// One SSE event: `id:` (where there is one), `event:`, one line of JSON in `data:`, a blank line.
///
/// `name` is one of [`shared::event::name`]: a constant, so nothing that a job says; nor has an id anything
/// of that, by its type. JSON escapes what could break the line.
pub fn frame(id: Option<EventId>, name: &'static str, data: &impl Serialize) -> Bytes {
    let mut buffer = Vec::with_capacity(1024);
    frame_into(&mut buffer, id, name, data);
    Bytes::from(buffer)
}

/// The same, by way of a buffer that is used again, into bytes of just that size: what is kept in a ring
/// carries no spare capacity.
pub(crate) fn frame_exact(
    buffer: &mut Vec<u8>,
    id: EventId,
    name: &'static str,
    data: &impl Serialize,
) -> Bytes {
    buffer.clear();
    frame_into(buffer, Some(id), name, data);
    Bytes::copy_from_slice(buffer)
}

#[expect(clippy::expect_used)]
fn frame_into(
    buffer: &mut Vec<u8>,
    id: Option<EventId>,
    name: &'static str,
    data: &impl Serialize,
) {
    debug_assert!(!name.contains(['\r', '\n', '\0']));
    // A Vec takes every write, and the events are structs of plain fields: no map whose keys could fail.
    let always = "writing plain fields to memory does not fail";
    if let Some(id) = id {
        writeln!(buffer, "id: {id}").expect(always);
    }
    write!(buffer, "event: {name}\ndata: ").expect(always);
    write_one_line(&mut *buffer, data).expect(always);
    buffer.extend_from_slice(b"\n\n");
}

/// A frame of the log without its first line, the id.
pub(super) fn without_id(frame: &Bytes) -> Bytes {
    match memchr::memchr(b'\n', frame) {
        Some(end) if frame.starts_with(b"id:") => frame.slice(end + 1..),
        _ => frame.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Epoch;

    #[test]
    fn a_frame_is_one_event_whatever_is_in_its_data() {
        let id = EventId { epoch: Epoch(1), seq: 7 };
        let frame = frame(Some(id), "heartbeat", &"a\r\nb\0c\u{2028}");
        let text = std::str::from_utf8(&frame).unwrap();
        assert_eq!(text, "id: 00000001-7\nevent: heartbeat\ndata: \"a\\r\\nb\\u0000c\\u2028\"\n\n");
        let bare = without_id(&frame);
        assert!(bare.starts_with(b"event: heartbeat\n"));
        assert_eq!(without_id(&bare), bare);
    }
}
