//! The index ranges that a filter comes down to, and what they are asked: places, counts.
//!
//! There is one range per connection and state. Its index begins with them, or with them and the narrowest
//! filter, and goes on with what the list is ordered by; the filters that do not lead to the range sift it,
//! in the index alone.

use super::{
    cursor::Place,
    jobs::{COUNTED, bounded},
    row,
    span::{Range, Span},
};
use rusqlite::{CachedStatement, Connection};
use shared::{
    ConnectionId, JobFilter, JobId, JobSort, JobState, Timestamp, Total, page::StateCount,
};
use std::collections::HashSet;
use uuid::Uuid;

/// How many rows are read only to be found not wanted.
#[derive(Clone, Copy, Debug)]
struct Sifts {
    /// By the count of one state.
    count: i64,
    /// By a page, shared out between its ranges.
    page: usize,
}

/// 1.5 ms and 4 ms.
const SIFTS: Sifts = Sifts { count: 12_000, page: 30_000 };
/// Of the states few have more rows than may be sifted: what is over.
const FULL_STATES: usize = 3;

/// The ranges of a list.
pub(super) struct Ranges<'a> {
    filter: &'a JobFilter,
    sort: JobSort,
    connections: Vec<ConnectionId>,
    states: Vec<JobState>,
    sifts: Sifts,
}

/// Rows in the order of a list.
pub(super) struct Found {
    /// Where each row is, and its number.
    pub places: Vec<(Place, i64)>,
    /// Every row that is wanted and comes before this place was found, none after it was looked for.
    /// None: all were.
    pub end: Option<Place>,
}

impl<'a> Ranges<'a> {
    pub fn of(db: &Connection, filter: &'a JobFilter, sort: JobSort) -> rusqlite::Result<Self> {
        let mut connections = filter.connections.clone();
        if connections.is_empty() {
            let mut known = db.prepare_cached("SELECT id FROM connections")?;
            let rows = known.query_map([], |row| row::uuid(row, 0).map(ConnectionId))?;
            connections = rows.collect::<Result<_, _>>()?;
        }
        connections.sort_unstable();
        connections.dedup();
        let mut states = filter.states.clone();
        if states.is_empty() {
            states = JobState::ALL.to_vec();
        }
        if sort != JobSort::Created {
            states.retain(|state| state.is_over());
        }
        states.sort_unstable();
        states.dedup();
        Ok(Self { filter, sort, connections, states, sifts: SIFTS })
    }

    /// The first `limit` rows after a place, or fewer and the place that was come to.
    pub fn page(
        &self,
        db: &Connection,
        after: Option<Place>,
        limit: usize,
    ) -> rusqlite::Result<Found> {
        let span = Span::in_order(self.filter, self.sort);
        // What is common is found at once: a short way is tried first.
        if span.is_sifted() {
            let found = self.walk(db, &span, after, limit, self.sifts.page / 10)?;
            if found.places.len() == limit || found.end.is_none() {
                return Ok(found);
            }
        }
        self.walk(db, &span, after, limit, self.sifts.page)
    }

    /// The first `limit` rows after a place that are found among about `sifts` of them.
    fn walk(
        &self,
        db: &Connection,
        span: &Span,
        after: Option<Place>,
        limit: usize,
        sifts: usize,
    ) -> rusqlite::Result<Found> {
        let (top, bottom) = self.bounds();
        let after = after.map_or(top, |after| after.min(top));
        let mut query = db.prepare_cached(&span.places_sql())?;
        let mut floors =
            if span.is_sifted() { Some(db.prepare_cached(&span.floor_sql())?) } else { None };
        let ranges = self.connections.len() * self.states.len().min(FULL_STATES);
        let (most, share) = (limit as i64 + 1, (sifts / ranges.max(1)).max(1) as i64);
        let (mut places, mut end) = (Vec::new(), None);
        for (connection, state) in self.each() {
            let range = Range { filter: self.filter, connection, state };
            let floor = match &mut floors {
                Some(query) => range.place(query, &after, share - 1)?,
                None => None,
            };
            let floor = floor.filter(|floor| *floor > bottom);
            end = end.max(floor);
            range.places(&mut query, &after, &floor.unwrap_or(bottom), most, &mut places)?;
        }
        if let Some(end) = end {
            places.retain(|(place, _)| *place >= end);
        }
        places.sort_unstable_by(|a: &(Place, i64), b| b.cmp(a));
        if places.len() > limit {
            places.truncate(limit);
            end = places.last().map(|(place, _)| *place);
        }
        Ok(Found { places, end })
    }

    /// The same of a list by end or by duration that has few rows, which are read by creation and sorted.
    pub fn page_of_few(
        &self,
        db: &Connection,
        after: Option<Place>,
        limit: usize,
    ) -> rusqlite::Result<Found> {
        let mut places = self.all(db)?;
        if let Some(after) = after {
            places.retain(|(place, _)| *place < after);
        }
        places.sort_unstable_by(|a: &(Place, i64), b| b.cmp(a));
        let more = places.len() > limit;
        places.truncate(limit);
        let end = places.last().filter(|_| more).map(|(place, _)| *place);
        Ok(Found { places, end })
    }

    /// The numbers of all rows, of which there are few.
    pub fn numbers(&self, db: &Connection) -> rusqlite::Result<HashSet<i64>> {
        Ok(self.all(db)?.into_iter().map(|(_, number)| number).collect())
    }

    /// All rows in no order.
    fn all(&self, db: &Connection) -> rusqlite::Result<Vec<(Place, i64)>> {
        let mut query = db.prepare_cached(&Span::by_creation(self.filter, self.sort).all_sql())?;
        let mut places = Vec::new();
        for (connection, state) in self.each() {
            Range { filter: self.filter, connection, state }.all(&mut query, &mut places)?;
        }
        Ok(places)
    }

    /// How many rows there are of each state of the filter. Not exact where counting stopped, at 10,000
    /// or at what a count may sift.
    pub fn counts(&self, db: &Connection) -> rusqlite::Result<Vec<StateCount>> {
        let span = Span::by_creation(self.filter, self.sort);
        let mut query = db.prepare_cached(&span.count_sql())?;
        let of = |&state| {
            let total = self.count(&mut query, self.count_reads(&span), state)?;
            Ok(StateCount { state, total })
        };
        self.states.iter().map(of).collect()
    }

    /// How many rows there are, to the same bounds.
    pub fn total(&self, db: &Connection) -> rusqlite::Result<Total> {
        let span = Span::by_creation(self.filter, self.sort);
        let mut query = db.prepare_cached(&span.count_sql())?;
        let mut sum = Total { count: 0, exact: true };
        for &state in &self.states {
            let of_state = self.count(&mut query, self.count_reads(&span), state)?;
            sum = bounded(sum.count + of_state.count, sum.exact && of_state.exact);
            if sum.count == COUNTED && !sum.exact {
                break;
            }
        }
        Ok(sum)
    }

    /// Rows that the count of one state may read.
    fn count_reads(&self, span: &Span) -> i64 {
        if span.is_sifted() { self.sifts.count } else { COUNTED as i64 + 1 }
    }

    fn count(
        &self,
        query: &mut CachedStatement<'_>,
        most: i64,
        state: JobState,
    ) -> rusqlite::Result<Total> {
        let (mut left, mut count) = (most, 0);
        for &connection in &self.connections {
            let range = Range { filter: self.filter, connection, state };
            let (seen, found) = range.count(query, left)?;
            (left, count) = (left - seen, count + found as u64);
        }
        Ok(bounded(count, left > 0))
    }

    /// All rows that are wanted are after the one and not after the other. By creation that is where the
    /// filter's times are, so that they are no conditions beside those of a page.
    fn bounds(&self) -> (Place, Place) {
        let before = |at: Timestamp| Place { key: at.0, id: JobId(Uuid::nil()) };
        let (from, to) = match self.sort {
            JobSort::Created => (self.filter.from, self.filter.to),
            JobSort::Finished | JobSort::Duration => (None, None),
        };
        let all = Place { key: i64::MAX, id: JobId(Uuid::max()) };
        (to.map_or(all, before), before(from.unwrap_or(Timestamp(i64::MIN))))
    }

    fn each(&self) -> impl Iterator<Item = (ConnectionId, JobState)> {
        self.connections
            .iter()
            .flat_map(|&connection| self.states.iter().map(move |&state| (connection, state)))
    }
}

#[cfg(test)]
mod tests;
