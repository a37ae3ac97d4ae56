//! Stored events, as they are read back into the rings after a start.

use super::{Store, StoreError, Writer, row};
use bytes::Bytes;
use rusqlite::params;
use shared::{ConnectionId, Timestamp};

/// An event as it is stored: encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    pub seq: u64,
    pub topic: u8,
    pub frame: Bytes,
}

/// A piece of a connection's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Newest first.
    pub events: Vec<StoredEvent>,
    /// Number of the last event of the connection that is not kept any more.
    pub floor: u64,
}

/// By whom the events of a connection were switched off, and when.
pub type EventsOff = (ConnectionId, String, Timestamp);

impl Writer {
    /// Connections whose events are switched off.
    pub fn events_off(&self) -> Result<Vec<EventsOff>, StoreError> {
        let mut query = self.db().prepare("SELECT connection, by, at FROM events_off")?;
        let rows = query.query_map([], |found| {
            Ok((ConnectionId(row::uuid(found, 0)?), found.get(1)?, Timestamp(found.get(2)?)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Store {
    /// Connections that ever had an event, and the floor of each.
    pub fn floors(&self) -> Result<Vec<(ConnectionId, u64)>, StoreError> {
        self.read_unhurried(|db| {
            let mut query = db.prepare_cached("SELECT id, floor FROM connections")?;
            let rows = query.query_map([], |row| {
                Ok((ConnectionId(row::uuid(row, 0)?), row.get::<_, i64>(1)? as u64))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The newest events of a connection before number `before`, at most `limit`. Fewer than that: there
    /// are no others above the floor.
    pub fn events_before(
        &self,
        connection: ConnectionId,
        before: u64,
        limit: usize,
    ) -> Result<History, StoreError> {
        self.read_unhurried(|db| {
            let id = connection.0.as_bytes();
            let mut query = db.prepare_cached(
                "SELECT seq, topic, frame FROM events WHERE connection = ? AND seq < ? \
                 ORDER BY seq DESC LIMIT ?",
            )?;
            let rows = query.query_map(params![id, before as i64, limit as i64], |row| {
                Ok(StoredEvent {
                    seq: row.get::<_, i64>(0)? as u64,
                    topic: row.get(1)?,
                    frame: Bytes::from(row.get::<_, Vec<u8>>(2)?),
                })
            })?;
            let events = rows.collect::<Result<_, _>>()?;
            let mut floor = db.prepare_cached("SELECT floor FROM connections WHERE id = ?")?;
            let floor = floor.query_row([id], |row| row.get::<_, i64>(0))? as u64;
            Ok(History { events, floor })
        })
    }
}
