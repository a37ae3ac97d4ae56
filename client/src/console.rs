//! What is printed: results on standard output, everything else on standard error. Colours and a line of
//! progress only where a person looks at them.

use crate::failure::Failure;
use rustix::termios;
use shared::JobState;
use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use unicode_width::UnicodeWidthStr;

pub struct Console {
    /// Standard output is a terminal.
    pub is_terminal: bool,
    /// Standard output may have colours.
    pub colours: bool,
    /// Standard error is a terminal: progress is shown.
    pub shows_progress: bool,
    /// The line of progress that stands there now; empty when none does.
    progress: Mutex<String>,
    /// Streams that are lost now.
    lost: AtomicUsize,
}

/// A colour of a word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    Red,
    Green,
    Yellow,
    Blue,
    Dim,
}

impl Colour {
    pub fn of(state: JobState) -> Option<Self> {
        match state {
            JobState::Completed => Some(Self::Green),
            JobState::Failed => Some(Self::Red),
            JobState::Active => Some(Self::Blue),
            JobState::Retrying | JobState::Cancelled => Some(Self::Yellow),
            JobState::Queued | JobState::Scheduled | JobState::Unknown => None,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Blue => "34",
            Self::Dim => "2",
        }
    }
}

impl Console {
    pub fn new() -> Self {
        let is_terminal = io::stdout().is_terminal();
        // https://no-color.org: set, to anything but nothing.
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            is_terminal,
            colours: is_terminal && !plain,
            shows_progress: io::stderr().is_terminal(),
            progress: Mutex::default(),
            lost: AtomicUsize::new(0),
        }
    }

    /// Characters and lines of the terminal, if standard output is one.
    pub fn size(&self) -> Option<(usize, usize)> {
        let size = termios::tcgetwinsize(io::stdout()).ok().filter(|_| self.is_terminal)?;
        let size = (usize::from(size.ws_col), usize::from(size.ws_row));
        Some(size).filter(|(columns, rows)| *columns > 0 && *rows > 0)
    }

    /// Characters of a line: of the terminal, else as `COLUMNS` has it; none: as many as there are.
    pub fn columns(&self) -> Option<usize> {
        let said = || std::env::var("COLUMNS").ok()?.trim().parse().ok();
        self.size().map(|(columns, _)| columns).or_else(said).filter(|columns| *columns > 0)
    }

    pub fn paint(&self, text: &str, colour: Option<Colour>) -> String {
        match colour {
            Some(colour) if self.colours => format!("\x1b[{}m{text}\x1b[0m", colour.code()),
            _ => text.to_owned(),
        }
    }

    /// # Errors
    /// When nobody reads any more.
    pub fn print(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.clear_progress();
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        Ok(out.flush()?)
    }

    /// # Errors
    /// When nobody reads any more.
    pub fn say(&self, line: &str) -> Result<(), Failure> {
        self.print(format!("{line}\n").as_bytes())
    }

    /// A document for scripts, on one line or on many.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn json(&self, value: &impl serde::Serialize, pretty: bool) -> Result<(), Failure> {
        let text =
            if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
        self.say(&text.map_err(io::Error::from)?)
    }

    /// What is no result: on standard error, on a line of its own.
    pub fn note(&self, line: &str) {
        self.clear_progress();
        // There is nobody else to be told.
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// A stream broke off, and is asked for again. A command that reads two tells of one break.
    pub fn lost(&self, why: &str) {
        if self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
            self.note(&format!("connection lost ({why}); trying again"));
        }
    }

    /// One that was [lost](Self::lost) is there again.
    pub fn found(&self) {
        if self.lost.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.note("connected again");
        }
    }

    /// What goes on, on one line that is written over; on a terminal only.
    pub fn progress(&self, line: &str) {
        if !self.shows_progress {
            return;
        }
        let columns = termios::tcgetwinsize(io::stderr()).map_or(80, |size| size.ws_col.max(20));
        let line = crate::table::cut(line, usize::from(columns) - 1);
        let mut shown = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown != line {
            let _ = write!(io::stderr(), "\r{line}\x1b[K");
            *shown = line;
        }
    }

    pub fn clear_progress(&self) {
        let mut shown = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.width() > 0 {
            let _ = write!(io::stderr(), "\r\x1b[K");
            shown.clear();
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.clear_progress();
    }
}
