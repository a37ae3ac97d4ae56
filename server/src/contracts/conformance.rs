//! What we emit, decoded by the letter of the standard: whatever is in names, ids and data, every event that
//! was encoded is one event to a client, with the same id, name and data, however its bytes are cut.

use super::{
    runner_event::{Data, Position},
    sse::{self, Id},
};
use bytes::BytesMut;
use engine::hub::frame;
use proptest::{prelude::*, sample::Index};
use serde::Serialize;
use serde_json::{Value, json};
use shared::{
    ConnectionId, Epoch, EventId, JobId, Phase, StepId,
    event::{QueueDeleted, WorkerDeleted, name},
};
use uuid::Uuid;

/// An event as a client dispatches it: its last event id, type, data.
type Seen = (String, String, String);

/// The algorithm of WHATWG's HTML, section 9.2.6, one byte after the other.
#[derive(Default)]
struct Decoder {
    line: Vec<u8>,
    begun: bool,
    after_cr: bool,
    id: String,
    event: String,
    data: String,
    seen: Vec<Seen>,
    /// Blocks that had fields but no data: nothing to a browser, an empty event to others.
    empty: usize,
    fields: usize,
}

impl Decoder {
    fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'\n' if std::mem::take(&mut self.after_cr) => {}
                b'\r' | b'\n' => {
                    self.after_cr = byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    self.end_of_line(&line);
                }
                _ => {
                    self.after_cr = false;
                    self.line.push(byte);
                }
            }
        }
    }

    fn end_of_line(&mut self, line: &[u8]) {
        let line = String::from_utf8(line.to_vec()).expect("streams are UTF-8");
        let mut line = line.as_str();
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => return,
            "event" => value.clone_into(&mut self.event),
            "data" => self.data += &format!("{value}\n"),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            _ => {}
        }
        self.fields += 1;
    }

    fn dispatch(&mut self) {
        let (event, data) = (std::mem::take(&mut self.event), std::mem::take(&mut self.data));
        let fields = std::mem::take(&mut self.fields);
        let Some(data) = data.strip_suffix('\n') else {
            self.empty += usize::from(fields > 0);
            return;
        };
        let event = if event.is_empty() { "message".to_owned() } else { event };
        self.seen.push((self.id.clone(), event, data.to_owned()));
    }
}

/// Text with everything that breaks what reads lines.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        prop::sample::select(vec![
            "\r",
            "\n",
            "\r\n",
            "\0",
            "\u{85}",
            "\u{2028}",
            "\u{2029}",
            "\u{feff}",
            "\u{b}",
            "\u{c}",
            ":",
            " ",
            "\\",
            "\"",
            "\n\n",
            "data: x\n\n",
            "\nid: 9\n\n",
            "\r\revent: error\r\r",
            "retry: 1\n",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// One of the things that an encoder of ours writes.
#[derive(Clone, Debug)]
enum Piece {
    /// Of the hub.
    Worker(EventId, String),
    /// Of the hub, without an id.
    Queue(String),
    /// Of a job's stream.
    Line(u64, String),
    Output(u64, u64, String),
    Step(String),
    /// Any JSON, keys too.
    Any(String, String),
    End(String),
    Preamble,
    Farewell,
    Comment(&'static str),
}

fn piece() -> impl Strategy<Value = Piece> {
    let id = (any::<u32>(), any::<u64>()).prop_map(|(n, seq)| EventId { epoch: Epoch(n), seq });
    prop_oneof![
        (id, text()).prop_map(|(id, text)| Piece::Worker(id, text)),
        text().prop_map(Piece::Queue),
        (any::<u64>(), text()).prop_map(|(n, text)| Piece::Line(n, text)),
        (any::<u64>(), any::<u64>(), text()).prop_map(|(n, at, text)| Piece::Output(n, at, text)),
        text().prop_map(Piece::Step),
        (text(), text()).prop_map(|(key, text)| Piece::Any(key, text)),
        text().prop_map(Piece::End),
        Just(Piece::Preamble),
        Just(Piece::Farewell),
        prop::sample::select(vec![": ping\n", ": keep-alive\n"]).prop_map(Piece::Comment),
    ]
}

/// Bytes, and what a client has to make of them: id (none: the one before stays), name, data.
type Written = (Vec<u8>, Option<(Option<String>, &'static str, Value)>);

impl Piece {
    fn written(&self) -> Written {
        let connection_id = ConnectionId(Uuid::nil());
        let job = JobId(Uuid::nil());
        match self {
            Self::Worker(id, text) => {
                let data = WorkerDeleted { id: text.clone(), connection_id, revision: 1 };
                let bytes = frame(Some(*id), name::WORKER_DELETED, &data);
                (bytes.to_vec(), Some((Some(id.to_string()), name::WORKER_DELETED, value(&data))))
            }
            Self::Queue(text) => {
                let data = QueueDeleted { name: text.clone(), connection_id, revision: 1 };
                let bytes = frame(None, name::QUEUE_DELETED, &data);
                (bytes.to_vec(), Some((None, name::QUEUE_DELETED, value(&data))))
            }
            Self::Line(n, text) => {
                of_job(Some(n), "log", &json!({ "line": text, "line_number": n }))
            }
            Self::Output(ordinal, offset, text) => {
                let id = Position::At { ordinal: *ordinal, offset: *offset };
                let data = Data::StepOutput { step_id: StepId::of(job, 1, 0), chunk: text.clone() };
                of_job(Some(&id), "step.output", &data)
            }
            Self::Step(text) => {
                let (step_id, phase) = (StepId::of(job, 1, 0), Phase::Setup);
                let data = Data::StepStarted { step_id, name: text.clone(), phase };
                of_job(None, "step.started", &data)
            }
            Self::Any(key, text) => {
                of_job(None, "job_status", &json!({ key: [text, null, { text: key }] }))
            }
            Self::End(text) => of_job(Some(&sse::END), "log_complete", &json!(text)),
            Self::Preamble => (sse::preamble().into(), None),
            Self::Farewell => (sse::farewell().into(), None),
            Self::Comment(text) => (text.as_bytes().to_vec(), None),
        }
    }
}

fn of_job(id: Option<&dyn Id>, name: &'static str, data: &impl Serialize) -> Written {
    let mut out = BytesMut::new();
    sse::event(&mut out, id, name, data);
    (out.to_vec(), Some((id.map(ToString::to_string), name, value(data))))
}

fn value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).unwrap()
}

proptest! {
    #[test]
    fn whatever_is_encoded_is_one_event_each_however_its_bytes_are_cut(
        pieces in prop::collection::vec(piece(), 1..12),
        cuts in prop::collection::vec(any::<Index>(), 0..6),
    ) {
        let (mut bytes, mut expected, mut last) = (Vec::new(), Vec::new(), String::new());
        for piece in &pieces {
            let (written, event) = piece.written();
            bytes.extend(written);
            if let Some((id, name, data)) = event {
                last = id.unwrap_or(last);
                expected.push((last.clone(), name.to_owned(), data));
            }
        }
        let mut decoder = Decoder::default();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        for ends in cuts.windows(2) {
            decoder.push(&bytes[ends[0]..ends[1]]);
        }
        let seen: Vec<_> = decoder
            .seen
            .into_iter()
            .map(|(id, event, data)| (id, event, serde_json::from_str::<Value>(&data).unwrap()))
            .collect();
        prop_assert_eq!(seen, expected);
        prop_assert_eq!(decoder.empty, 0, "a block without data is an empty event to some clients");
    }
}

#[test]
fn the_decoder_reads_what_the_standard_shows() {
    let mut decoder = Decoder::default();
    decoder.push(b"\xef\xbb\xbf: test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n");
    decoder.push(
        b"\ndata\r\ndata\r\n\r\nevent: x\rdata: YHOO\rdata: +2\r\rid: a\0b\n\ndata: unfinished",
    );
    let seen: Vec<_> =
        decoder.seen.iter().map(|(id, event, data)| (&**id, &**event, &**data)).collect();
    assert_eq!(
        seen,
        [
            ("1", "message", "first event"),
            ("", "message", "second event"),
            ("", "message", " third event"),
            ("", "message", "\n"),
            ("", "x", "YHOO\n+2"),
        ]
    );
}
