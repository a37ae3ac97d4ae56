//! What a log has not yet: the unfinished line of each stream, in the file `live`.
//!
//! Written by the executor by rename, at most ten times a second, gone at the end of the attempt.

use super::index::{Entry, Index, Origin};
use serde::{Deserialize, Serialize};
use shared::log::Stream;
use std::{fs, io, path::Path};

const NAME: &str = "live";
const VERSION: u32 = 1;
/// Bytes of an unfinished line that are told.
pub const MAX_SHOWN: usize = 4 << 10;
/// A line that was unfinished so many lines ago is not any more.
const MAX_AGE: u64 = 4096;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Live {
    version: u32,
    /// Another one with each change; grows, over attempts too.
    pub change: u64,
    pub open: Vec<Open>,
    /// How far the step says it is, 0 to 100.
    #[serde(default)]
    pub progress: Option<f32>,
}

/// An unfinished line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Open {
    pub stream: Stream,
    pub step: u32,
    pub attempt: u32,
    /// Lines the log had at that time.
    pub lines: u64,
    /// What follows its last `\r`, escapes included; invalid UTF-8 is U+FFFD.
    pub text: String,
}

impl Open {
    pub fn new(origin: Origin, lines: u64, line: &[u8]) -> Self {
        let shown = after_last_return(line);
        let text = String::from_utf8_lossy(&shown[..shown.len().min(MAX_SHOWN)]).into_owned();
        Self { stream: origin.stream, step: origin.step, attempt: origin.attempt, lines, text }
    }

    pub(super) fn origin(&self) -> Origin {
        Origin { stream: self.stream, step: self.step, attempt: self.attempt }
    }
}

/// What a terminal would show of a line: its last rewriting. A `\r` at the very end rewrites nothing
/// yet.
pub fn after_last_return(line: &[u8]) -> &[u8] {
    let returns = line.iter().rev().take_while(|&&b| b == b'\r').count();
    let line = &line[..line.len() - returns];
    &line[memchr::memrchr(b'\r', line).map_or(0, |at| at + 1)..]
}

/// Replaces the file.
pub fn write(dir: &Path, change: u64, open: Vec<Open>, progress: Option<f32>) -> io::Result<()> {
    let new = dir.join("live.new");
    fs::write(&new, serde_json::to_vec(&Live { version: VERSION, change, open, progress })?)?;
    fs::rename(new, dir.join(NAME))
}

/// Takes the file away; none is no error.
pub fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_file(dir.join(NAME)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What is unfinished now. None: nothing.
pub fn read(dir: &Path) -> io::Result<Option<Live>> {
    let text = match fs::read(dir.join(NAME)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let live = serde_json::from_slice::<Live>(&text).ok();
    Ok(live.filter(|live| live.version == VERSION))
}

impl Live {
    /// Forgets the lines of which the log has more by now.
    pub fn drop_completed(&mut self, index: &Index) -> io::Result<()> {
        let total = index.lines()?;
        let oldest = self.open.iter().map(|open| open.lines).min().unwrap_or(total);
        if total.saturating_sub(oldest) > MAX_AGE {
            self.open.retain(|open| total.saturating_sub(open.lines) <= MAX_AGE);
        }
        let newer = index.read(total.saturating_sub(MAX_AGE).max(oldest) + 1, MAX_AGE)?;
        self.open.retain(|open| {
            let is_newer = |entry: &Entry| entry.n > open.lines;
            !newer.iter().any(|entry| is_newer(entry) && entry.record.origin == open.origin())
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_version_1_stays_readable() {
        let dir = tempfile::tempdir().unwrap();
        let sample = r#"{"version":1,"change":1700000000000,"open":[{"stream":"stderr","step":2,"attempt":1,"lines":7,"text":"20%"}]}"#;
        fs::write(dir.path().join(NAME), sample).unwrap();
        let origin = Origin { stream: Stream::Stderr, step: 2, attempt: 1 };
        let open = vec![Open::new(origin, 7, b"10%\r20%\r")];
        let live = Live { version: 1, change: 1_700_000_000_000, open, progress: None };
        assert_eq!(read(dir.path()).unwrap(), Some(live));
    }
}
