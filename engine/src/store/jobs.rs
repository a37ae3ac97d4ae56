//! Lists of jobs: pages by keyset, bounded counts.
//!
//! A list is a merge of exact ranges of one covering index, one range per connection and state, each already
//! in the list's order. So a page costs the same wherever it is and however few rows match.

use super::{QueryError, Store, StoreError, cursor::Place, row};
use crate::Caller;
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use shared::{ConnectionId, Job, JobFilter, JobId, JobState, Timestamp, Total, page::StateCount};
use uuid::Uuid;

/// Rows a page may have.
const PAGE: u32 = 200;
/// Where counting stops.
const COUNTED: u64 = 10_000;

/// One page of jobs, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobsQuery {
    pub filter: JobFilter,
    /// `next_cursor` of the page before, of the same filter.
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
    /// A page of jobs, newest first.
    pub fn jobs(&self, _caller: &Caller, query: &JobsQuery) -> Result<JobRows, QueryError> {
        let filter = &query.filter;
        let after = query.cursor.as_deref().map(|text| Place::decode(text, filter)).transpose()?;
        let limit = query.limit.clamp(1, PAGE) as usize;
        self.read(|db| {
            let ranges = Ranges::of(db, filter)?;
            let mut places = ranges.places(db, after, limit + 1)?;
            let more = places.len() > limit;
            places.truncate(limit);
            let sql = format!("SELECT {} FROM jobs WHERE number = ?", row::JOB);
            let mut select = db.prepare_cached(&sql)?;
            let items = places
                .iter()
                .map(|(_, number)| select.query_row([number], row::job))
                .collect::<Result<Vec<_>, _>>()?;
            let next = if more { items.last() } else { None };
            let next_cursor = next.map(|job| Place::of(job).encode(filter));
            let total =
                ranges.counts(db)?.iter().fold(Total { count: 0, exact: true }, |sum, one| {
                    bounded(sum.count + one.total.count, sum.exact && one.total.exact)
                });
            Ok(JobRows { items, next_cursor, total })
        })
    }

    /// Jobs by state, whatever states the filter names: all eight, counted up to 10,000 each.
    pub fn counts(
        &self,
        _caller: &Caller,
        filter: &JobFilter,
    ) -> Result<Vec<StateCount>, StoreError> {
        self.read(|db| Ok(Ranges::of(db, &filter.any_state())?.counts(db)?))
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

fn bounded(count: u64, exact: bool) -> Total {
    Total { count: count.min(COUNTED), exact: exact && count <= COUNTED }
}

/// The index ranges that a filter comes down to.
struct Ranges<'a> {
    filter: &'a JobFilter,
    connections: Vec<ConnectionId>,
    states: Vec<JobState>,
}

impl<'a> Ranges<'a> {
    fn of(db: &Connection, filter: &'a JobFilter) -> rusqlite::Result<Self> {
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
        states.sort_unstable();
        states.dedup();
        Ok(Self { filter, connections, states })
    }

    /// `FROM … WHERE …` of one range; `?1` is the connection, `?2` the state, `?3` the queue, `?4` the pipeline.
    fn source(&self) -> &'static str {
        match (&self.filter.queue, &self.filter.pipeline) {
            (None, None) => {
                "FROM jobs INDEXED BY jobs_by_state \
                 WHERE connection = ?1 AND state = ?2 AND ?3 IS NULL AND ?4 IS NULL"
            }
            (Some(_), None) => {
                "FROM jobs INDEXED BY jobs_by_queue \
                 WHERE connection = ?1 AND queue = ?3 AND state = ?2 AND ?4 IS NULL"
            }
            (None, Some(_)) => {
                "FROM jobs INDEXED BY jobs_by_pipeline \
                 WHERE connection = ?1 AND pipeline = ?4 AND state = ?2 AND ?3 IS NULL"
            }
            (Some(_), Some(_)) => {
                "FROM jobs INDEXED BY jobs_by_pipeline \
                 WHERE connection = ?1 AND pipeline = ?4 AND state = ?2 AND queue = ?3"
            }
        }
    }

    fn places_sql(&self) -> String {
        format!(
            "SELECT created_at, id, number {} AND (created_at, id) < (?5, ?6) \
             ORDER BY created_at DESC, id DESC LIMIT ?7",
            self.source()
        )
    }

    fn count_sql(&self) -> String {
        format!("SELECT count(*) FROM (SELECT 1 {} LIMIT ?5)", self.source())
    }

    /// The first `limit` places after one, and the numbers of their rows.
    fn places(
        &self,
        db: &Connection,
        after: Option<Place>,
        limit: usize,
    ) -> rusqlite::Result<Vec<(Place, i64)>> {
        let newest = Place { created_at: Timestamp(i64::MAX), id: JobId(Uuid::max()) };
        let after = after.unwrap_or(newest);
        let mut query = db.prepare_cached(&self.places_sql())?;
        let mut found = Vec::new();
        for connection in &self.connections {
            for state in &self.states {
                let rows = query.query_map(
                    params![
                        connection.0.as_bytes(),
                        state.as_str(),
                        self.filter.queue,
                        self.filter.pipeline,
                        after.created_at.0,
                        after.id.0.as_bytes(),
                        limit as i64,
                    ],
                    |row| {
                        let created_at = Timestamp(row.get(0)?);
                        Ok((Place { created_at, id: JobId(row::uuid(row, 1)?) }, row.get(2)?))
                    },
                )?;
                for row in rows {
                    found.push(row?);
                }
            }
        }
        found.sort_unstable_by(|a: &(Place, i64), b| b.cmp(a));
        found.truncate(limit);
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
                let parameters: [&dyn ToSql; 5] = [
                    &connection.0.as_bytes(),
                    &state.as_str(),
                    &self.filter.queue,
                    &self.filter.pipeline,
                    &left,
                ];
                count += query.query_row(parameters, |row| row.get::<_, i64>(0))? as u64;
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
    fn plan(db: &Connection, sql: &str, parameters: &[&dyn ToSql]) -> String {
        let mut query = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let rows = query.query_map(parameters, |row| row.get::<_, String>(3)).unwrap();
        rows.map(|row| row.unwrap() + "\n").collect()
    }

    #[test]
    fn every_combination_of_filters_reads_a_range_of_a_covering_index_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _writer) = Store::open(dir.path()).unwrap();
        let id = ConnectionId(Uuid::nil());
        let some = || Some("x".to_owned());
        for connections in [vec![], vec![id]] {
            for states in [vec![], vec![JobState::Failed], vec![JobState::Failed, JobState::Active]]
            {
                for (queue, pipeline) in
                    [(None, None), (some(), None), (None, some()), (some(), some())]
                {
                    let filter = JobFilter {
                        connections: connections.clone(),
                        states: states.clone(),
                        queue,
                        pipeline,
                        ..JobFilter::default()
                    };
                    let (places, count) = store
                        .read(|db| {
                            let ranges = Ranges::of(db, &filter)?;
                            let mut parameters: Vec<&dyn ToSql> = vec![&"c", &"s", &"q", &"p"];
                            parameters.extend([&0_i64 as &dyn ToSql; 3]);
                            Ok::<_, StoreError>((
                                plan(db, &ranges.places_sql(), &parameters),
                                plan(db, &ranges.count_sql(), &parameters[..5]),
                            ))
                        })
                        .unwrap();
                    for text in [&places, &count] {
                        assert!(
                            text.contains("USING COVERING INDEX jobs_by"),
                            "{filter:?}: {text}"
                        );
                        assert!(!text.contains("SCAN jobs"), "{filter:?}: {text}");
                        assert!(!text.contains("TEMP B-TREE"), "{filter:?}: {text}");
                    }
                    assert!(places.contains("(created_at,id)<(?,?)"), "{filter:?}: {places}");
                }
            }
        }
    }
}
