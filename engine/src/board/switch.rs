//! Events of a connection switched off and on again. While they are off its rows change and are numbered as
//! ever, but no event of it is made and nobody who watches a job of it is woken: streams that must go on read
//! the store instead.

use super::{
    batch::Batch,
    state::{CHANGED, Outcome, State, UNCHANGED},
};
use crate::{
    hub::Key,
    store::{Change, EventsOff},
};
use shared::{Connection, ConnectionId, Freshness, Timestamp};
use std::collections::BTreeMap;

/// Connections of which nothing is told: by whom, since when.
#[derive(Debug, Default)]
pub(super) struct SwitchedOff(BTreeMap<ConnectionId, (String, Timestamp)>);

impl SwitchedOff {
    pub fn of(stored: Vec<EventsOff>) -> Self {
        Self(stored.into_iter().map(|(id, by, at)| (id, (by, at))).collect())
    }

    pub fn contains(&self, id: ConnectionId) -> bool {
        self.0.contains_key(&id)
    }

    /// The row as it is shown.
    pub fn shown(&self, row: &Connection) -> Connection {
        let mut shown = row.clone();
        if let Some((by, since)) = self.0.get(&row.id) {
            shown.freshness = Freshness::EventsOff;
            shown.since = *since;
            shown.reason = Some(format!("switched off by {by}"));
        }
        shown
    }
}

impl State {
    pub(super) fn events_switched(
        &mut self,
        id: ConnectionId,
        on: bool,
        by: String,
        at: Timestamp,
        batch: &mut Batch,
    ) -> Outcome {
        let off = &mut self.numbers.off.0;
        if off.contains_key(&id) != on || !self.connections.contains_key(&id) {
            return UNCHANGED;
        }
        if on {
            off.remove(&id);
            if let Some(row) = self.connections.get_mut(&id)
                && row.freshness == Freshness::Live
            {
                row.since = at;
            }
        } else {
            off.insert(id, (by.clone(), at));
        }
        // The change itself is never held back.
        self.pace.forget(&Key::Connection(id));
        self.emit_connection(id, batch);
        if !on {
            batch.changes.push(Change::EventsOff { connection: id, by, at });
            return CHANGED;
        }
        // Who stands before the change that was just told has missed what was not.
        batch.changes.push(Change::EventsOn { connection: id, floor: self.numbers.last() });
        if let Some(told) = batch.publication.events.last_mut() {
            told.after_gap = true;
        }
        CHANGED
    }
}
