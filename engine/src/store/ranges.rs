//! The index ranges that a filter comes down to, and what they are asked: places, counts.
//!
//! There is one range per connection and state. Its index begins with them, or with them and the narrowest
//! filter, and goes on with what the list is ordered by; the filters that do not lead to the range sift it,
//! in the index alone.

use super::{
    cursor::Place,
    jobs::{COUNTED, bounded},
    row,
};
use rusqlite::{CachedStatement, Connection, ToSql};
use shared::{ConnectionId, JobFilter, JobId, JobSort, JobState, Timestamp, page::StateCount};
use uuid::Uuid;

/// Rows of one state that a count sifts: 2 ms.
const COUNT_SIFTS: i64 = 20_000;
/// Rows that a page sifts, shared out between its ranges: 8 ms.
const PAGE_SIFTS: usize = 60_000;

/// The ranges of a list.
pub(super) struct Ranges<'a> {
    filter: &'a JobFilter,
    sort: JobSort,
    connections: Vec<ConnectionId>,
    states: Vec<JobState>,
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
        Ok(Self { filter, sort, connections, states })
    }

    /// The first `limit` rows after a place, or fewer and the place that was come to.
    pub fn page(
        &self,
        db: &Connection,
        after: Option<Place>,
        limit: usize,
    ) -> rusqlite::Result<Found> {
        let (top, bottom) = self.bounds();
        let after = after.map_or(top, |after| after.min(top));
        let span = Span::in_order(self.filter, self.sort);
        let mut query = db.prepare_cached(&span.places_sql())?;
        let mut floors =
            if span.sieve.is_empty() { None } else { Some(db.prepare_cached(&span.floor_sql())?) };
        let (most, share) =
            (limit as i64 + 1, PAGE_SIFTS / (self.connections.len() * self.states.len()).max(1));
        let share = share.max(1) as i64 - 1;
        let (mut places, mut end) = (Vec::new(), None);
        for (connection, state) in self.each() {
            let given = Given { filter: self.filter, connection, state };
            let floor = match &mut floors {
                Some(query) => given.place(query, &after, share)?,
                None => None,
            };
            let floor = floor.filter(|floor| *floor > bottom);
            end = end.max(floor);
            given.places(&mut query, &after, &floor.unwrap_or(bottom), most, &mut places)?;
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
        let mut query = db.prepare_cached(&Span::by_creation(self.filter, self.sort).all_sql())?;
        let mut places = Vec::new();
        for (connection, state) in self.each() {
            Given { filter: self.filter, connection, state }.all(&mut query, &mut places)?;
        }
        if let Some(after) = after {
            places.retain(|(place, _)| *place < after);
        }
        places.sort_unstable_by(|a: &(Place, i64), b| b.cmp(a));
        let more = places.len() > limit;
        places.truncate(limit);
        let end = places.last().filter(|_| more).map(|(place, _)| *place);
        Ok(Found { places, end })
    }

    /// How many rows there are of each state of the filter. Not exact where counting stopped, at 10,000
    /// or at what a count may sift.
    pub fn counts(&self, db: &Connection) -> rusqlite::Result<Vec<StateCount>> {
        let span = Span::by_creation(self.filter, self.sort);
        let mut query = db.prepare_cached(&span.count_sql())?;
        let most = if span.sieve.is_empty() { COUNTED as i64 + 1 } else { COUNT_SIFTS };
        let mut counts = Vec::with_capacity(self.states.len());
        for &state in &self.states {
            let (mut left, mut count) = (most, 0);
            for &connection in &self.connections {
                let given = Given { filter: self.filter, connection, state };
                let (seen, found) = given.count(&mut query, left)?;
                (left, count) = (left - seen, count + found as u64);
            }
            counts.push(StateCount { state, total: bounded(count, left > 0) });
        }
        Ok(counts)
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

/// How a range is read: by which index, and what sifts it.
struct Span {
    /// The column that the list is ordered by.
    key: &'static str,
    /// `FROM … WHERE …` of all its rows.
    source: String,
    /// What the rows have to be, and the columns which that is about.
    sieve: Vec<String>,
    columns: Vec<&'static str>,
}

impl Span {
    /// By the index that has the rows in the list's order; of creation at any time, see
    /// [`Ranges::bounds`].
    fn in_order(filter: &JobFilter, sort: JobSort) -> Self {
        let (key, index) = match sort {
            JobSort::Created => {
                let any_time = JobFilter { from: None, to: None, ..filter.clone() };
                return Self::by_creation(&any_time, sort);
            }
            JobSort::Finished => ("finished_at", "jobs_by_finished"),
            JobSort::Duration => ("duration_ms", "jobs_by_duration"),
        };
        let source = format!(
            "FROM jobs INDEXED BY {index} \
             WHERE connection = :connection AND state = :state AND {key} IS NOT NULL"
        );
        let mut this = Self { key, source, sieve: Vec::new(), columns: Vec::new() };
        this.sift_equal(filter, None);
        if filter.from.is_some() {
            this.sift("created_at", "created_at >= :from".to_owned());
        }
        if filter.to.is_some() {
            this.sift("created_at", "created_at < :to".to_owned());
        }
        this
    }

    /// By the index of the narrowest filter, which has them in the order of creation.
    fn by_creation(filter: &JobFilter, sort: JobSort) -> Self {
        let JobFilter { queue, worker, pipeline, .. } = filter;
        let (index, lead) = match (pipeline, worker, queue) {
            (Some(_), _, _) => ("jobs_by_pipeline", Some("pipeline")),
            (_, Some(_), _) => ("jobs_by_worker", Some("worker")),
            (_, _, Some(_)) => ("jobs_by_queue", Some("queue")),
            _ => ("jobs_by_state", None),
        };
        let mut source = format!(
            "FROM jobs INDEXED BY {index} WHERE connection = :connection AND state = :state"
        );
        if let Some(column) = lead {
            source += &format!(" AND {column} = :{column}");
        }
        if filter.from.is_some() {
            source += " AND created_at >= :from";
        }
        if filter.to.is_some() {
            source += " AND created_at < :to";
        }
        let key = match sort {
            JobSort::Created => "created_at",
            JobSort::Finished => "finished_at",
            JobSort::Duration => "duration_ms",
        };
        let mut this = Self { key, source, sieve: Vec::new(), columns: Vec::new() };
        this.sift_equal(filter, lead);
        if sort != JobSort::Created {
            this.sift(key, format!("{key} IS NOT NULL"));
        }
        this
    }

    /// Sifts by all the names of the filter but the one that leads.
    fn sift_equal(&mut self, filter: &JobFilter, lead: Option<&str>) {
        let JobFilter { queue, worker, pipeline, .. } = filter;
        for (column, wanted) in [("queue", queue), ("worker", worker), ("pipeline", pipeline)] {
            if wanted.is_some() && lead != Some(column) {
                self.sift(column, format!("{column} = :{column}"));
            }
        }
    }

    fn sift(&mut self, column: &'static str, what: String) {
        self.columns.push(column);
        self.sieve.push(what);
    }

    fn places_sql(&self) -> String {
        let Self { key, source, sieve, .. } = self;
        let sieve: String = sieve.iter().map(|what| format!(" AND {what}")).collect();
        // Without a sieve there is no floor, and the statement that has one costs nothing more.
        format!(
            "SELECT {key}, id, number {source}{sieve} \
             AND ({key}, id) < (:key, :id) AND ({key}, id) >= (:floor_key, :floor_id) \
             ORDER BY {key} DESC, id DESC LIMIT :limit"
        )
    }

    /// Where the range ends that a page sifts.
    fn floor_sql(&self) -> String {
        let Self { key, source, .. } = self;
        format!(
            "SELECT {key}, id {source} AND ({key}, id) < (:key, :id) \
             ORDER BY {key} DESC, id DESC LIMIT 1 OFFSET :limit"
        )
    }

    fn all_sql(&self) -> String {
        let Self { key, source, sieve, .. } = self;
        let sieve: String = sieve.iter().map(|what| format!(" AND {what}")).collect();
        format!("SELECT {key}, id, number {source}{sieve}")
    }

    /// How many rows were looked at, and how many of them are wanted.
    fn count_sql(&self) -> String {
        let Self { source, sieve, columns, .. } = self;
        let columns = if columns.is_empty() { "1".to_owned() } else { columns.join(", ") };
        let sieve = if sieve.is_empty() { "1".to_owned() } else { sieve.join(" AND ") };
        format!(
            "SELECT count(*), count(CASE WHEN {sieve} THEN 1 END) \
             FROM (SELECT {columns} {source} LIMIT :limit)"
        )
    }
}

/// What the statements of one range are given.
struct Given<'a> {
    filter: &'a JobFilter,
    connection: ConnectionId,
    state: JobState,
}

impl Given<'_> {
    /// Binds those of the values that the statement has a name for.
    fn bind(
        &self,
        query: &mut CachedStatement<'_>,
        more: &[(&str, &dyn ToSql)],
    ) -> rusqlite::Result<()> {
        let JobFilter { queue, worker, pipeline, from, to, .. } = self.filter;
        let (state, from, to) = (self.state.as_str(), from.map(|at| at.0), to.map(|at| at.0));
        let own: [(&str, &dyn ToSql); 7] = [
            (":connection", self.connection.0.as_bytes()),
            (":state", &state),
            (":queue", queue),
            (":worker", worker),
            (":pipeline", pipeline),
            (":from", &from),
            (":to", &to),
        ];
        for (name, value) in own.iter().chain(more) {
            if let Some(at) = query.parameter_index(name)? {
                query.raw_bind_parameter(at, value)?;
            }
        }
        Ok(())
    }

    fn places(
        &self,
        query: &mut CachedStatement<'_>,
        after: &Place,
        floor: &Place,
        limit: i64,
        found: &mut Vec<(Place, i64)>,
    ) -> rusqlite::Result<()> {
        self.bind(
            query,
            &[
                (":key", &after.key),
                (":id", after.id.0.as_bytes()),
                (":floor_key", &floor.key),
                (":floor_id", floor.id.0.as_bytes()),
                (":limit", &limit),
            ],
        )?;
        collect(query, found)
    }

    fn all(
        &self,
        query: &mut CachedStatement<'_>,
        found: &mut Vec<(Place, i64)>,
    ) -> rusqlite::Result<()> {
        self.bind(query, &[])?;
        collect(query, found)
    }

    /// The place that is `skipped` rows further than the one after this.
    fn place(
        &self,
        query: &mut CachedStatement<'_>,
        after: &Place,
        skipped: i64,
    ) -> rusqlite::Result<Option<Place>> {
        let id = after.id.0.as_bytes();
        self.bind(query, &[(":key", &after.key), (":id", id), (":limit", &skipped)])?;
        let mut rows = query.raw_query();
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some(Place { key: row.get(0)?, id: JobId(row::uuid(row, 1)?) }))
    }

    fn count(&self, query: &mut CachedStatement<'_>, limit: i64) -> rusqlite::Result<(i64, i64)> {
        self.bind(query, &[(":limit", &limit)])?;
        let mut rows = query.raw_query();
        // A count has one row.
        rows.next()?.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
    }
}

fn collect(query: &mut CachedStatement<'_>, found: &mut Vec<(Place, i64)>) -> rusqlite::Result<()> {
    let mut rows = query.raw_query();
    while let Some(row) = rows.next()? {
        found.push((Place { key: row.get(0)?, id: JobId(row::uuid(row, 1)?) }, row.get(2)?));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::Store, *};
    use crate::store::StoreError;

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
            let time = |bit| some(bit, bits).map(|_| Timestamp(1));
            let filter = JobFilter {
                queue: some(0, bits),
                worker: some(1, bits),
                pipeline: some(2, bits),
                from: time(3),
                to: time(4),
                ..JobFilter::default()
            };
            let (in_order, by_creation) =
                (Span::in_order(&filter, sort), Span::by_creation(&filter, sort));
            let statements = [
                in_order.places_sql(),
                in_order.floor_sql(),
                by_creation.all_sql(),
                by_creation.count_sql(),
            ];
            for sql in statements {
                let text = store.read(|db| Ok::<_, StoreError>(plan(db, &sql))).unwrap();
                let index = "SEARCH jobs USING COVERING INDEX jobs_by";
                assert!(text.contains(index), "{filter:?}: {text}");
                assert!(!text.contains("SCAN jobs"), "{filter:?}: {text}");
                assert!(!text.contains("TEMP B-TREE"), "{filter:?}: {text}");
            }
        }
    }
}
