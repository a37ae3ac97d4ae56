//! What a caller can read of a job's log.

use super::{Engine, ReadError};
use crate::{
    Caller,
    logs::{
        Log, LogError, RawLine, Size, Window,
        output::{After, OutputLine},
    },
    runner::blocking,
};
use shared::{
    Job, JobId, Timestamp,
    log::{LeftOutBy, Line, LogInfo, LogWindow},
};
use std::{fs::File, path::Path};
use tokio::sync::watch;

impl Engine {
    /// Lines `from` (1-based; negative: counted from the end) and on, at most `count` of them.
    /// None: there is no such job.
    pub async fn log_window(
        &self,
        caller: &Caller,
        id: JobId,
        from: i64,
        count: u32,
    ) -> Result<Option<LogWindow>, ReadError> {
        let as_of = self.head();
        // The row before the files: a log that is closed has all its lines.
        let Some(job) = self.row(caller, id).await? else { return Ok(None) };
        let dir = self.inner.runner.job_dir(id);
        let closed = job.state.is_over();
        let window = blocking(move || match Log::open(&dir)? {
            Some(log) => log.window(from, count),
            None => Ok(Window::default()),
        })
        .await?;
        Ok(Some(LogWindow {
            lines: window.lines,
            open: if closed { Vec::new() } else { window.open },
            total: window.total,
            closed,
            next: window.next,
            as_of,
        }))
    }

    /// One whole line. None: there is no such job or line.
    pub async fn log_line(
        &self,
        caller: &Caller,
        id: JobId,
        n: u64,
    ) -> Result<Option<Line>, ReadError> {
        if self.row(caller, id).await?.is_none() {
            return Ok(None);
        }
        let dir = self.inner.runner.job_dir(id);
        Ok(blocking(move || match Log::open(&dir)? {
            Some(log) => log.line(n),
            None => Ok(None),
        })
        .await?)
    }

    /// Complete lines after line number `after`, as they were written: at most `max_bytes` of text,
    /// but at least one line if there is one. None: there is no such job.
    pub async fn log_lines(
        &self,
        caller: &Caller,
        id: JobId,
        after: u64,
        max_bytes: usize,
    ) -> Result<Option<Vec<RawLine>>, ReadError> {
        if self.row(caller, id).await?.is_none() {
            return Ok(None);
        }
        let dir = self.inner.runner.job_dir(id);
        let lines = blocking(move || match Log::open(&dir)? {
            Some(log) => log.lines_after(after, max_bytes),
            None => Ok(Vec::new()),
        });
        Ok(Some(lines.await?))
    }

    /// Complete lines from there on as bytes of the log: at most `max_bytes` of memory, but at least one
    /// line if there is one. None: there is no such job.
    ///
    /// # Errors
    /// `NoLog` where there is no log.
    pub async fn log_output(
        &self,
        caller: &Caller,
        id: JobId,
        after: After,
        max_bytes: usize,
    ) -> Result<Option<Vec<OutputLine>>, ReadError> {
        if self.row(caller, id).await?.is_none() {
            return Ok(None);
        }
        let dir = self.inner.runner.job_dir(id);
        let found = blocking(move || match Log::open(&dir)? {
            Some(log) => log.output(after, max_bytes).map(Some),
            None => Ok(None),
        });
        found.await?.map(Some).ok_or(ReadError::NoLog)
    }

    /// Size of the log, and when it last grew. None: there is no such job.
    pub async fn log_info(
        &self,
        caller: &Caller,
        id: JobId,
    ) -> Result<Option<(LogInfo, Option<Timestamp>)>, ReadError> {
        let Some(job) = self.row(caller, id).await? else { return Ok(None) };
        let dir = self.inner.runner.job_dir(id);
        let found = blocking(move || -> Result<_, LogError> {
            let Some(log) = Log::open(&dir)? else { return Ok((Size::default(), None)) };
            Ok((log.size()?, log.modified()?))
        });
        let (size, modified) = found.await?;
        Ok(Some((info(&job, size), modified)))
    }

    /// The log as a file, and its length now. None: there is no such job.
    ///
    /// # Errors
    /// `NoLog` where there is none.
    pub async fn log_file(
        &self,
        caller: &Caller,
        id: JobId,
    ) -> Result<Option<(File, u64)>, ReadError> {
        if self.row(caller, id).await?.is_none() {
            return Ok(None);
        }
        let dir = self.inner.runner.job_dir(id);
        let found = blocking(move || -> Result<_, LogError> {
            let Some(log) = Log::open(&dir)? else { return Ok(None) };
            let length = log.size()?.bytes;
            Ok(Some((log.into_data(), length)))
        });
        found.await?.map(Some).ok_or(ReadError::NoLog)
    }

    /// The log's size, woken when it changes; the last value is `closed`. None: there is no such job.
    pub async fn watch_log(
        &self,
        caller: &Caller,
        id: JobId,
    ) -> Result<Option<watch::Receiver<LogInfo>>, ReadError> {
        // Waiting begins before the row is read: an end between the two is seen in either.
        let live = self.inner.runner.logs().watch(id);
        let Some(job) = self.row(caller, id).await? else {
            drop(live);
            self.inner.runner.logs().forget_unread();
            return Ok(None);
        };
        if job.state.is_over() {
            let (info, _) = self.log_size(&job).await?;
            self.inner.runner.logs().close(id, info);
            return Ok(Some(watch::channel(info).1));
        }
        Ok(Some(live))
    }

    /// Its size, and how many lines were left out at its end, and why.
    pub(super) async fn log_size(
        &self,
        job: &Job,
    ) -> Result<(LogInfo, (u64, Option<LeftOutBy>)), ReadError> {
        let dir = self.inner.runner.job_dir(job.id);
        let found = blocking(move || -> Result<_, LogError> {
            let Some(log) = Log::open(&dir)? else { return Ok(Default::default()) };
            Ok((log.size()?, log.left_out_at_end()?))
        });
        let (size, left_out) = found.await?;
        Ok((info(job, size), left_out))
    }

    /// Those whose log reached its limit, in the order given. One that cannot be read now says nothing.
    pub(super) async fn cut(&self, jobs: Vec<Job>) -> Vec<Job> {
        let runner = &self.inner.runner;
        let jobs: Vec<_> = jobs.into_iter().map(|job| (runner.job_dir(job.id), job)).collect();
        let is_cut = |dir: &Path| {
            let found = Log::open(dir).ok().flatten().map(|log| log.left_out_at_end());
            matches!(found, Some(Ok((_, Some(LeftOutBy::Limit)))))
        };
        let cut =
            move || jobs.into_iter().filter(|(dir, _)| is_cut(dir)).map(|(_, job)| job).collect();
        blocking(cut).await
    }

    pub(super) async fn row(&self, caller: &Caller, id: JobId) -> Result<Option<Job>, ReadError> {
        let (store, caller) = (self.inner.store.clone(), caller.clone());
        Ok(blocking(move || store.job(&caller, id)).await?)
    }
}

fn info(job: &Job, size: Size) -> LogInfo {
    LogInfo { lines: size.lines, bytes: size.bytes, open: 0, closed: job.state.is_over() }
}
