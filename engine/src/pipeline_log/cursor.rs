//! A reader's place in a buffer, and the text from there on.

use super::{
    buffer::{Buffer, Found, Part, What},
    line::{Level, line},
};
use crate::logs::{
    Log, LogError,
    index::{Entry, Kind},
};
use shared::{JobId, Timestamp};
use std::{fmt::Display, io::Write, ops::ControlFlow, path::PathBuf, sync::Arc};

const DELETED: &str = "were deleted with it";

/// Reads one buffer from its first line on. Nothing is queued for it: it is a place, and if the buffer
/// overtakes it, it is told how much it missed.
pub struct Cursor {
    buffer: Arc<Buffer>,
    /// Of the next line among all that ever came.
    place: u64,
    begun: bool,
    /// The log that was read last.
    open: Option<(JobId, Log)>,
}

impl Cursor {
    pub fn new(buffer: Arc<Buffer>) -> Self {
        Self { buffer, place: 0, begun: false, open: None }
    }

    /// The next lines, each with its `\n`: about `most` bytes, nothing if there are none yet. `dir_of`
    /// says where the files of a job are. Blocks.
    ///
    /// # Errors
    /// When the very first lines cannot be read from the disk. Later, or if a log makes no sense, the reader
    /// is told how many lines it misses.
    pub fn read(
        &mut self,
        most: usize,
        dir_of: impl Fn(JobId) -> PathBuf,
    ) -> Result<Vec<u8>, LogError> {
        let mut out = Vec::new();
        while out.len() < most {
            let Some(found) = self.buffer.find(self.place) else { break };
            let part = found.part.clone();
            match self.take(found, most - out.len(), &dir_of, &mut out) {
                Ok(()) => {}
                Err(error @ LogError::Io(_)) if !self.begun => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "lines of a pipeline's log cannot be read");
                    self.miss(&part, "cannot be read", &mut out);
                }
            }
        }
        Ok(out)
    }

    /// The next lines of a part.
    fn take(
        &mut self,
        Found { part, over }: Found,
        most: usize,
        dir_of: &impl Fn(JobId) -> PathBuf,
        out: &mut Vec<u8>,
    ) -> Result<(), LogError> {
        let (job, after) = match part.what {
            What::Said(ref text) => {
                self.skip_to(part.first, out);
                self.place = part.first + 1;
                push(out, text.as_bytes());
                return Ok(());
            }
            What::Printed { job, after } => (job, after),
        };
        let place = self.place;
        let Some(log) = self.log(job, dir_of)? else {
            self.miss(&part, DELETED, out);
            return Ok(());
        };
        let dropped = log.lines_holding(after, over.bytes)?.max(over.lines).min(part.lines);
        let first = place.max(part.first + dropped);
        let before = after + (first - part.first);
        let last = after + part.lines;
        let (mut text, mut upto) = (Vec::new(), before);
        log.visit(before, |entry, bytes| {
            if entry.n > last || text.len() >= most {
                return ControlFlow::Break(());
            }
            printed(&mut text, entry, bytes);
            upto = entry.n;
            ControlFlow::Continue(())
        })?;
        self.skip_to(first, out);
        self.place = first + (upto - before);
        out.append(&mut text);
        if upto == before && before < last {
            // It was there when it was counted: the log was cut short.
            self.miss(&part, DELETED, out);
        }
        Ok(())
    }

    /// Goes on with the line of this place, and tells what was left out before it.
    fn skip_to(&mut self, place: u64, out: &mut Vec<u8>) {
        let skipped = place.saturating_sub(self.place);
        let begun = std::mem::replace(&mut self.begun, true);
        if skipped > 0 {
            self.place = place;
            match begun {
                true => warn(out, format_args!("{skipped} lines skipped: reader too slow")),
                false => {
                    warn(out, format_args!("{skipped} lines dropped: older than what is kept"))
                }
            }
        }
    }

    /// Goes on behind a part, and tells why the rest of it is missing.
    fn miss(&mut self, part: &Part, why: &str, out: &mut Vec<u8>) {
        self.skip_to(part.first.max(self.place), out);
        let end = part.first + part.lines;
        let lines = end - self.place;
        self.place = end;
        match part.what {
            What::Printed { job, .. } => {
                warn(out, format_args!("{lines} lines of run {job} {why}"))
            }
            // It is here and nowhere else.
            What::Said(_) => {}
        }
    }

    /// None: it is gone.
    fn log(
        &mut self,
        job: JobId,
        dir_of: &impl Fn(JobId) -> PathBuf,
    ) -> Result<Option<&Log>, LogError> {
        if self.open.as_ref().is_none_or(|(of, _)| *of != job) {
            self.open = Log::open(&dir_of(job))?.map(|log| (job, log));
        }
        Ok(self.open.as_ref().map(|(_, log)| log))
    }
}

fn warn(out: &mut Vec<u8>, text: impl Display) {
    push(out, line(Timestamp::now(), Level::Warn, text).as_bytes());
}

fn printed(out: &mut Vec<u8>, entry: &Entry, bytes: &[u8]) {
    match entry.record.kind {
        // Writing into a Vec cannot fail.
        Kind::LeftOut { lines, .. } => drop(writeln!(out, "[tailboard] {lines} lines left out")),
        Kind::Line { .. } => push(out, bytes.strip_suffix(b"\n").unwrap_or(bytes)),
    }
}

/// One line; what is not UTF-8 is U+FFFD.
fn push(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(String::from_utf8_lossy(text).as_bytes());
    out.push(b'\n');
}

#[cfg(test)]
mod tests;
