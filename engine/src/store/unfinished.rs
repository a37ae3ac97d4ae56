//! Jobs that are not over: what the runner goes on with after a start.

use super::{Store, StoreError, detail, row};
use shared::{CancelRequest, Job};
use std::collections::BTreeMap;

/// A job that was not over when the store was last written.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfinished {
    pub job: Job,
    pub params: BTreeMap<String, String>,
    /// As it was queued with, as JSON.
    pub definition: Option<String>,
    pub cancel: Option<CancelRequest>,
    /// Boot in which the newest attempt was claimed; none while there is no attempt.
    pub boot_id: Option<String>,
    /// Bytes of the newest attempt's journal that are in these rows.
    pub journal_position: u64,
}

/// The states of a job that is not over, as SQL has a list.
macro_rules! not_over {
    () => {
        "'unknown', 'queued', 'scheduled', 'active', 'retrying'"
    };
}

pub(crate) const NOT_OVER_STATES: &str = not_over!();

/// Ranges of one index; in the order in which the jobs came.
pub(super) const NOT_OVER: &str = concat!(
    "connection IN (SELECT id FROM connections) AND state IN (",
    not_over!(),
    ") ORDER BY created_at, id"
);

impl Store {
    /// Every job that is not over, oldest first.
    pub fn unfinished(&self) -> Result<Vec<Unfinished>, StoreError> {
        self.read_unhurried(|db| {
            let sql = format!(
                "SELECT {}, params, definition, cancel_by, cancel_at, cancel_why, \
                 (SELECT boot_id FROM attempts WHERE job = jobs.id AND number = jobs.attempt), \
                 (SELECT journal_position FROM attempts WHERE job = jobs.id AND number = jobs.attempt) \
                 FROM jobs INDEXED BY jobs_by_state JOIN plans ON plans.job = jobs.id \
                 WHERE {NOT_OVER}",
                row::JOB
            );
            let mut query = db.prepare(&sql)?;
            let rows = query.query_map([], |row| {
                Ok(Unfinished {
                    job: row::job(row)?,
                    params: detail::params(row, row::JOB_COLUMNS)?,
                    definition: row.get(row::JOB_COLUMNS + 1)?,
                    cancel: detail::cancel(row, row::JOB_COLUMNS + 2)?,
                    boot_id: row.get(row::JOB_COLUMNS + 5)?,
                    journal_position: row::number(row, row::JOB_COLUMNS + 6)?.unwrap_or(0),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
