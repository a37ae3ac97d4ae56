//! Search over names, parameters, errors and ids of jobs.
//!
//! Newest first and nothing else: the rowid of the index is the job's number, which grows with creation,
//! so matches come in the list's order and a page stops when it is full. Filters sift what comes: by the
//! numbers of the jobs they let through where these are few, else by the rows. How many matches a page may
//! look at is bounded, and where that ends the next page goes on.

use super::{
    JobRows, StoreError,
    cursor::Place,
    jobs::{COUNTED, bounded},
    ranges::Ranges,
    row,
};
use rusqlite::{Connection, Transaction, params};
use shared::{Job, JobFilter, JobId, JobSort, Total};
use std::collections::HashSet;
use uuid::Uuid;

/// Matches whose rows one page looks at, and the same of those that only have their number looked at:
/// 10 to 30 ms each.
const LOOKED_AT: usize = 5_000;
const COMPARED: usize = 40_000;
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
    let Some(words) = words(q) else { return Ok(nothing()) };
    let is_plain = *filter == JobFilter { q: filter.q.clone(), ..JobFilter::default() };
    let few = if is_plain { None } else { few(db, filter)? };
    if few.as_ref().is_some_and(HashSet::is_empty) {
        return Ok(nothing());
    }
    let mut matches = db.prepare_cached(
        "SELECT rowid FROM jobs_text WHERE jobs_text MATCH ? AND rowid >= ? AND rowid < ? \
         ORDER BY rowid DESC",
    )?;
    let (first, most) = match &few {
        Some(few) => (few.iter().min().map_or(i64::MAX, |least| *least), COMPARED),
        None => (i64::MIN, LOOKED_AT),
    };
    // Of a place in a search the id says how many rows the pages before have.
    let (before, given) =
        after.map_or((i64::MAX, 0), |place| (place.key, place.id.0.as_u128() as u64));
    let mut numbers = matches.query(params![words, first, before])?;
    let (mut items, mut last, mut seen) = (Vec::with_capacity(limit), before, 0);
    let is_whole = loop {
        let Some(found) = numbers.next()? else { break true };
        if items.len() == limit || seen == most {
            break false;
        }
        last = found.get(0)?;
        seen += 1;
        if few.as_ref().is_some_and(|few| !few.contains(&last)) {
            continue;
        }
        let job = row::by_number(db, last)?;
        if filter.matches(&job) {
            items.push(job);
        }
    };
    let so_far = given.saturating_add(items.len() as u64);
    let total = if is_whole {
        bounded(so_far, true)
    } else if is_plain {
        // Every match is wanted, so the rest only has to be counted: in the same go, since to begin
        // anew costs most. One was come to above.
        let mut count = so_far + 1;
        while count <= COUNTED && numbers.next()?.is_some() {
            count += 1;
        }
        bounded(count, true)
    } else {
        bounded(so_far, false)
    };
    let place = Place { key: last, id: JobId(Uuid::from_u128(so_far.into())) };
    let next_cursor = (!is_whole).then(|| place.encode(filter, sort));
    Ok(JobRows { items, next_cursor, total })
}

fn nothing() -> JobRows {
    JobRows { items: Vec::new(), next_cursor: None, total: Total { count: 0, exact: true } }
}

/// The numbers of all jobs that the filter lets through, whatever is searched for, if that are few.
fn few(db: &Connection, filter: &JobFilter) -> rusqlite::Result<Option<HashSet<i64>>> {
    let ranges = Ranges::of(db, filter, JobSort::Created)?;
    if !ranges.total(db)?.exact {
        return Ok(None);
    }
    Ok(Some(ranges.numbers(db)?))
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
