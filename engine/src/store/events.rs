//! Stored events, as they are read back into the rings after a start, and connections that have none now.

use super::{Store, StoreError, Writer, row};
use bytes::Bytes;
use rusqlite::{Transaction, params};
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

/// Nothing more of the connection is told.
pub(super) fn off(
    tx: &Transaction<'_>,
    connection: ConnectionId,
    by: &str,
    at: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT OR REPLACE INTO events_off (connection, by, at) VALUES (?, ?, ?)")?
        .execute(params![connection.0.as_bytes(), by, at.0])?;
    Ok(())
}

/// It is told of again; what came before the hole goes, up to this number.
pub(super) fn on(
    tx: &Transaction<'_>,
    connection: ConnectionId,
    floor: u64,
) -> rusqlite::Result<()> {
    let id = connection.0.as_bytes();
    for table in ["events_off", "events"] {
        tx.prepare_cached(&format!("DELETE FROM {table} WHERE connection = ?"))?.execute([id])?;
    }
    tx.prepare_cached(
        "INSERT INTO connections (id, floor) VALUES (?1, ?2) \
         ON CONFLICT (id) DO UPDATE SET floor = ?2",
    )?
    .execute(params![id, floor as i64])?;
    Ok(())
}

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
