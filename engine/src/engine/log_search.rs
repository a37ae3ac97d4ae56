//! Searching a job's log for a caller.

use super::{Engine, ReadError};
use crate::{
    Caller,
    logs::{
        Log,
        search::{Found, Pattern, Search},
    },
    runner::blocking,
};
use shared::{
    JobId,
    log::{LogMatches, SearchCase, SearchMode},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// Time after which a search ends early: expressions can be slow, and nobody waits long without an
/// answer.
const LONGEST: Duration = Duration::from_secs(1);
/// Searches that go on at a time; the others wait, and leave the processors to jobs and streams.
static RUNNING: Semaphore = Semaphore::const_new(2);

/// A search and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSearch {
    pub text: String,
    pub mode: SearchMode,
    pub case: SearchCase,
    pub part: Search,
}

impl Engine {
    /// Lines of a job's log in which something is seen. Ends within a block of the log when it is
    /// dropped. None: there is no such job.
    ///
    /// # Errors
    /// `Pattern` when what is looked for is none.
    pub async fn search_log(
        &self,
        caller: &Caller,
        id: JobId,
        search: LogSearch,
    ) -> Result<Option<LogMatches>, ReadError> {
        let as_of = self.head();
        // The row before the files: a log that is closed has all its lines.
        let Some(job) = self.row(caller, id).await? else { return Ok(None) };
        let dir = self.inner.runner.job_dir(id);
        // It is never closed, so an error does not come.
        let running = RUNNING.acquire().await.ok();
        let wanted = Wanted(Arc::new(AtomicBool::new(true)));
        let is_wanted = Arc::clone(&wanted.0);
        let found = blocking(move || -> Result<_, ReadError> {
            // Here, since the work goes on for a moment after its asker has gone.
            let _running = running;
            let pattern = Pattern::new(&search.text, search.mode, search.case)?;
            let begin = Instant::now();
            let goes_on = || is_wanted.load(Ordering::Relaxed) && begin.elapsed() < LONGEST;
            match Log::open(&dir)? {
                Some(log) => Ok(log.search(&pattern, search.part, goes_on)?),
                None => Ok(Found::default()),
            }
        })
        .await?;
        Ok(Some(LogMatches {
            lines: found.lines,
            count: found.count,
            marks: found.marks,
            next: found.next,
            total: found.total,
            closed: job.state.is_over(),
            as_of,
        }))
    }
}

/// Tells the search when nobody waits for it any more.
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_is_dropped_is_told_so() {
        let wanted = Wanted(Arc::new(AtomicBool::new(true)));
        let is_wanted = Arc::clone(&wanted.0);
        assert!(is_wanted.load(Ordering::Relaxed));
        drop(wanted);
        assert!(!is_wanted.load(Ordering::Relaxed));
    }
}
