//! Reading a log: windows for the screen, raw lines for streams, the file for a download.
//!
//! A read by line number is one read of the index and one or a few of the data, at any size. All of
//! it blocks; none of it waits for the writer.

use super::{
    LOG, LogError, MAX_LINE,
    ansi::{self, Style},
    index::{Entry, Index, Kind, Origin},
    live::{self, MAX_SHOWN},
};
use shared::{
    Timestamp,
    log::{LeftOutBy, Line, OpenLine, Stream},
};
use std::{
    fs::File,
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// Lines before a window that are looked at for the style it begins with.
const LOOK_BACK: u64 = 256;
/// Text in a window; it ends early there.
const MAX_WINDOW: usize = 512 << 10;

/// The log of one job, open to be read.
pub struct Log {
    dir: PathBuf,
    pub(super) data: File,
    pub(super) index: Index,
}

/// How much of a log there is: whole lines, and their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Size {
    pub lines: u64,
    pub bytes: u64,
}

/// A window of a log.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Window {
    pub lines: Vec<Line>,
    /// What is unfinished now; only in a window that reaches the end.
    pub open: Vec<OpenLine>,
    /// Lines in the log now.
    pub total: u64,
    /// Where the next window begins; none at the end.
    pub next: Option<u64>,
}

/// A line as it was printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLine {
    /// 1-based.
    pub n: u64,
    /// When it was complete; none for a line found again after a crash or left out.
    pub at: Option<Timestamp>,
    /// Without its end. For lines that were left out, a note that says how many.
    pub text: Vec<u8>,
}

impl Log {
    /// None: the job has no log yet.
    pub fn open(dir: &Path) -> Result<Option<Self>, LogError> {
        let Some(index) = Index::open(dir)? else { return Ok(None) };
        match File::open(dir.join(LOG)) {
            Ok(data) => Ok(Some(Self { dir: dir.to_owned(), data, index })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub fn size(&self) -> Result<Size, LogError> {
        let lines = self.index.lines()?;
        Ok(Size { lines, bytes: self.index.end(lines)? })
    }

    /// When it last changed.
    pub fn modified(&self) -> Result<Option<Timestamp>, LogError> {
        let modified = self.data.metadata()?.modified()?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).ok();
        Ok(since.and_then(|since| i64::try_from(since.as_millis()).ok()).map(Timestamp))
    }

    /// The data, for a download: its first [`Size::bytes`] bytes are the log so far.
    pub fn into_data(self) -> File {
        self.data
    }

    /// The lines from number `from` on, at most `count` of them and 512 KiB of text, each at most
    /// 4 KiB. Negative: so many from the end. Below the first line: from the first.
    pub fn window(&self, from: i64, count: u32) -> Result<Window, LogError> {
        // Before the index: what is complete meanwhile is then in both, and dropped here.
        let live = live::read(&self.dir)?;
        let total = self.index.lines()?;
        let first = match u64::try_from(from) {
            Ok(n) => n.max(1),
            Err(_) => (total + 1).saturating_sub(from.unsigned_abs()).max(1),
        };
        let back = first.min(total + 1).saturating_sub(LOOK_BACK).max(1);
        let end = first.saturating_add(count.into()).min(total + 1).max(back);
        let entries = self.index.read(back, end - back)?;

        let mut styles = Styles::default();
        let mut bytes = Bytes::new(&self.data);
        let mut lines = Vec::new();
        let mut size = 0;
        for entry in &entries {
            let style = styles.of(entry.record.origin);
            if entry.n >= first {
                if size >= MAX_WINDOW {
                    break;
                }
                let line = bytes.line(entry, style, MAX_SHOWN)?;
                size += line.runs.iter().map(|run| run.text.len()).sum::<usize>();
                lines.push(line);
            } else if is_short(entry) {
                ansi::pass(bytes.of(entry)?, style);
            } else {
                *style = Style::default();
            }
        }
        let after = first.saturating_add(lines.len() as u64);
        let next = (after <= total).then_some(after);
        let mut open = Vec::new();
        if let (None, Some(mut live)) = (next, live) {
            live.drop_completed(&self.index)?;
            open.extend(live.open.into_iter().map(|line| {
                let Origin { stream, step, .. } = line.origin();
                let mut style = *styles.of(line.origin());
                let runs = ansi::show(line.text.as_bytes(), &mut style, 3 * MAX_SHOWN).runs;
                OpenLine { stream, step, runs }
            }));
        }
        Ok(Window { lines, open, total, next })
    }

    /// Line number `n`, all of it. None: there is no such line.
    pub fn line(&self, n: u64) -> Result<Option<Line>, LogError> {
        let back = n.saturating_sub(LOOK_BACK).max(1);
        let entries = self.index.read(back, (n + 1).saturating_sub(back))?;
        let mut styles = Styles::default();
        let mut bytes = Bytes::new(&self.data);
        for entry in &entries {
            let style = styles.of(entry.record.origin);
            if entry.n == n {
                return Ok(Some(bytes.line(entry, style, MAX_LINE)?));
            }
            match is_short(entry) {
                true => ansi::pass(bytes.of(entry)?, style),
                false => *style = Style::default(),
            }
        }
        Ok(None)
    }

    /// Lines that were left out at the end, and why the last of them were. Looks at the last 256 records, more than
    /// there are steps to leave some out of each.
    pub fn left_out_at_end(&self) -> Result<(u64, Option<LeftOutBy>), LogError> {
        const LAST: u64 = 256;
        let lines = self.size()?.lines;
        let entries = self.index.read(lines.saturating_sub(LAST) + 1, LAST)?;
        let mut left_out = entries.iter().rev().map_while(|entry| match entry.record.kind {
            Kind::LeftOut { lines, by } => Some((lines, by)),
            Kind::Line { .. } => None,
        });
        let (lines, by) = left_out.next().unwrap_or_default();
        Ok((left_out.map(|(lines, _)| lines).fold(lines, u64::saturating_add), by))
    }

    /// The lines after number `after`: at most `max_bytes` of memory, but at least one line.
    pub fn lines_after(&self, after: u64, max_bytes: usize) -> Result<Vec<RawLine>, LogError> {
        const AT_A_TIME: u64 = 1024;
        let mut bytes = Bytes::new(&self.data);
        let mut lines = Vec::new();
        let mut size = 0;
        loop {
            let entries = self.index.read(after + 1 + lines.len() as u64, AT_A_TIME)?;
            let is_last = (entries.len() as u64) < AT_A_TIME;
            for entry in &entries {
                let text = bytes.of(entry)?;
                size += text.len() + size_of::<RawLine>();
                if size > max_bytes && !lines.is_empty() {
                    return Ok(lines);
                }
                lines.push(match entry.record.kind {
                    Kind::Line { at, .. } => {
                        let text = text.strip_suffix(b"\n").unwrap_or(text).to_vec();
                        RawLine { n: entry.n, at, text }
                    }
                    Kind::LeftOut { lines, .. } => {
                        let text = format!("[tailboard] {lines} lines left out");
                        RawLine { n: entry.n, at: None, text: text.into_bytes() }
                    }
                });
            }
            if is_last {
                return Ok(lines);
            }
        }
    }
}

/// Whether a window may show all of it, its end apart.
fn is_short(entry: &Entry) -> bool {
    entry.record.end - entry.start <= MAX_SHOWN as u64 + 1
}

/// Each stream has a style of its own, which begins anew with each step.
#[derive(Default)]
struct Styles([Option<(Origin, Style)>; 2]);

impl Styles {
    fn of(&mut self, origin: Origin) -> &mut Style {
        let slot = &mut self.0[usize::from(origin.stream == Stream::Stderr)];
        if slot.is_none_or(|(of, _)| of != origin) {
            *slot = None;
        }
        &mut slot.get_or_insert((origin, Style::default())).1
    }
}

/// The bytes of lines that are read one after the other: a few large reads instead of one each.
pub(super) struct Bytes<'a> {
    data: &'a File,
    start: u64,
    read: Vec<u8>,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(data: &'a File) -> Self {
        Self { data, start: 0, read: Vec::new() }
    }

    pub(super) fn of(&mut self, entry: &Entry) -> io::Result<&[u8]> {
        let length = (entry.record.end - entry.start) as usize;
        let have = self.start + self.read.len() as u64;
        if entry.start < self.start || entry.record.end > have {
            self.start = entry.start;
            self.read.resize(2 * MAX_LINE, 0);
            let mut filled = 0;
            // What the index names is in the data, so this ends.
            while filled < length {
                match self.data.read_at(&mut self.read[filled..], entry.start + filled as u64) {
                    Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                    Ok(n) => filled += n,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            self.read.truncate(filled);
        }
        let at = (entry.start - self.start) as usize;
        Ok(&self.read[at..at + length])
    }

    fn line(&mut self, entry: &Entry, style: &mut Style, limit: usize) -> io::Result<Line> {
        let Origin { stream, step, attempt } = entry.record.origin;
        let ansi::Shown { runs, more } = ansi::show(self.of(entry)?, style, limit);
        let (at, cut, left_out, left_out_by) = match entry.record.kind {
            Kind::Line { at, cut } => (at, cut, None, None),
            Kind::LeftOut { lines, by } => (None, false, Some(lines), by),
        };
        Ok(Line { n: entry.n, at, stream, step, attempt, runs, cut, more, left_out, left_out_by })
    }
}
