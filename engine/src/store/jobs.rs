//! Lists of jobs: pages by keyset, bounded counts. What is searched for is in [`super::search`].
//!
//! A list is a merge of ranges of one covering index, one range per connection and state, each already in
//! the list's order. By creation a page costs the same wherever it is; a second filter on top of the one
//! that leads to the range, and every filter of the lists by end and by duration, sift the range, so there
//! a page costs more the fewer rows match.

use super::{QueryError, Store, StoreError, cursor::Place, row, search};
use crate::Caller;
use rusqlite::{Connection, OptionalExtension, ToSql};
use shared::{ConnectionId, Job, JobFilter, JobId, JobSort, JobState, Total, page::StateCount};
use uuid::Uuid;

/// Rows a page may have.
const PAGE: u32 = 200;
/// Where counting stops.
pub(super) const COUNTED: u64 = 10_000;

/// One page of jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobsQuery {
    pub filter: JobFilter,
    /// Of a search, which is in the order of creation, this counts for nothing.
    pub sort: JobSort,
    /// `next_cursor` of the page before, of the same filter and order.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; what is outside is brought inside.
    pub limit: u32,
}

/// A page as the store has it: without `as_of`, which was read before.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRows {
    pub items: Vec<Job>,
    pub next_cursor: Option<String>,
    pub total: Total,
}

impl Store {
    /// A page of jobs.
    pub fn jobs(&self, _caller: &Caller, query: &JobsQuery) -> Result<JobRows, QueryError> {
        let JobsQuery { filter, sort, .. } = query;
        let decoded = query.cursor.as_deref().map(|text| Place::decode(text, filter, *sort));
        let after = decoded.transpose()?;
        let limit = query.limit.clamp(1, PAGE) as usize;
        if let Some(q) = &filter.q {
            return Ok(self.read(|db| search::page(db, filter, *sort, q, after, limit))?);
        }
        self.read(|db| {
            let ranges = Ranges::of(db, filter, *sort)?;
            let mut places = ranges.places(db, after, limit + 1)?;
            let more = places.len() > limit;
            places.truncate(limit);
            let items = places
                .iter()
                .map(|(_, number)| row::by_number(db, *number))
                .collect::<Result<Vec<_>, _>>()?;
            let next = places.last().filter(|_| more);
            let next_cursor = next.map(|(place, _)| place.encode(filter, *sort));
            let total =
                ranges.counts(db)?.iter().fold(Total { count: 0, exact: true }, |sum, one| {
                    bounded(sum.count + one.total.count, sum.exact && one.total.exact)
                });
            Ok(JobRows { items, next_cursor, total })
        })
    }

    /// Jobs by state, whatever states the filter names and whatever it searches for: all eight, counted
    /// up to 10,000 each.
    pub fn counts(
        &self,
        _caller: &Caller,
        filter: &JobFilter,
    ) -> Result<Vec<StateCount>, StoreError> {
        let filter = JobFilter { q: None, ..filter.any_state() };
        self.read(|db| Ok(Ranges::of(db, &filter, JobSort::Created)?.counts(db)?))
    }

    /// The row of one job.
    pub fn job(&self, _caller: &Caller, id: JobId) -> Result<Option<Job>, StoreError> {
        self.read(|db| {
            let sql = format!("SELECT {} FROM jobs WHERE id = ?", row::JOB);
            let mut query = db.prepare_cached(&sql)?;
            Ok(query.query_row([id.0.as_bytes()], row::job).optional()?)
        })
    }
}

pub(super) fn bounded(count: u64, exact: bool) -> Total {
    Total { count: count.min(COUNTED), exact: exact && count <= COUNTED }
}

/// The index ranges that a filter comes down to.
struct Ranges<'a> {
    filter: &'a JobFilter,
    sort: JobSort,
    connections: Vec<ConnectionId>,
    states: Vec<JobState>,
}

impl<'a> Ranges<'a> {
    fn of(db: &Connection, filter: &'a JobFilter, sort: JobSort) -> rusqlite::Result<Self> {
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
        Ok(Self { filter, sort, connections, states })
    }

    /// The column that the list is ordered by.
    fn key(&self) -> &'static str {
        match self.sort {
            JobSort::Created => "created_at",
            JobSort::Finished => "finished_at",
            JobSort::Duration => "duration_ms",
        }
    }

    /// `FROM … WHERE …` of one range. By creation the narrowest of pipeline, worker and queue leads to
    /// the range and the others sift it; by end and duration all of them sift, in the index alone.
    fn source(&self) -> String {
        let JobFilter { queue, worker, pipeline, from, to, .. } = self.filter;
        let index = match (self.sort, pipeline, worker, queue) {
            (JobSort::Finished, ..) => "jobs_by_finished",
            (JobSort::Duration, ..) => "jobs_by_duration",
            (_, Some(_), _, _) => "jobs_by_pipeline",
            (_, _, Some(_), _) => "jobs_by_worker",
            (_, _, _, Some(_)) => "jobs_by_queue",
            _ => "jobs_by_state",
        };
        let mut sql = format!(
            "FROM jobs INDEXED BY {index} WHERE connection = :connection AND state = :state"
        );
        for (column, wanted) in [("queue", queue), ("worker", worker), ("pipeline", pipeline)] {
            if wanted.is_some() {
                sql += &format!(" AND {column} = :{column}");
            }
        }
        if self.sort != JobSort::Created {
            sql += &format!(" AND {} IS NOT NULL", self.key());
        }
        if from.is_some() {
            sql += " AND created_at >= :from";
        }
        if to.is_some() {
            sql += " AND created_at < :to";
        }
        sql
    }

    fn places_sql(&self) -> String {
        let (key, source) = (self.key(), self.source());
        format!(
            "SELECT {key}, id, number {source} AND ({key}, id) < (:key, :id) \
             ORDER BY {key} DESC, id DESC LIMIT :limit"
        )
    }

    fn count_sql(&self) -> String {
        format!("SELECT count(*) FROM (SELECT 1 {} LIMIT :limit)", self.source())
    }

    /// What both statements are given.
    fn given<'b>(
        &'b self,
        connection: &'b [u8; 16],
        state: &'b &'static str,
        limit: &'b i64,
    ) -> Vec<(&'static str, &'b dyn ToSql)> {
        let JobFilter { queue, worker, pipeline, from, to, .. } = self.filter;
        let mut given: Vec<(&str, &dyn ToSql)> =
            vec![(":connection", connection), (":state", state), (":limit", limit)];
        for (name, wanted) in [(":queue", queue), (":worker", worker), (":pipeline", pipeline)] {
            given.extend(wanted.as_ref().map(|text| (name, text as &dyn ToSql)));
        }
        for (name, at) in [(":from", from), (":to", to)] {
            given.extend(at.as_ref().map(|at| (name, &at.0 as &dyn ToSql)));
        }
        given
    }

    /// The first `limit` places after one, and the numbers of their rows.
    fn places(
        &self,
        db: &Connection,
        after: Option<Place>,
        limit: usize,
    ) -> rusqlite::Result<Vec<(Place, i64)>> {
        let after = after.unwrap_or(Place { key: i64::MAX, id: JobId(Uuid::max()) });
        let limit = limit as i64;
        let mut query = db.prepare_cached(&self.places_sql())?;
        let mut found = Vec::new();
        for connection in &self.connections {
            for state in &self.states {
                let state = state.as_str();
                let mut given = self.given(connection.0.as_bytes(), &state, &limit);
                given.push((":key", &after.key));
                let id = after.id.0.as_bytes();
                given.push((":id", id));
                let rows = query.query_map(given.as_slice(), |row| {
                    Ok((Place { key: row.get(0)?, id: JobId(row::uuid(row, 1)?) }, row.get(2)?))
                })?;
                for row in rows {
                    found.push(row?);
                }
            }
        }
        found.sort_unstable_by(|a: &(Place, i64), b| b.cmp(a));
        found.truncate(limit as usize);
        Ok(found)
    }

    /// How many rows there are of each state of the filter.
    fn counts(&self, db: &Connection) -> rusqlite::Result<Vec<StateCount>> {
        let mut query = db.prepare_cached(&self.count_sql())?;
        let mut counts = Vec::with_capacity(self.states.len());
        for &state in &self.states {
            let mut count = 0;
            for connection in &self.connections {
                let left = (COUNTED + 1).saturating_sub(count) as i64;
                let word = state.as_str();
                let given = self.given(connection.0.as_bytes(), &word, &left);
                count += query.query_row(given.as_slice(), |row| row.get::<_, i64>(0))? as u64;
            }
            counts.push(StateCount { state, total: bounded(count, true) });
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The plan of a statement, one line per step.
    fn plan(db: &Connection, sql: &str) -> String {
        let mut query = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        // Which values are bound makes no difference.
        let rows = query.raw_query().mapped(|row| row.get::<_, String>(3));
        rows.map(|row| row.unwrap() + "\n").collect()
    }

    #[test]
    fn every_filter_in_every_order_reads_a_range_of_a_covering_index() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _writer) = Store::open(dir.path()).unwrap();
        let some = |bit: u32, bits: u32| (bits & 1 << bit != 0).then(|| "x".to_owned());
        for (bits, sort) in (0..32_u32).flat_map(|bits| JobSort::ALL.map(|sort| (bits, sort))) {
            let time = |bit| some(bit, bits).map(|_| shared::Timestamp(1));
            let filter = JobFilter {
                queue: some(0, bits),
                worker: some(1, bits),
                pipeline: some(2, bits),
                from: time(3),
                to: time(4),
                ..JobFilter::default()
            };
            let (places, count) = store
                .read(|db| {
                    let ranges = Ranges::of(db, &filter, sort)?;
                    Ok::<_, StoreError>((
                        plan(db, &ranges.places_sql()),
                        plan(db, &ranges.count_sql()),
                    ))
                })
                .unwrap();
            for text in [&places, &count] {
                assert!(
                    text.contains("SEARCH jobs USING COVERING INDEX jobs_by"),
                    "{filter:?}: {text}"
                );
                assert!(!text.contains("SCAN jobs"), "{filter:?}: {text}");
                assert!(!text.contains("TEMP B-TREE"), "{filter:?}: {text}");
            }
        }
    }
}
