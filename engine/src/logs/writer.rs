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
use shared::Timestamp;
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
    /// Ends of the lines of a chunk, relative to its beginning, and whether they are cut; kept to
    /// spare an allocation.
    ends: Vec<(usize, bool)>,
    records: Vec<u8>,
}

/// Lines that are being left out.
struct Gap {
    origin: Origin,
    lines: u64,
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
            ends: Vec::new(),
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
        self.ends.clear();
        let mut start = 0;
        let mut split = |ends: &mut Vec<(usize, bool)>, end: usize, is_complete: bool| {
            while end - start > MAX_LINE {
                start += MAX_LINE;
                ends.push((start, true));
            }
            if is_complete {
                start = end;
                ends.push((end, false));
            }
        };
        for newline in memchr::memchr_iter(b'\n', chunk) {
            split(&mut self.ends, before + newline + 1, true);
        }
        split(&mut self.ends, before + chunk.len(), false);
        // An unfinished line is at most MAX_LINE long, so what is complete reaches into the chunk.
        match self.ends.last() {
            None => line.text.extend_from_slice(chunk),
            Some(&(complete, _)) => {
                self.keep(line.origin, &line.text, chunk, at);
                line.text.clear();
                line.text.extend_from_slice(&chunk[complete - before..]);
            }
        }
    }

    /// Ends the unfinished line as it is: nothing more comes from its stream, or its step ended.
    pub fn finish(&mut self, line: &mut Unfinished, at: Timestamp) {
        if !line.text.is_empty() {
            self.ends.clear();
            self.ends.push((line.text.len(), false));
            self.keep(line.origin, &line.text, &[], at);
            line.text.clear();
        }
        if self.gap.as_ref().is_some_and(|gap| gap.origin == line.origin) {
            self.close_gap();
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

    /// Writes the lines of `ends` out of `head` and `chunk`, or leaves some of them out.
    fn keep(&mut self, origin: Origin, head: &[u8], chunk: &[u8], at: Timestamp) {
        let room = match self.full {
            true => 0,
            false => self.max_bytes.saturating_sub(self.whole.offset),
        };
        let mut kept = self.ends.partition_point(|&(end, _)| end as u64 <= room);
        if kept > 0 && !self.close_gap() {
            kept = 0;
        }
        let left_out = match self.write(kept, origin, head, chunk, at) {
            Ok(()) => self.ends.len() - kept,
            Err(_) => {
                self.full = true;
                self.ends.len()
            }
        };
        if left_out > 0 && !self.full {
            // The limit: from here on nothing is kept, not even what would be short enough.
            self.max_bytes = self.whole.offset;
        }
        if left_out > 0 {
            let is_new = self.gap.is_none();
            let gap = self.gap.get_or_insert(Gap { origin, lines: 0, written: None });
            gap.lines += left_out as u64;
            if is_new {
                self.write_gap();
            }
        }
    }

    /// Writes the first `count` lines; on an error the files are as they were.
    fn write(
        &mut self,
        count: usize,
        origin: Origin,
        head: &[u8],
        chunk: &[u8],
        at: Timestamp,
    ) -> io::Result<()> {
        let Some(&(length, _)) = self.ends[..count].last() else { return Ok(()) };
        self.records.clear();
        for &(end, cut) in &self.ends[..count] {
            let end = self.whole.offset + end as u64;
            let kind = Kind::Line { at: Some(at), cut };
            self.records.extend_from_slice(&Record { end, origin, kind }.encode());
        }
        let data = [head, &chunk[..length - head.len()]];
        let position = (self.whole.lines + 1) * RECORD;
        let written = write_both(&self.log, data, self.whole.offset)
            .and_then(|()| self.index.write_all_at(&self.records, position));
        if let Err(error) = written {
            // Cutting off needs no room. Records first: they must never point past the data.
            self.index.set_len(position)?;
            self.log.set_len(self.whole.offset)?;
            return Err(error);
        }
        self.whole.offset += length as u64;
        self.whole.lines += count as u64;
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
        let kind = Kind::LeftOut(gap.lines);
        let record = Record { end: self.whole.offset, origin: gap.origin, kind }.encode();
        if self.index.write_all_at(&record, n * RECORD).is_err() {
            return false;
        }
        self.whole.lines = self.whole.lines.max(n);
        gap.written = Some((n, gap.lines));
        true
    }

    /// The gap ends here: what comes next is kept, or belongs to another step.
    fn close_gap(&mut self) -> bool {
        let is_written = self.write_gap();
        if is_written {
            self.gap = None;
        }
        is_written
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
