//! Search over names, parameters, errors and ids of jobs.
//!
//! Newest first and nothing else: the rowid of the index is the job's number, which grows with creation,
//! so matches come in the list's order and a page stops when it is full. Filters sift what comes; how
//! many rows they may sift is bounded, and where that ends the next page goes on.

use super::{
    JobRows, StoreError,
    cursor::Place,
    jobs::{COUNTED, bounded},
    row,
};
use rusqlite::{Connection, Transaction, params};
use shared::{Job, JobFilter, JobId, JobSort, Total};
use uuid::Uuid;

/// Matches that one page looks at: 20 to 70 ms.
const LOOKED_AT: usize = 5_000;
/// Words that are searched for at most.
const WORDS: usize = 16;

/// A page of the jobs that match `q` and the filter.
pub(super) fn page(
    db: &Connection,
    filter: &JobFilter,
    sort: JobSort,
    q: &str,
    after: Option<Place>,
    limit: usize,
) -> Result<JobRows, StoreError> {
    let Some(words) = words(q) else {
        let total = Total { count: 0, exact: true };
        return Ok(JobRows { items: Vec::new(), next_cursor: None, total });
    };
    let mut matches = db.prepare_cached(
        "SELECT rowid FROM jobs_text WHERE jobs_text MATCH ? AND rowid < ? ORDER BY rowid DESC",
    )?;
    let before = after.map_or(i64::MAX, |place| place.key);
    let mut numbers = matches.query(params![words, before])?;
    let (mut items, mut last, mut seen) = (Vec::with_capacity(limit), before, 0);
    let is_whole = loop {
        let Some(found) = numbers.next()? else { break true };
        if items.len() == limit || seen == LOOKED_AT {
            break false;
        }
        last = found.get(0)?;
        seen += 1;
        let job = row::by_number(db, last)?;
        if filter.matches(&job) {
            items.push(job);
        }
    };
    let place = Place { key: last, id: JobId(Uuid::nil()) };
    let next_cursor = (!is_whole).then(|| place.encode(filter, sort));
    let total = match (is_whole, after) {
        (true, None) => Total { count: items.len() as u64, exact: true },
        // Without a filter the index knows; with one only a look at every match would tell.
        _ if *filter == (JobFilter { q: filter.q.clone(), ..JobFilter::default() }) => {
            let mut count = db.prepare_cached(
                "SELECT count(*) FROM (SELECT 1 FROM jobs_text WHERE jobs_text MATCH ? LIMIT ?)",
            )?;
            let most = COUNTED as i64 + 1;
            bounded(count.query_row(params![words, most], |row| row.get::<_, i64>(0))? as u64, true)
        }
        _ => Total { count: items.len() as u64, exact: false },
    };
    Ok(JobRows { items, next_cursor, total })
}

/// The words of a search as FTS5 has them: each quoted, so that none is its syntax, the last a prefix.
fn words(q: &str) -> Option<String> {
    let words: Vec<_> = q
        .split_whitespace()
        .map(|word| word.replace(['"', '\0'], " "))
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .take(WORDS)
        .map(|word| format!("\"{}\"", word.trim()))
        .collect();
    (!words.is_empty()).then(|| words.join(" ") + "*")
}

/// The texts of a new job.
pub(super) fn add(tx: &Transaction<'_>, job: &Job, params: &str) -> rusqlite::Result<()> {
    let number = tx.last_insert_rowid();
    tx.prepare_cached(
        "INSERT INTO jobs_text (rowid, name, args, error, ids) VALUES (?, ?, ?, '', ?)",
    )?
    .execute(params![number, job.name, params, ids(job)])?;
    Ok(())
}

/// The job failed of something else than before.
pub(super) fn renew(tx: &Transaction<'_>, job: &Job) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO jobs_text (rowid, name, args, error, ids) \
         SELECT number, name, params, ?2, ?3 FROM jobs JOIN plans ON plans.job = jobs.id WHERE id = ?1",
    )?
    .execute(params![job.id.0.as_bytes(), job.error.as_deref().unwrap_or_default(), ids(job)])?;
    Ok(())
}

/// To be called before the row goes.
pub(super) fn remove(tx: &Transaction<'_>, job: JobId) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "DELETE FROM jobs_text WHERE rowid = (SELECT number FROM jobs WHERE id = ?)",
    )?
    .execute([job.0.as_bytes()])?;
    Ok(())
}

fn ids(job: &Job) -> String {
    format!("{} {}", job.id, job.external_id.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_words_and_never_syntax() {
        assert_eq!(words("two words").as_deref(), Some(r#""two" "words"*"#));
        assert_eq!(words(r#"a" OR name:b* -c"#).as_deref(), Some(r#""a" "OR" "name:b*" "-c"*"#));
        assert_eq!(words(r#" * " () "#), None);
        assert_eq!(words(""), None);
    }
}
