//! After a start: history comes back from the store into the rings, newest first, while the server serves.

use super::{Shared, Topic, ring::Entry};
use crate::store::Store;
use shared::ConnectionId;
use std::{sync::atomic::Ordering, time::Duration};

/// Events read at a time.
const PIECE: usize = 1_024;
/// Between two tries to read.
const PAUSE: Duration = Duration::from_millis(200);

/// Fills every ring that has history in the store; ends early with the hub.
pub(super) fn run(shared: &Shared, store: &Store, connections: &[ConnectionId]) {
    for &connection in connections {
        while !shared.ended.load(Ordering::Relaxed) {
            match piece(shared, store, connection) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "history cannot be read from the store: trying again");
                    std::thread::park_timeout(PAUSE);
                }
            }
        }
        // Streams that wait for this connection's history look again.
        shared.fan_out.tell_all();
    }
}

/// One piece; false when the ring is done.
fn piece(
    shared: &Shared,
    store: &Store,
    connection: ConnectionId,
) -> Result<bool, crate::store::StoreError> {
    let Some(below) = shared.read().rings.get(&connection).map(|ring| ring.floor()) else {
        return Ok(false);
    };
    let history = store.events_before(connection, below + 1, PIECE)?;
    let floor = (history.events.len() < PIECE).then_some(history.floor);
    // A topic of a newer version cannot be: such a store is refused.
    let entries = history.events.into_iter().filter_map(|event| {
        let topic = Topic::from_stored(event.topic)?;
        Some(Entry { seq: event.seq, topic, frame: event.frame })
    });
    let mut log = shared.write();
    Ok(log.rings.get_mut(&connection).is_some_and(|ring| ring.fill(below, entries, floor)))
}
