//! What a pipeline's runs print, as one log: a circular buffer per pipeline.
//!
//! - [`buffer`]: which lines are in it; their text stays in the logs of the runs
//! - [`cursor`]: a reader's place in it; [`line`]: what Tailboard itself says in it
//!
//! It is fed always, whether somebody reads or not, since to take note of new lines costs nothing that
//! grows with them. A server begins with fresh buffers; a run that goes on over its start is told
//! from the beginning of its log, as far as that fits.
//!
//! A buffer that is replaced while runs go on in it that are being cancelled has their last lines too,
//! and ends with the last of them. So its readers see how they ended, and what is begun meanwhile is in
//! the new buffer alone.
//!
//! Bounds: [`MOST`] each, and [`MOST_PARTS`] over all buffers. The last is
//! reached before the others only where hundreds of pipelines run often.

mod buffer;
mod cursor;
mod line;

pub use buffer::{Head, MOST};
pub use cursor::Cursor;

use crate::logs::Size;
use buffer::Buffer;
use shared::{Job, JobId, log::LogInfo};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Parts of all buffers together, shared equally; about 30 MB.
const MOST_PARTS: usize = 250_000;
/// Parts that each buffer may have, however many buffers there are.
const LEAST_SHARE: usize = 64;

/// Readers that read at the same time. However many there are, the disk and the threads that wait for it are
/// left to those who follow the runs.
const AT_A_TIME: usize = 2;

/// The buffers of all pipelines; a cheap handle.
#[derive(Clone)]
pub struct PipelineLogs {
    logs: Arc<Mutex<Logs>>,
    turns: Arc<Semaphore>,
}

#[derive(Default)]
struct Logs {
    /// The one that each pipeline has now.
    buffers: HashMap<Arc<str>, Arc<Buffer>>,
    /// Runs that are not over and whose lines are in a buffer.
    runs: HashMap<JobId, Run>,
}

struct Run {
    pipeline: Arc<str>,
    buffer: Arc<Buffer>,
    /// How much of its log is in the buffer, or was.
    told: Size,
}

impl Default for PipelineLogs {
    fn default() -> Self {
        Self { logs: Arc::default(), turns: Arc::new(Semaphore::new(AT_A_TIME)) }
    }
}

impl PipelineLogs {
    /// These are the pipelines there are. The buffer of one that changed ends and begins anew, and its runs
    /// go on in the new one; that of one that is not there any more ends.
    pub fn keep<'a>(&self, pipelines: impl Iterator<Item = (&'a str, bool)>) {
        let mut logs = self.logs();
        let mut before = std::mem::take(&mut logs.buffers);
        for (name, changed) in pipelines {
            let (name, buffer) = match before.remove_entry(name) {
                Some((name, buffer)) if changed => {
                    buffer.end();
                    (name, fresh())
                }
                Some(kept) => kept,
                None => (name.into(), fresh()),
            };
            logs.buffers.insert(name, buffer);
        }
        before.values().for_each(|gone| gone.end());
        let Logs { buffers, runs } = &mut *logs;
        runs.retain(|job, run| {
            if !run.buffer.has_ended() {
                return true;
            }
            let Some(new) = buffers.get(&run.pipeline) else { return false };
            run.buffer = new.clone();
            run.buffer.say(line::goes_on(*job), usize::MAX);
            true
        });
    }

    /// An attempt of a run begins.
    pub fn started(&self, pipeline: &str, job: JobId, attempt: u32) {
        let mut logs = self.logs();
        logs.add(pipeline, job);
        logs.say(job, || line::started(job, attempt));
    }

    /// A run is about to begin, or waits for another attempt over a start of the server.
    pub fn begins(&self, pipeline: &str, job: JobId) {
        self.logs().add(pipeline, job);
    }

    /// A run did not begin.
    pub fn forget(&self, job: JobId) {
        self.logs().leave(job);
    }

    /// A run's log has this size now. One that is not known yet began before the buffer did.
    pub fn grew(&self, pipeline: &str, job: JobId, log: LogInfo) {
        let mut logs = self.logs();
        if logs.add(pipeline, job) {
            logs.say(job, || line::goes_on(job));
        }
        let share = logs.share();
        if let Some(run) = logs.runs.get_mut(&job) {
            let size = Size { lines: log.lines, bytes: log.bytes };
            run.buffer.grew(job, run.told, size, share);
            run.told = size;
        }
    }

    /// An attempt is over; nothing more comes of the run unless it is retrying.
    pub fn ended(&self, job: &Job) {
        let mut logs = self.logs();
        logs.say(job.id, || line::ended(job));
        if !job.state.is_over() {
            return;
        }
        logs.leave(job.id);
    }

    /// A fresh buffer. Gives the runs of the pipeline that are not over; the old buffer ends with the last
    /// of them.
    pub fn restart(&self, pipeline: &str) -> Vec<JobId> {
        self.logs().replace(pipeline, Some(fresh()))
    }

    /// The pipeline is deleted. Gives its runs that are not over; the buffer ends with the last of them.
    pub fn remove(&self, pipeline: &str) -> Vec<JobId> {
        self.logs().replace(pipeline, None)
    }

    /// A place at the beginning of a pipeline's buffer, and what says that it grows. None: there is no
    /// such pipeline.
    pub fn read(&self, pipeline: &str) -> Option<(Cursor, watch::Receiver<Head>)> {
        let buffer = self.logs().buffers.get(pipeline)?.clone();
        let head = buffer.watch();
        Some((Cursor::new(buffer), head))
    }

    /// Waits for a reader's turn to read; it is over when this is dropped.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // None: it was closed, which nobody does.
        self.turns.clone().acquire_owned().await.ok()
    }

    fn logs(&self) -> MutexGuard<'_, Logs> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Logs {
    /// Whether the run is new here.
    fn add(&mut self, pipeline: &str, job: JobId) -> bool {
        if self.runs.contains_key(&job) {
            return false;
        }
        let Some((pipeline, buffer)) = self.buffers.get_key_value(pipeline) else { return false };
        let run = Run { pipeline: pipeline.clone(), buffer: buffer.clone(), told: Size::default() };
        self.runs.insert(job, run);
        true
    }

    fn say(&self, job: JobId, text: impl FnOnce() -> String) {
        if let Some(run) = self.runs.get(&job) {
            run.buffer.say(text(), self.share());
        }
    }

    /// Nothing more comes of a run.
    fn leave(&mut self, job: JobId) {
        let Some(Run { pipeline, buffer, .. }) = self.runs.remove(&job) else { return };
        let is_current = self.buffers.get(&pipeline).is_some_and(|b| Arc::ptr_eq(b, &buffer));
        if !is_current {
            self.end_if_unused(&buffer);
        }
    }

    fn replace(&mut self, pipeline: &str, new: Option<Arc<Buffer>>) -> Vec<JobId> {
        let Some((name, old)) = self.buffers.remove_entry(pipeline) else { return Vec::new() };
        if let Some(new) = new {
            self.buffers.insert(name, new);
        }
        self.end_if_unused(&old);
        let runs = self.runs.iter().filter(|(_, run)| *run.pipeline == *pipeline);
        runs.map(|(job, _)| *job).collect()
    }

    fn end_if_unused(&self, buffer: &Arc<Buffer>) {
        if !self.runs.values().any(|run| Arc::ptr_eq(&run.buffer, buffer)) {
            buffer.end();
        }
    }

    fn share(&self) -> usize {
        (MOST_PARTS / self.buffers.len().max(1)).max(LEAST_SHARE)
    }
}

fn fresh() -> Arc<Buffer> {
    Arc::new(Buffer::new(line::fresh(), MOST))
}
