//! The index: a header of 16 bytes, then a record of 16 bytes for each line.
//!
//! Record `n` (1-based) is at byte `16 * n` and says where line `n` *ends*, so a line begins where the
//! one before it ends, and the last record says how much of the data is accounted for.
//!
//! | bytes | little-endian |
//! | --- | --- |
//! | 0-5 | end of the line in the data |
//! | 6-7 | step that wrote it, 0-based |
//! | 8-13 | when it was complete, ms since 1970; or how many lines were left out |
//! | 14-15 | bit 0 stderr, 1 cut, 2 without time, 3 lines left out, 4 by the limit, 5 for want of room; 6-15 attempt |

use super::{INDEX, LogError};
use shared::{
    Timestamp,
    log::{LeftOutBy, Stream},
};
use std::{
    fs::File,
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::Path,
};

/// Bytes of a record and of the header.
pub const RECORD: u64 = 16;
/// Magic and version.
pub const HEADER: [u8; RECORD as usize] = *b"tailboard idx\0\x01\0";

const STDERR: u16 = 1;
const CUT: u16 = 1 << 1;
const UNTIMED: u16 = 1 << 2;
const LEFT_OUT: u16 = 1 << 3;
const BY_LIMIT: u16 = 1 << 4;
const BY_DISK: u16 = 1 << 5;
const ATTEMPT_SHIFT: u16 = 6;
const MAX_ATTEMPT: u32 = (1 << 10) - 1;
const MAX_48: u64 = (1 << 48) - 1;

/// Who wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    pub stream: Stream,
    /// 0-based ordinal; 65,535 stands for that and all above.
    pub step: u32,
    /// 1-based; 1,023 stands for that and all above.
    pub attempt: u32,
}

/// What a record says besides where and whose its line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `at`: when it was complete; none where that was lost in a crash. `cut`: the line goes on in
    /// the next record of its stream.
    Line { at: Option<Timestamp>, cut: bool },
    /// So many lines are missing here; it has no bytes itself. Why is not known of what was written before that
    /// was told apart.
    LeftOut { lines: u64, by: Option<LeftOutBy> },
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    pub end: u64,
    pub origin: Origin,
    pub kind: Kind,
}

impl Record {
    pub fn encode(self) -> [u8; RECORD as usize] {
        let Origin { stream, step, attempt } = self.origin;
        let mut flags = (attempt.min(MAX_ATTEMPT) as u16) << ATTEMPT_SHIFT;
        if stream == Stream::Stderr {
            flags |= STDERR;
        }
        let middle = match self.kind {
            Kind::Line { at, cut } => {
                flags |= if cut { CUT } else { 0 };
                flags |= if at.is_none() { UNTIMED } else { 0 };
                at.map_or(0, |at| u64::try_from(at.0).unwrap_or(0))
            }
            Kind::LeftOut { lines, by } => {
                flags |= LEFT_OUT;
                flags |= match by {
                    Some(LeftOutBy::Limit) => BY_LIMIT,
                    Some(LeftOutBy::Disk) => BY_DISK,
                    None => 0,
                };
                lines
            }
        };
        let step = u16::try_from(step).unwrap_or(u16::MAX);
        let low = self.end.min(MAX_48) | u64::from(step) << 48;
        let high = middle.min(MAX_48) | u64::from(flags) << 48;
        let mut bytes = [0; RECORD as usize];
        bytes[..8].copy_from_slice(&low.to_le_bytes());
        bytes[8..].copy_from_slice(&high.to_le_bytes());
        bytes
    }

    pub fn decode(bytes: [u8; RECORD as usize]) -> Self {
        let both = u128::from_le_bytes(bytes);
        let (low, high) = (both as u64, (both >> 64) as u64);
        let flags = (high >> 48) as u16;
        let middle = high & MAX_48;
        let stream = if flags & STDERR == 0 { Stream::Stdout } else { Stream::Stderr };
        let kind = if flags & LEFT_OUT != 0 {
            let by = match (flags & BY_LIMIT, flags & BY_DISK) {
                (0, 0) => None,
                (_, 0) => Some(LeftOutBy::Limit),
                _ => Some(LeftOutBy::Disk),
            };
            Kind::LeftOut { lines: middle, by }
        } else {
            let at = (flags & UNTIMED == 0).then_some(Timestamp(middle as i64));
            Kind::Line { at, cut: flags & CUT != 0 }
        };
        let step = u32::from((low >> 48) as u16);
        let attempt = u32::from(flags >> ATTEMPT_SHIFT);
        Self { end: low & MAX_48, origin: Origin { stream, step, attempt }, kind }
    }
}

/// A line as the index has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 1-based.
    pub n: u64,
    /// Its first byte in the data.
    pub start: u64,
    pub record: Record,
}

/// An index, open to be read.
pub struct Index(File);

impl Index {
    /// None: there is none, or its header is not written yet.
    pub fn open(dir: &Path) -> Result<Option<Self>, LogError> {
        let file = match File::open(dir.join(INDEX)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut header = [0; RECORD as usize];
        match file.read_exact_at(&mut header, 0) {
            Ok(()) if header == HEADER => Ok(Some(Self(file))),
            Ok(()) => Err(LogError::Version),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Lines there are now.
    pub fn lines(&self) -> io::Result<u64> {
        Ok((self.0.metadata()?.len() / RECORD).saturating_sub(1))
    }

    /// Where line `n` ends; 0 for `n` = 0.
    pub fn end(&self, n: u64) -> io::Result<u64> {
        Ok(self.read(n, 1)?.last().map_or(0, |entry| entry.record.end))
    }

    /// The lines `first` to `first + count - 1`, as many of them as there are.
    pub fn read(&self, first: u64, count: u64) -> io::Result<Vec<Entry>> {
        let last = self.lines()?.min(first.saturating_add(count).saturating_sub(1));
        if first == 0 || last < first {
            return Ok(Vec::new());
        }
        // With the record before, which says where the first line begins.
        let mut bytes = vec![0; ((last - first + 2) * RECORD) as usize];
        self.0.read_exact_at(&mut bytes, (first - 1) * RECORD)?;
        let (records, _) = bytes.as_chunks::<{ RECORD as usize }>();
        let mut start = if first == 1 { 0 } else { Record::decode(records[0]).end };
        let entries = (first..).zip(&records[1..]).map(|(n, &bytes)| {
            let record = Record::decode(bytes);
            Entry { n, start: std::mem::replace(&mut start, record.end), record }
        });
        Ok(entries.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_record_reads_back_as_written(
            end in 0..=MAX_48, step in 0..=65_535_u32, attempt in 0..=MAX_ATTEMPT, ms in 0..=MAX_48,
            stderr: bool, cut: bool, kind in 0..5,
        ) {
            let stream = if stderr { Stream::Stderr } else { Stream::Stdout };
            let kind = match kind {
                0 => Kind::Line { at: Some(Timestamp(ms as i64)), cut },
                1 => Kind::Line { at: None, cut },
                2 => Kind::LeftOut { lines: ms, by: None },
                3 => Kind::LeftOut { lines: ms, by: Some(LeftOutBy::Limit) },
                _ => Kind::LeftOut { lines: ms, by: Some(LeftOutBy::Disk) },
            };
            let record = Record { end, origin: Origin { stream, step, attempt }, kind };
            prop_assert_eq!(Record::decode(record.encode()), record);
        }
    }

    #[test]
    fn a_record_of_version_1_stays_readable() {
        let bytes = *b"\x39\x30\0\0\0\0\x02\0\x10\x32\x54\x76\x98\x01\xc3\0";
        let record = Record {
            end: 12_345,
            origin: Origin { stream: Stream::Stderr, step: 2, attempt: 3 },
            kind: Kind::Line { at: Some(Timestamp(0x0198_7654_3210)), cut: true },
        };
        assert_eq!(Record::decode(bytes), record);
        assert_eq!(record.encode(), bytes);
    }
}
