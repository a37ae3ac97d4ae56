//! One range of an index: the statements that read it, and what they are given.

use super::{cursor::Place, row};
use rusqlite::{CachedStatement, ToSql};
use shared::{ConnectionId, JobFilter, JobId, JobSort, JobState};

/// How a range is read: by which index, and what sifts it.
pub(super) struct Span {
    /// The column that the list is ordered by.
    key: &'static str,
    /// `FROM … WHERE …` of all its rows.
    source: String,
    /// What the rows have to be, and the columns which that is about.
    sieve: Vec<String>,
    columns: Vec<&'static str>,
}

impl Span {
    /// Whether some of the rows are not wanted.
    pub fn is_sifted(&self) -> bool {
        !self.sieve.is_empty()
    }

    /// By the index that has the rows in the list's order; of creation at any time, see
    /// [`Ranges::bounds`].
    pub fn in_order(filter: &JobFilter, sort: JobSort) -> Self {
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
    pub fn by_creation(filter: &JobFilter, sort: JobSort) -> Self {
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

    pub fn places_sql(&self) -> String {
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
    pub fn floor_sql(&self) -> String {
        let Self { key, source, .. } = self;
        format!(
            "SELECT {key}, id {source} AND ({key}, id) < (:key, :id) \
             ORDER BY {key} DESC, id DESC LIMIT 1 OFFSET :limit"
        )
    }

    pub fn all_sql(&self) -> String {
        let Self { key, source, sieve, .. } = self;
        let sieve: String = sieve.iter().map(|what| format!(" AND {what}")).collect();
        format!("SELECT {key}, id, number {source}{sieve}")
    }

    /// How many rows were looked at, and how many of them are wanted.
    pub fn count_sql(&self) -> String {
        let Self { source, sieve, columns, .. } = self;
        let columns = if columns.is_empty() { "1".to_owned() } else { columns.join(", ") };
        let sieve = if sieve.is_empty() { "1".to_owned() } else { sieve.join(" AND ") };
        format!(
            "SELECT count(*), count(CASE WHEN {sieve} THEN 1 END) \
             FROM (SELECT {columns} {source} LIMIT :limit)"
        )
    }
}

/// One range: its statements, by [`Span`], are given these.
pub(super) struct Range<'a> {
    pub filter: &'a JobFilter,
    pub connection: ConnectionId,
    pub state: JobState,
}

impl Range<'_> {
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

    /// The first `limit` rows that are wanted, after a place and not after the floor.
    pub fn places(
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

    /// All rows that are wanted, in no order.
    pub fn all(
        &self,
        query: &mut CachedStatement<'_>,
        found: &mut Vec<(Place, i64)>,
    ) -> rusqlite::Result<()> {
        self.bind(query, &[])?;
        collect(query, found)
    }

    /// The place that is `skipped` rows further than the one after this.
    pub fn place(
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

    pub fn count(
        &self,
        query: &mut CachedStatement<'_>,
        limit: i64,
    ) -> rusqlite::Result<(i64, i64)> {
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
    use super::{
        super::{Store, StoreError},
        *,
    };
    use rusqlite::Connection;
    use shared::Timestamp;

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
