//! Lists of jobs: pages by keyset, bounded counts. What is searched for is in [`super::search`].
//!
//! A list is a merge of [`Ranges`], each already in the list's order. By creation and with one name in the
//! filter a page costs the same wherever it is. What else is filtered by sifts the range, and how many rows
//! a page may sift is bounded: where that ends a page is short and the next one goes on. A list by end or by
//! duration that has few rows is read whole instead, so that rare values are found at once.

use super::{
    QueryError, Store, StoreError,
    cursor::Place,
    ranges::{Found, Ranges},
    row, search,
};
use crate::Caller;
use rusqlite::{Connection, OptionalExtension};
use shared::{Job, JobFilter, JobId, JobSort, Total, page::StateCount};

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
    ///
    /// # Errors
    /// When the cursor is of another list, or the store cannot be read.
    pub fn jobs(&self, _caller: &Caller, query: &JobsQuery) -> Result<JobRows, QueryError> {
        let after = query.after()?;
        Ok(self.read(|db| query.rows(db, after, None))?)
    }

    /// A page of jobs, and the counts that [`Store::counts`] has of its filter, as one moment had them.
    ///
    /// # Errors
    /// When the cursor is of another list, or the store cannot be read.
    pub fn jobs_and_counts(
        &self,
        _caller: &Caller,
        query: &JobsQuery,
    ) -> Result<(JobRows, Vec<StateCount>), QueryError> {
        let after = query.after()?;
        Ok(self.read(|db| {
            let counts = counts(db, &query.filter)?;
            Ok::<_, StoreError>((query.rows(db, after, Some(&counts))?, counts))
        })?)
    }

    /// Jobs by state, whatever states the filter names and whatever it searches for: all eight, counted
    /// up to 10,000 each.
    pub fn counts(
        &self,
        _caller: &Caller,
        filter: &JobFilter,
    ) -> Result<Vec<StateCount>, StoreError> {
        self.read(|db| Ok(counts(db, filter)?))
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

fn counts(db: &Connection, filter: &JobFilter) -> rusqlite::Result<Vec<StateCount>> {
    let filter = JobFilter { q: None, ..filter.any_state() };
    Ranges::of(db, &filter, JobSort::Created)?.counts(db)
}

impl JobsQuery {
    fn after(&self) -> Result<Option<Place>, QueryError> {
        let decode = |text: &str| Place::decode(text, &self.filter, self.sort);
        Ok(self.cursor.as_deref().map(decode).transpose()?)
    }

    /// The rows of this page. `counted`: by state, if that is known already.
    fn rows(
        &self,
        db: &Connection,
        after: Option<Place>,
        counted: Option<&[StateCount]>,
    ) -> Result<JobRows, StoreError> {
        let Self { filter, sort, .. } = self;
        let limit = self.limit.clamp(1, PAGE) as usize;
        if let Some(q) = &filter.q {
            return search::page(db, filter, *sort, q, after, limit);
        }
        let ranges = Ranges::of(db, filter, *sort)?;
        let total = match counted {
            Some(counts) if *sort == JobSort::Created => {
                let is_of = |count: &&StateCount| {
                    filter.states.is_empty() || filter.states.contains(&count.state)
                };
                sum(counts.iter().filter(is_of))
            }
            _ => ranges.total(db)?,
        };
        let Found { places, end } = match (total.exact, sort) {
            (true, JobSort::Finished | JobSort::Duration) => {
                ranges.page_of_few(db, after, limit)?
            }
            _ => ranges.page(db, after, limit)?,
        };
        let rows = places.iter().map(|(_, number)| row::by_number(db, *number));
        let items = rows.collect::<Result<Vec<_>, _>>()?;
        Ok(JobRows { items, next_cursor: end.map(|place| place.encode(filter, *sort)), total })
    }
}

fn sum<'a>(counts: impl Iterator<Item = &'a StateCount>) -> Total {
    counts.fold(Total { count: 0, exact: true }, |sum, one| {
        bounded(sum.count + one.total.count, sum.exact && one.total.exact)
    })
}
