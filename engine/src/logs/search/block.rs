//! The lines of a log in blocks of some hundred KiB, from either end of a range.
//!
//! As long as every line ends with `\n`, a block needs one record of the index: if the block has as
//! many line ends as the index has lines for these bytes, each of them is one line, since none has
//! more than one. Only else (a step ended without a line end, a line was cut, lines were left out) the
//! records of the block are read.

use super::super::{
    LogError, MAX_LINE,
    index::{Entry, Kind},
    reader::Log,
};
use std::os::unix::fs::FileExt;

/// Bytes of a block at first: a line always fits.
const BYTES: usize = MAX_LINE;
/// And at most: small enough to stay in the processor's own memory while it is looked through.
const MOST: usize = 256 << 10;
/// Records that are read at a time where they are needed.
const RECORDS: u64 = 4096;

/// Whole lines.
pub struct Block<'a> {
    /// Number of the first.
    pub first: u64,
    pub text: Text<'a>,
}

pub enum Text<'a> {
    /// Each line ends with `\n`.
    Lines(&'a [u8]),
    /// Each as the index has it, in their order.
    Pieces(Vec<Piece<'a>>),
}

pub struct Piece<'a> {
    pub n: u64,
    /// Without its end. None: lines were left out here.
    pub text: Option<&'a [u8]>,
}

/// Lines that are still to be looked at: `first` to `last`, which are the bytes `start` to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub first: u64,
    pub last: u64,
    pub start: u64,
    pub end: u64,
}

impl Range {
    pub fn is_empty(&self) -> bool {
        self.first > self.last
    }
}

/// Takes blocks off a range.
pub struct Blocks<'a> {
    log: &'a Log,
    /// As long as a block may be.
    bytes: Vec<u8>,
    pub rest: Range,
}

impl<'a> Blocks<'a> {
    pub fn of(log: &'a Log, range: Range) -> Self {
        Self { log, bytes: vec![0; BYTES], rest: range }
    }

    /// Makes the blocks to come larger.
    pub fn grow(&mut self) {
        self.bytes.resize((2 * self.bytes.len()).min(MOST), 0);
    }

    /// The next block from the range's beginning, which must not be empty.
    pub fn take_first(&mut self) -> Result<Block<'_>, LogError> {
        let Range { first, last, start, end } = self.rest;
        let read = self.read(start, start + (end - start).min(self.bytes.len() as u64))?;
        let whole = memchr::memrchr(b'\n', &self.bytes[..read]).map_or(0, |at| at + 1);
        let count = line_ends(&self.bytes[..whole]);
        let line = (first + count).saturating_sub(1);
        if count > 0 && line <= last && self.log.index.end(line)? == start + whole as u64 {
            self.rest = Range { first: line + 1, start: start + whole as u64, ..self.rest };
            return Ok(Block { first, text: Text::Lines(&self.bytes[..whole]) });
        }
        let mut entries = self.log.index.read(first, RECORDS.min(last - first + 1))?;
        let fitting = entries.partition_point(|e| e.record.end - start <= self.bytes.len() as u64);
        entries.truncate(fitting);
        let (line, after) = entries.last().map_or((last, end), |e| (e.n, e.record.end));
        self.read(start, after)?;
        self.rest = Range { first: line + 1, start: after, ..self.rest };
        Ok(self.pieces(first, start, &entries))
    }

    /// The next block from the range's end, which must not be empty.
    pub fn take_last(&mut self) -> Result<Block<'_>, LogError> {
        let Range { first, last, start, end } = self.rest;
        let from = end - (end - start).min(self.bytes.len() as u64);
        let read = self.read(from, end)?;
        let skipped = match from == start {
            true => 0,
            false => memchr::memchr(b'\n', &self.bytes[..read]).map_or(read, |at| at + 1),
        };
        let count = line_ends(&self.bytes[skipped..read]);
        let begin = from + skipped as u64;
        if count > 0 && count <= last - first + 1 && self.log.index.end(last - count)? == begin {
            let line = last - count;
            self.rest = Range { last: line, end: begin, ..self.rest };
            let text = Text::Lines(&self.bytes[skipped..read]);
            return Ok(Block { first: line + 1, text });
        }
        let lowest = first.max(last.saturating_sub(RECORDS - 1));
        let mut entries = self.log.index.read(lowest, last - lowest + 1)?;
        let not_fitting = entries.partition_point(|e| end - e.start > self.bytes.len() as u64);
        entries.drain(..not_fitting);
        let (line, begin) = entries.first().map_or((first, start), |e| (e.n, e.start));
        self.read(begin, end)?;
        self.rest = Range { last: line - 1, end: begin, ..self.rest };
        Ok(self.pieces(line, begin, &entries))
    }

    /// Reads the bytes `from` to `to`, at most a block. How many.
    fn read(&mut self, from: u64, to: u64) -> Result<usize, LogError> {
        let count = (to - from) as usize;
        self.log.data.read_exact_at(&mut self.bytes[..count], from)?;
        Ok(count)
    }

    /// The lines of these entries, whose bytes were read and begin at `start`.
    fn pieces(&self, first: u64, start: u64, entries: &[Entry]) -> Block<'_> {
        let pieces = entries.iter().map(|entry| {
            let bytes = &self.bytes[(entry.start - start) as usize..];
            let bytes = &bytes[..(entry.record.end - entry.start) as usize];
            let text = match entry.record.kind {
                Kind::Line { .. } => Some(bytes.strip_suffix(b"\n").unwrap_or(bytes)),
                Kind::LeftOut { .. } => None,
            };
            Piece { n: entry.n, text }
        });
        Block { first, text: Text::Pieces(pieces.collect()) }
    }
}

/// How many there are.
pub fn line_ends(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
