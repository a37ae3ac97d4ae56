//! The promise of the event log, held against a model: in order, exactly once, or told where not.

use super::{
    Event, Interest, Key, Topic,
    cursor::Cursor,
    frame::frame,
    log::Log,
    ring::{Limits, Reach},
};
use proptest::prelude::*;
use shared::{
    ConnectionId, Epoch, EventId, JobId,
    event::{Reset, ResetReason},
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const EPOCH: Epoch = Epoch(7);
const CONNECTIONS: u8 = 3;
/// Small, so that readers fall behind, and lines break between any two events.
const LIMITS: Limits = Limits { events: 5, bytes: 1 << 20, joined: 100 };

fn connection(n: u8) -> ConnectionId {
    ConnectionId(Uuid::from_u128(u128::from(n) + 1))
}

/// What was published, in order: number, connection, key of a latest-wins event.
type Published = Vec<(u64, u8, Option<u8>)>;

fn publish(log: &mut Log, published: &mut Published, events: &[(u8, Option<u8>)]) {
    let mut seq = log.head;
    let events = events.iter().map(|&(n, key)| {
        // Numbers have holes: not all that happens is of these connections.
        seq += 1 + u64::from(n);
        published.push((seq, n, key));
        let id = EventId { epoch: EPOCH, seq };
        let key = key.map(|key| Key::Progress(JobId(Uuid::from_u128(u128::from(key)))));
        let frame = frame(Some(id), "test", &seq);
        Event { seq, connection: connection(n), topic: Topic::Job, key, after_gap: false, frame }
    });
    let events = events.collect();
    log.publish(events, &[]);
}

/// Something happens while the connection's events are off; then they are on again, which is told.
fn leave_out(log: &mut Log, published: &mut Published, n: u8) {
    let key = u8::MAX - n;
    published.extend([(log.head + 1, n, None), (log.head + 2, n, Some(key))]);
    let seq = log.head + 2;
    let frame = frame(Some(EventId { epoch: EPOCH, seq }), "test", &seq);
    let (connection, topic) = (connection(n), Topic::Connection);
    let key = Some(Key::Connection(connection));
    log.publish(vec![Event { seq, connection, topic, key, after_gap: true, frame }], &[]);
}

/// A client that does what the contract asks of it.
struct Client {
    cursor: Cursor,
    interest: Interest,
    /// The last id it has seen, and what it had before it came.
    last: EventId,
    began: u64,
    /// Numbers it has got in this connect, and ever.
    now: Vec<u64>,
    ever: BTreeSet<u64>,
    /// Per connection: the last number that a reset made it fetch a snapshot for.
    snapshot: BTreeMap<ConnectionId, u64>,
    reasons: Vec<ResetReason>,
}

impl Client {
    fn new(log: &Log, watched: &[u8], since: Option<u64>) -> Self {
        let connections = watched.iter().copied().map(connection).collect();
        let interest = Interest { connections, jobs: true, ..Interest::default() };
        let last = EventId { epoch: EPOCH, seq: since.unwrap_or(log.head) };
        Self {
            cursor: Cursor::new(log, &interest, since.map(|_| last)),
            interest,
            last,
            began: last.seq,
            now: Vec::new(),
            ever: BTreeSet::new(),
            snapshot: BTreeMap::new(),
            reasons: Vec::new(),
        }
    }

    /// Reads once. False: there was nothing.
    fn read(&mut self, log: &Log) -> bool {
        let Some(bytes) = self.cursor.read(log, &self.interest) else { return false };
        let text = std::str::from_utf8(&bytes).unwrap();
        for block in text.split_terminator("\n\n") {
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            let id = field("id: ").map(|id| id.parse::<EventId>().unwrap());
            let data = field("data: ").unwrap();
            if field("event: ") == Some("reset") {
                let reset: Reset = serde_json::from_str(data).unwrap();
                let head = id.expect("a reset has an id").seq;
                for connection in reset.connection_ids {
                    self.snapshot.insert(connection, head);
                }
                self.reasons.push(reset.reason);
            } else {
                let seq: u64 = data.parse().unwrap();
                assert!(id.is_none_or(|id| id.seq == seq));
                assert!(self.now.last() < Some(&seq), "{seq} after {:?}", self.now);
                self.now.push(seq);
                // What came without an id before a break comes again; nothing else does.
                assert!(self.ever.insert(seq) || seq > self.last.seq, "{seq} came twice");
            }
            if let Some(id) = id {
                assert!(id.seq >= self.last.seq);
                self.last = id;
            }
        }
        true
    }

    /// The line breaks; the client connects again with what it has.
    fn reconnect(&mut self, log: &Log) {
        self.cursor = Cursor::new(log, &self.interest, Some(self.last));
        self.now.clear();
    }

    /// Whether it knows all that it has to, having read to the end.
    fn check(&self, published: &Published) {
        for (place, &(seq, n, key)) in published.iter().enumerate() {
            let id = connection(n);
            if seq <= self.began || !self.interest.connections.contains(&id) {
                continue;
            }
            // A newer one of its key says all that counts.
            let replaced =
                key.is_some() && published[place + 1..].iter().any(|&(_, _, k)| k == key);
            let fetched = self.snapshot.get(&id).is_some_and(|head| seq <= *head);
            assert!(self.ever.contains(&seq) || fetched || replaced, "{seq} never came");
        }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Publish(Vec<(u8, Option<u8>)>),
    LeaveOut(u8),
    /// Somebody connects: to these connections, with one of the numbers there were or none.
    Connect(Vec<u8>, Option<prop::sample::Index>),
    Read(prop::sample::Index),
    Break(prop::sample::Index),
    Moved(prop::sample::Index),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let event = (0..CONNECTIONS, prop::option::weighted(0.3, 0..4_u8));
    // One key belongs to one job, so to one connection.
    let event = event.prop_map(|(n, key)| (n, key.map(|key| key * CONNECTIONS + n)));
    let watched = prop::sample::subsequence(vec![0, 1, 2], 1..=3);
    let act = prop_oneof![
        4 => prop::collection::vec(event, 1..6).prop_map(Act::Publish),
        1 => (0..CONNECTIONS).prop_map(Act::LeaveOut),
        1 => (watched, any::<Option<prop::sample::Index>>()).prop_map(|(w, i)| Act::Connect(w, i)),
        3 => any::<prop::sample::Index>().prop_map(Act::Read),
        1 => any::<prop::sample::Index>().prop_map(Act::Break),
        1 => any::<prop::sample::Index>().prop_map(Act::Moved),
    ];
    prop::collection::vec(act, 1..60)
}

proptest! {
    #[test]
    fn every_reader_gets_each_event_once_in_order_or_is_told_to_reset(acts in acts()) {
        let mut log = Log::new(EPOCH, 0, LIMITS);
        let mut published = Published::new();
        let mut clients: Vec<Client> = Vec::new();
        for act in acts {
            match act {
                Act::Publish(events) => publish(&mut log, &mut published, &events),
                Act::LeaveOut(n) => leave_out(&mut log, &mut published, n),
                Act::Connect(watched, since) => {
                    let since = since.map(|index| match published.len() {
                        0 => 0,
                        len => published[index.index(len)].0,
                    });
                    clients.push(Client::new(&log, &watched, since));
                }
                Act::Read(index) if !clients.is_empty() => {
                    let index = index.index(clients.len());
                    clients[index].read(&log);
                }
                Act::Break(index) if !clients.is_empty() => {
                    let index = index.index(clients.len());
                    clients[index].reconnect(&log);
                }
                Act::Moved(index) if !clients.is_empty() => {
                    let index = index.index(clients.len());
                    let client = &mut clients[index];
                    if let Some(id) = client.cursor.moved(&log, &client.interest) {
                        assert!(id.seq > client.last.seq);
                        client.last = id;
                    }
                }
                _ => {}
            }
        }
        for client in &mut clients {
            while client.read(&log) {}
            client.check(&published);
        }
    }
}

fn log_of(events: &[(u8, Option<u8>)]) -> (Log, Published) {
    let (mut log, mut published) = (Log::new(EPOCH, 0, LIMITS), Published::new());
    publish(&mut log, &mut published, events);
    (log, published)
}

#[test]
fn a_reader_past_the_ring_is_told_to_reset_and_only_for_that_connection() {
    let (mut log, mut published) = log_of(&[(0, None)]);
    let mut client = Client::new(&log, &[0, 1], Some(0));
    client.read(&log);
    publish(&mut log, &mut published, &[(1, None), (0, None)].repeat(3));
    publish(&mut log, &mut published, &[(0, None); 9]);
    while client.read(&log) {}
    assert_eq!(client.reasons, [ResetReason::Lagged]);
    assert_eq!(client.snapshot.keys().copied().collect::<Vec<_>>(), [connection(0)]);
    assert_eq!(client.last.seq, log.head);
    client.check(&published);
}

#[test]
fn a_reader_of_before_a_gap_is_told_that_it_is_over_and_then_to_reset() {
    let (mut log, mut published) = log_of(&[(0, None), (1, None)]);
    let mut open = Client::new(&log, &[0, 1], None);
    leave_out(&mut log, &mut published, 0);
    publish(&mut log, &mut published, &[(1, None)]);
    let mut later = Client::new(&log, &[0, 1], Some(1));
    let told = log.head - 2;
    for (client, events) in [(&mut open, vec![told]), (&mut later, vec![3, told])] {
        while client.read(&log) {}
        assert_eq!(client.reasons, [ResetReason::Gap]);
        assert_eq!(client.snapshot.keys().copied().collect::<Vec<_>>(), [connection(0)]);
        assert_eq!(client.now, [events, vec![log.head]].concat());
        client.check(&published);
    }
}

#[test]
fn a_position_that_is_too_old_or_not_ours_says_so() {
    let (log, _) = log_of(&[(0, None); 9]);
    let reasons = |since: EventId| {
        let mut client = Client::new(&log, &[0], None);
        client.cursor = Cursor::new(&log, &client.interest, Some(since));
        client.last.seq = 0;
        while client.read(&log) {}
        client.reasons
    };
    assert_eq!(reasons(EventId { epoch: EPOCH, seq: 1 }), [ResetReason::Expired]);
    assert_eq!(reasons(EventId { epoch: EPOCH, seq: log.head + 1 }), [ResetReason::Restarted]);
    assert_eq!(reasons(EventId { epoch: Epoch(8), seq: log.head }), [ResetReason::Restarted]);
    assert_eq!(reasons(EventId { epoch: EPOCH, seq: log.head }), []);
}

#[test]
fn a_break_before_the_reset_leads_to_the_same_again() {
    // Connection 0 is out of reach from 1 on; of connection 1 there is much to replay first.
    let (mut log, mut published) = log_of(&[(0, None); 9]);
    publish(&mut log, &mut published, &[(1, None); 5]);
    let mut client = Client::new(&log, &[0, 1], Some(1));
    let mut text = String::new();
    while let Some(bytes) = client.cursor.read(&log, &client.interest) {
        text += std::str::from_utf8(&bytes).unwrap();
    }
    let ids: Vec<_> = text.lines().filter(|line| line.starts_with("id: ")).collect();
    assert_eq!(text.matches("event: test").count(), 5);
    assert_eq!(ids, [format!("id: {}", log.id(log.head))], "the reset alone has an id");
}

#[test]
fn a_burst_is_joined_into_few_writes_of_at_most_64_kib() {
    let limits = Limits { events: 10_000, ..Limits::DEFAULT };
    let (mut log, mut published) = (Log::new(EPOCH, 0, limits), Published::new());
    let mut client = Client::new(&log, &[0], None);
    publish(&mut log, &mut published, &[(0, None); 4_000]);
    let mut writes = Vec::new();
    while let Some(bytes) = client.cursor.read(&log, &client.interest) {
        writes.push(bytes.len());
    }
    let total: usize = writes.iter().sum();
    assert!(writes.iter().all(|bytes| *bytes <= 64 << 10), "{writes:?}");
    assert_eq!(writes.len(), total.div_ceil(63 << 10), "{writes:?}");
}

#[test]
fn a_cursor_that_moved_past_what_did_not_match_says_so_once() {
    let (mut log, mut published) = log_of(&[(0, None)]);
    let mut client = Client::new(&log, &[1], None);
    assert_eq!(client.cursor.moved(&log, &client.interest), None);
    publish(&mut log, &mut published, &[(0, None)]);
    assert_eq!(client.cursor.moved(&log, &client.interest), Some(log.id(log.head)));
    assert_eq!(client.cursor.moved(&log, &client.interest), None);
    publish(&mut log, &mut published, &[(1, None)]);
    assert_eq!(client.cursor.moved(&log, &client.interest), None, "it is to be read first");
    assert!(client.read(&log));
}

#[test]
fn history_that_is_still_on_its_way_is_waited_for() {
    let mut log = Log::new(EPOCH, 100, LIMITS);
    log.rings.insert(connection(0), super::ring::Ring::to_fill(LIMITS, 100, 40));
    assert_eq!(log.reach(connection(0), 50), Reach::Soon);
    let mut published = Published::new();
    let mut client = Client::new(&log, &[0], Some(50));
    publish(&mut log, &mut published, &[(0, None)]);
    assert!(!client.read(&log), "an event of now must not come before those of then");
    let entry = super::ring::Entry {
        seq: 60,
        topic: Topic::Job,
        frame: frame(Some(log.id(60)), "test", &60_u64),
    };
    let ring = log.rings.get_mut(&connection(0)).unwrap();
    ring.fill(100, [entry].into_iter(), Some(40));
    while client.read(&log) {}
    assert_eq!(client.now, [60, 101]);
}
