//! Writing a log: splits what comes out of the pipes into lines, writes data, then records.
//!
//! A chunk that was read costs one write of data and one of records, however many lines it has, and
//! no allocation. Each stream's unfinished line waits in its [`Unfinished`].
//!
//! Past the limit, while the disk is full, or when a write fails, whole lines are left out and
//! counted. The first of them gets a record, which is written over with the new count until lines
//! are kept again.

use super::{
    INDEX, LOG, LogError, MAX_LINE,
    index::{HEADER, Kind, Origin, RECORD, Record},
};
use crate::observation::LogMark;
use shared::{Timestamp, log::LeftOutBy};
use std::{
    fs::{File, OpenOptions},
    io::{self, IoSlice},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

/// The line that a stream has begun and not ended: no `\n` in it, at most [`MAX_LINE`] bytes.
#[derive(Debug)]
pub struct Unfinished {
    pub origin: Origin,
    text: Vec<u8>,
}

impl Unfinished {
    pub fn new(origin: Origin) -> Self {
        Self { origin, text: Vec::new() }
    }

    pub fn text(&self) -> &[u8] {
        &self.text
    }
}

/// The two files, open to be appended to by their only writer.
pub struct Writer {
    log: File,
    index: File,
    /// What the files have, whole.
    whole: LogMark,
    /// The log grows to this many bytes.
    max_bytes: u64,
    /// The disk is full, or a write failed.
    full: bool,
    gap: Option<Gap>,
    /// Of the lines of one chunk; kept to spare an allocation.
    records: Vec<[u8; RECORD as usize]>,
}

/// Lines that are being left out.
struct Gap {
    origin: Origin,
    lines: u64,
    /// Why the first of them was.
    by: LeftOutBy,
    /// Number of its record and the count that was written there.
    written: Option<(u64, u64)>,
}

impl Writer {
    /// Opens the log of a job, makes it if there is none. An error if it is not whole.
    pub fn open(dir: &Path) -> Result<Self, LogError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let log = options.open(dir.join(LOG))?;
        let index = options.open(dir.join(INDEX))?;
        let (data, length) = (log.metadata()?.len(), index.metadata()?.len());
        let mut lines = 0;
        let mut indexed = 0;
        if length == 0 {
            index.write_all_at(&HEADER, 0)?;
        } else {
            let mut record = [0; RECORD as usize];
            index.read_exact_at(&mut record, 0)?;
            if record != HEADER {
                return Err(LogError::Version);
            }
            lines = length / RECORD - 1;
            if lines > 0 {
                index.read_exact_at(&mut record, lines * RECORD)?;
                indexed = Record::decode(record).end;
            }
        }
        if indexed != data || !length.is_multiple_of(RECORD) {
            return Err(LogError::NotWhole { indexed, data });
        }
        Ok(Self {
            log,
            index,
            whole: LogMark { offset: data, lines },
            max_bytes: u64::MAX,
            full: false,
            gap: None,
            records: Vec::new(),
        })
    }

    /// How many bytes the log may have; what would go beyond is left out.
    pub fn set_limit(&mut self, max_bytes: u64) {
        self.max_bytes = max_bytes;
    }

    /// How much of the log is in the files now.
    pub fn mark(&self) -> LogMark {
        self.whole
    }

    /// Takes what was read from a stream at `at`.
    pub fn append(&mut self, line: &mut Unfinished, chunk: &[u8], at: Timestamp) {
        let before = line.text.len();
        self.records.clear();
        let mut start = 0;
        for newline in memchr::memchr_iter(b'\n', chunk) {
            let end = before + newline + 1;
            self.cut(line.origin, start, end, at);
            self.record(line.origin, end, at, false);
            start = end;
        }
        let complete = self.cut(line.origin, start, before + chunk.len(), at);
        if self.records.is_empty() {
            line.text.extend_from_slice(chunk);
        } else {
            // An unfinished line is at most MAX_LINE long, so what is complete reaches into the chunk.
            self.keep(line.origin, [&line.text, &chunk[..complete - before]]);
            line.text.clear();
            line.text.extend_from_slice(&chunk[complete - before..]);
        }
    }

    /// Ends the unfinished line as it is: nothing more comes from its stream, or its step ended.
    pub fn finish(&mut self, line: &mut Unfinished, at: Timestamp) {
        if !line.text.is_empty() {
            self.records.clear();
            self.record(line.origin, line.text.len(), at, false);
            self.keep(line.origin, [&line.text, &[]]);
            line.text.clear();
        }
        // What is left out later belongs to another step.
        if self.gap.as_ref().is_some_and(|gap| gap.origin == line.origin) && self.write_gap() {
            self.gap = None;
        }
    }

    /// Says whether the disk has room; to be called now and then. Tries again what failed before.
    pub fn set_room(&mut self, has_room: bool) {
        self.full = !has_room;
        self.write_gap();
    }

    /// To be called before anybody is told that the log is complete.
    pub fn sync(&self) -> io::Result<()> {
        self.log.sync_data()?;
        self.index.sync_data()
    }

    /// The record of a line that ends `end` bytes after what the log has.
    fn record(&mut self, origin: Origin, end: usize, at: Timestamp, cut: bool) {
        let end = self.whole.offset + end as u64;
        let kind = Kind::Line { at: Some(at), cut };
        self.records.push(Record { end, origin, kind }.encode());
    }

    /// Cuts what begins at `start` and goes on to `end` until the rest is short enough. Where that
    /// begins.
    fn cut(&mut self, origin: Origin, mut start: usize, end: usize, at: Timestamp) -> usize {
        while end - start > MAX_LINE {
            start += MAX_LINE;
            self.record(origin, start, at, true);
        }
        start
    }

    /// Writes the lines of `records`, whose bytes are `pieces`, or leaves some of them out.
    fn keep(&mut self, origin: Origin, pieces: [&[u8]; 2]) {
        let limit = if self.full { 0 } else { self.max_bytes };
        let mut kept = self.records.partition_point(|&record| Record::decode(record).end <= limit);
        if kept > 0 && !self.write_gap() {
            kept = 0;
        }
        let left_out = match self.write(kept, pieces) {
            Ok(()) if kept > 0 => {
                self.gap = None;
                self.records.len() - kept
            }
            Ok(()) => self.records.len(),
            Err(_) => {
                self.full = true;
                self.records.len()
            }
        };
        if left_out > 0 && !self.full {
            // The limit: from here on nothing is kept, not even what would be short enough.
            self.max_bytes = self.whole.offset;
        }
        if left_out > 0 {
            let is_new = self.gap.is_none();
            let by = if self.full { LeftOutBy::Disk } else { LeftOutBy::Limit };
            let gap = self.gap.get_or_insert(Gap { origin, lines: 0, by, written: None });
            gap.lines += left_out as u64;
            if is_new {
                self.write_gap();
            }
        }
    }

    /// Writes the first `count` lines; on an error the files are as they were.
    fn write(&mut self, count: usize, [head, tail]: [&[u8]; 2]) -> io::Result<()> {
        let Some(&last) = self.records[..count].last() else { return Ok(()) };
        let end = Record::decode(last).end;
        let length = (end - self.whole.offset) as usize;
        let head = &head[..length.min(head.len())];
        let tail = &tail[..length - head.len()];
        let position = (self.whole.lines + 1) * RECORD;
        let records = self.records[..count].as_flattened();
        let written = write_both(&self.log, [head, tail], self.whole.offset)
            .and_then(|()| self.index.write_all_at(records, position));
        if let Err(error) = written {
            // Cutting off needs no room. Records first: they must never point past the data.
            self.index.set_len(position)?;
            self.log.set_len(self.whole.offset)?;
            return Err(error);
        }
        self.whole = LogMark { offset: end, lines: self.whole.lines + count as u64 };
        Ok(())
    }

    /// Brings the record of the gap up to date. False: it could not be written.
    fn write_gap(&mut self) -> bool {
        let Some(gap) = &mut self.gap else { return true };
        let n = match gap.written {
            Some((_, count)) if count == gap.lines => return true,
            Some((n, _)) => n,
            None => self.whole.lines + 1,
        };
        let kind = Kind::LeftOut { lines: gap.lines, by: Some(gap.by) };
        let record = Record { end: self.whole.offset, origin: gap.origin, kind }.encode();
        if self.index.write_all_at(&record, n * RECORD).is_err() {
            return false;
        }
        self.whole.lines = self.whole.lines.max(n);
        gap.written = Some((n, gap.lines));
        true
    }
}

/// All of both pieces, one after the other, at `offset`.
fn write_both(file: &File, mut pieces: [&[u8]; 2], mut offset: u64) -> io::Result<()> {
    loop {
        match pieces {
            [[], rest] | [rest, []] => return file.write_all_at(rest, offset),
            _ => {}
        }
        let slices = pieces.map(IoSlice::new);
        let n = rustix::io::retry_on_intr(|| rustix::io::pwritev(file, &slices, offset))?;
        offset += n as u64;
        let first = n.min(pieces[0].len());
        pieces = [&pieces[0][first..], &pieces[1][n - first..]];
    }
}
