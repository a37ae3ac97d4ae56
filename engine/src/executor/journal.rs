//! What one attempt's executor did: the file `journal-<attempt>`, which only it writes.
//!
//! A head line with the version, then one JSON line per thing that happened, each written by one
//! `write`. A last line without `\n` was not written whole and does not count. Log and index are
//! written first, so what a line says of them is in the files.

use crate::linux;
use crate::observation::{Exit, LogMark, RunChange};
use serde::{Deserialize, Serialize};
use shared::{JobId, JobState, StepState, Timestamp};
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

const VERSION: u32 = 1;
/// Kept free for the journal before the first step, so that a full disk swallows no outcome.
const RESERVED: u64 = 64 << 10;

#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    job: JobId,
    attempt: u32,
}

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    /// Milliseconds since `started`, by the monotonic clock.
    pub elapsed_ms: u64,
    /// Bytes and lines of the log when it happened.
    pub offset: u64,
    pub lines: u64,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// The executor has the whole plan and begins.
    Started,
    StepStarted {
        ordinal: u32,
    },
    StepEnded {
        ordinal: u32,
        /// Completed, failed, skipped or cancelled.
        state: StepState,
        /// By the monotonic clock; none where it never started.
        duration_ms: Option<u64>,
        code: Option<i32>,
        signal: Option<i32>,
        error: Option<String>,
    },
    /// It was asked to end and begins to.
    Cancelling,
    End {
        outcome: Outcome,
        /// Of the step that decided.
        code: Option<i32>,
        signal: Option<i32>,
        error: Option<String>,
    },
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Completed,
    Failed,
    Cancelled,
    /// Ended by a signal that nobody of ours sent; `error` says which.
    Lost,
}

impl Entry {
    /// What the board is told of it.
    pub fn into_change(self) -> RunChange {
        let Self { at, elapsed_ms, offset, lines, what } = self;
        let mark = LogMark { offset, lines };
        match what {
            What::Started => RunChange::Started { at, mark },
            What::StepStarted { ordinal } => RunChange::StepStarted { ordinal, at, mark },
            What::StepEnded { ordinal, state, duration_ms, code, signal, error } => {
                let exit = Exit { code, signal };
                RunChange::StepEnded { ordinal, state, at, duration_ms, exit, error, mark }
            }
            What::Cancelling => RunChange::Cancelling { at },
            What::End { outcome: Outcome::Lost, error, .. } => {
                RunChange::Lost { at, reason: error.unwrap_or_default(), mark, retry_at: None }
            }
            What::End { outcome, code, signal, error } => RunChange::Ended {
                state: match outcome {
                    Outcome::Completed => JobState::Completed,
                    Outcome::Cancelled => JobState::Cancelled,
                    Outcome::Failed | Outcome::Lost => JobState::Failed,
                },
                at,
                duration_ms: Some(elapsed_ms),
                exit: Exit { code, signal },
                error,
                mark,
                retry_at: None,
            },
        }
    }

    pub fn is_end(&self) -> bool {
        matches!(self.what, What::End { .. })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("the journal cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("line at byte {at} of the journal cannot be read: {error}")]
    Shape { at: u64, error: serde_json::Error },
    #[error("the journal has version {0}, this server knows version {VERSION}")]
    Version(u32),
}

/// What was read of a journal.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct News {
    pub entries: Vec<Entry>,
    /// Where to read on: bytes up to the end of the last whole line.
    pub position: u64,
}

/// Reads the whole lines after `position` (0: from the beginning). No journal: no news.
pub fn read_from(dir: &Path, attempt: u32, position: u64) -> Result<News, JournalError> {
    let mut news = News { entries: Vec::new(), position };
    let file = match File::open(path(dir, attempt)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(news),
        Err(error) => return Err(error.into()),
    };
    let length = file.metadata()?.len().saturating_sub(position);
    let mut text = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut text, position)?;
    for line in text.split_inclusive(|&b| b == b'\n') {
        if line.last() != Some(&b'\n') {
            break;
        }
        let shape = |error| JournalError::Shape { at: news.position, error };
        if news.position == 0 {
            let head: Head = serde_json::from_slice(line).map_err(shape)?;
            if head.version != VERSION {
                return Err(JournalError::Version(head.version));
            }
        } else {
            let entry = serde_json::from_slice(line).map_err(shape)?;
            news.entries.push(entry);
        }
        news.position += line.len() as u64;
    }
    Ok(news)
}

/// The executor's end of it.
pub(super) struct Journal(File);

impl Journal {
    /// A new journal. One of the same attempt may be there if no step of it ever ran; it is
    /// replaced.
    pub fn create(dir: &Path, job: JobId, attempt: u32) -> io::Result<Self> {
        let path = path(dir, attempt);
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
        linux::files::reserve(&file, RESERVED)?;
        let mut journal = Self(file);
        journal.line(&Head { version: VERSION, job, attempt })?;
        Ok(journal)
    }

    pub fn write(&mut self, entry: &Entry) -> io::Result<()> {
        self.line(entry)
    }

    fn line(&mut self, content: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(content)?;
        line.push(b'\n');
        self.0.write_all(&line)
    }

    pub fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    /// Gives back what was reserved and not used.
    pub fn release(&self) -> io::Result<()> {
        self.0.set_len(self.0.metadata()?.len())
    }
}

fn path(dir: &Path, attempt: u32) -> PathBuf {
    dir.join(format!("journal-{attempt}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_journal_of_version_1_stays_readable() {
        let sample = r#"{"version":1,"job":"0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1","attempt":2}
{"at":"2026-02-27T10:30:00.000Z","elapsed_ms":0,"offset":0,"lines":0,"what":"started"}
{"at":"2026-02-27T10:30:00.001Z","elapsed_ms":1,"offset":0,"lines":0,"what":"step_started","ordinal":0}
{"at":"2026-02-27T10:30:01.000Z","elapsed_ms":1000,"offset":12,"lines":2,"what":"step_ended","ordinal":0,"state":"failed","duration_ms":999,"code":3,"signal":null,"error":"exit code 3"}
{"at":"2026-02-27T10:30:02.000Z","elapsed_ms":2000,"offset":12,"lines":2,"what":"cancelling"}
{"at":"2026-02-27T10:30:03.000Z","elapsed_ms":3000,"offset":12,"lines":2,"what":"end","outcome":"failed","code":3,"signal":null,"error":"step x: exit code 3"}
"#;
        let dir = tempfile::tempdir().unwrap();
        fs::write(path(dir.path(), 2), sample).unwrap();
        let news = read_from(dir.path(), 2, 0).unwrap();
        let error = Some("exit code 3".to_owned());
        let (code, signal) = (Some(3), None);
        let whats: Vec<_> = news.entries.iter().map(|entry| entry.what.clone()).collect();
        assert_eq!(
            whats,
            [
                What::Started,
                What::StepStarted { ordinal: 0 },
                What::StepEnded {
                    ordinal: 0,
                    state: StepState::Failed,
                    duration_ms: Some(999),
                    code,
                    signal,
                    error,
                },
                What::Cancelling,
                What::End {
                    outcome: Outcome::Failed,
                    code,
                    signal,
                    error: Some("step x: exit code 3".to_owned()),
                },
            ]
        );
        let written: Vec<_> =
            news.entries.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
        assert_eq!(written, sample.lines().skip(1).collect::<Vec<_>>());
    }

    #[test]
    fn a_journal_of_another_version_is_not_guessed_at() {
        let dir = tempfile::tempdir().unwrap();
        let head = r#"{"version":2,"job":"0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1","attempt":1}"#;
        fs::write(path(dir.path(), 1), format!("{head}\n")).unwrap();
        assert!(matches!(read_from(dir.path(), 1, 0), Err(JournalError::Version(2))));
    }
}
