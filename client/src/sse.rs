//! Reads server-sent events out of bytes as they arrive, as the HTML standard says.

use std::collections::VecDeque;

/// Bytes of one event. A line of a log has 64 KiB at most, which JSON can make six times as long.
pub const LONGEST: usize = 4 * 1024 * 1024;

/// One event that has data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// The id to go on after, as it stands after this event.
    pub id: Option<String>,
    /// `message` when nothing was said.
    pub name: String,
    pub data: String,
}

/// An event is longer than any of ours.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

#[derive(Default)]
pub struct Decoder {
    line: Vec<u8>,
    /// The byte before was a CR: an LF after it ends no second line.
    after_cr: bool,
    begun: bool,
    id: Option<String>,
    name: String,
    data: String,
    has_data: bool,
    events: VecDeque<Event>,
}

impl Decoder {
    /// A decoder of a stream that goes on after the event with this id.
    pub fn after(id: Option<String>) -> Self {
        Self { id, ..Self::default() }
    }

    /// # Errors
    /// When an event, or a line, is longer than may be.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        for &byte in bytes {
            match byte {
                b'\n' if self.after_cr => self.after_cr = false,
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    self.take_line(&line);
                    self.line = line;
                    self.line.clear();
                }
                byte => {
                    self.after_cr = false;
                    if self.line.len() + self.data.len() >= LONGEST {
                        return Err(TooLong);
                    }
                    self.line.push(byte);
                }
            }
        }
        Ok(())
    }

    /// The next whole event.
    pub fn pop(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether there is one.
    pub fn has_more(&self) -> bool {
        !self.events.is_empty()
    }

    fn take_line(&mut self, line: &[u8]) {
        let mut line = line;
        if !self.begun {
            self.begun = true;
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            return self.dispatch();
        }
        let line = String::from_utf8_lossy(line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(value);
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // `retry` is for those that have no pace of their own; comments have an empty name.
            _ => {}
        }
    }

    fn dispatch(&mut self) {
        let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
        if !std::mem::take(&mut self.has_data) {
            return;
        }
        let name = if name.is_empty() { "message".to_owned() } else { name };
        self.events.push_back(Event { id: self.id.clone(), name, data });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(pieces: &[&[u8]]) -> Vec<Event> {
        let mut decoder = Decoder::default();
        for piece in pieces {
            decoder.push(piece).unwrap();
        }
        std::iter::from_fn(|| decoder.pop()).collect()
    }

    fn event(id: Option<&str>, name: &str, data: &str) -> Event {
        Event { id: id.map(str::to_owned), name: name.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn every_way_to_end_a_line_and_every_field_is_read() {
        let text = b"\xef\xbb\xbfretry: 3000\n:ok\nid: 7\r\nevent: log\r\ndata: {\"a\":1}\r\n\r\nevent:x\rdata\r\r\
                     data: a\ndata:b\n\nevent: nothing\n\ndata: half";
        let expected = [
            event(Some("7"), "log", "{\"a\":1}"),
            event(Some("7"), "x", ""),
            event(Some("7"), "message", "a\nb"),
        ];
        assert_eq!(events(&[text]), expected);
    }

    #[test]
    fn an_event_that_was_cut_off_is_none_and_its_id_is_not_gone_past() {
        let mut decoder = Decoder::default();
        decoder.push(b"id: 1\ndata: a\n\nid: 2\ndata: b\n").unwrap();
        assert_eq!(decoder.pop(), Some(event(Some("1"), "message", "a")));
        assert_eq!(decoder.pop(), None);
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.push(&vec![b'x'; LONGEST + 1]), Err(TooLong));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_pieces_end(cuts in prop::collection::vec(0..70_usize, 0..8)) {
            let text = "id: 1\r\nevent: log\r\ndata: {\"line\":\"héé\"}\r\n\r\n:ping\n\nid: 2\ndata: y\n\n".as_bytes();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&text[from..cut]);
                from = cut;
            }
            pieces.push(&text[from..]);
            prop_assert_eq!(events(&pieces), events(&[text]));
        }
    }
}
