//! A log as bytes that somebody wrote: for streams whose position is an offset in the data.

use super::{
    Log, LogError,
    index::{Entry, Kind, Origin},
    reader::Bytes,
};

use std::ops::ControlFlow;

/// Records read at a time.
const AT_A_TIME: u64 = 1024;

/// Where the output begins that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// After so many lines.
    Line(u64),
    /// With the line that the byte at this offset belongs to, or would.
    Offset(u64),
}

/// What one line is in the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputLine {
    /// 1-based.
    pub n: u64,
    /// Of its first byte.
    pub start: u64,
    pub origin: Origin,
    /// As they are, the line's end included. None at all where lines were left out.
    pub bytes: Vec<u8>,
    /// So many lines are missing here.
    pub left_out: Option<u64>,
}

impl Log {
    /// Lines from there on: at most `max_bytes` of memory, but at least one line if there is one.
    pub fn output(&self, after: After, max_bytes: usize) -> Result<Vec<OutputLine>, LogError> {
        let after = match after {
            After::Line(n) => n,
            After::Offset(offset) => self.lines_before(offset)?,
        };
        let mut lines = Vec::new();
        let mut size = 0;
        self.visit(after, |entry, text| {
            size += text.len() + size_of::<OutputLine>();
            if size > max_bytes && !lines.is_empty() {
                return ControlFlow::Break(());
            }
            lines.push(line(entry, text));
            ControlFlow::Continue(())
        })?;
        Ok(lines)
    }

    /// Shows the lines after line number `after` one by one, with their bytes as they are in the data, until
    /// there are no more or it is broken off.
    pub fn visit(
        &self,
        mut after: u64,
        mut show: impl FnMut(&Entry, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let mut bytes = Bytes::new(&self.data);
        loop {
            let entries = self.index.read(after.saturating_add(1), AT_A_TIME)?;
            for entry in &entries {
                if show(entry, bytes.of(entry)?).is_break() {
                    return Ok(());
                }
                after = entry.n;
            }
            if (entries.len() as u64) < AT_A_TIME {
                return Ok(());
            }
        }
    }

    /// How many lines are whole before this offset. Where lines were left out just there, that is not
    /// counted: to say it twice does less harm than not at all.
    fn lines_before(&self, offset: u64) -> Result<u64, LogError> {
        let before = self.line_reaching(offset)? - 1;
        let first = self.index.read(before + 1, 1)?;
        let is_whole = |entry: &Entry| entry.start < entry.record.end && entry.record.end == offset;
        Ok(before + u64::from(first.first().is_some_and(is_whole)))
    }

    /// Number of the first line that ends at this offset or after it; the next one's if none does.
    fn line_reaching(&self, offset: u64) -> Result<u64, LogError> {
        let (mut low, mut high) = (0, self.index.lines()?);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.index.end(middle + 1)? < offset {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low + 1)
    }

    /// How many lines after line number `after` it takes to have so many bytes, if there are as many.
    pub fn lines_holding(&self, after: u64, bytes: u64) -> Result<u64, LogError> {
        if bytes == 0 {
            return Ok(0);
        }
        let begin = self.index.end(after)?;
        Ok(self.line_reaching(begin + bytes)?.saturating_sub(after))
    }
}

fn line(entry: &Entry, text: &[u8]) -> OutputLine {
    let left_out = match entry.record.kind {
        Kind::Line { .. } => None,
        Kind::LeftOut { lines, .. } => Some(lines),
    };
    let origin = entry.record.origin;
    OutputLine { n: entry.n, start: entry.start, origin, bytes: text.to_vec(), left_out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::{
        INDEX, LOG,
        index::{HEADER, Record},
    };
    use shared::log::Stream;
    use std::{fs, path::Path};

    const STEP: Origin = Origin { stream: Stream::Stdout, step: 0, attempt: 1 };

    /// A log with these lines; an empty one stands for lines that were left out.
    fn log(dir: &Path, lines: &[&str]) -> Log {
        let (mut index, mut end) = (HEADER.to_vec(), 0);
        for line in lines {
            end += line.len() as u64;
            let kind = match line.len() {
                0 => Kind::LeftOut { lines: 7, by: None },
                _ => Kind::Line { at: None, cut: false },
            };
            index.extend(Record { end, origin: STEP, kind }.encode());
        }
        fs::write(dir.join(LOG), lines.concat()).unwrap();
        fs::write(dir.join(INDEX), index).unwrap();
        Log::open(dir).unwrap().unwrap()
    }

    #[test]
    fn from_any_offset_the_rest_is_there_from_the_line_it_is_in() {
        let dir = tempfile::tempdir().unwrap();
        let lines = ["a\n", "bcd\n", "\n", "ef"];
        let log = log(dir.path(), &lines);
        let text = lines.concat();
        for offset in 0..=text.len() {
            let read = log.output(After::Offset(offset as u64), usize::MAX).unwrap();
            let start = read.first().map_or(text.len(), |line| line.start as usize);
            let bytes: Vec<u8> = read.iter().flat_map(|line| line.bytes.clone()).collect();
            assert_eq!(bytes, text.as_bytes()[start..]);
            assert!(start <= offset && (start == offset || read[0].bytes.len() > offset - start));
        }
        assert_eq!(log.output(After::Offset(1000), usize::MAX).unwrap(), []);
    }

    #[test]
    fn lines_left_out_are_said_to_one_who_comes_back_at_their_place() {
        let dir = tempfile::tempdir().unwrap();
        let log = log(dir.path(), &["a\n", "", "b\n"]);
        let read = log.output(After::Offset(2), usize::MAX).unwrap();
        let numbers: Vec<_> = read.iter().map(|line| (line.n, line.left_out)).collect();
        assert_eq!(numbers, [(2, Some(7)), (3, None)]);
        assert_eq!(log.output(After::Line(2), usize::MAX).unwrap()[0].n, 3);
    }

    #[test]
    fn so_many_bytes_are_held_by_so_many_whole_lines() {
        let dir = tempfile::tempdir().unwrap();
        let log = log(dir.path(), &["a\n", "bcd\n", "", "ef\n"]);
        for (after, bytes, lines) in [(0, 0, 0), (0, 1, 1), (0, 2, 1), (0, 3, 2), (1, 4, 1)] {
            assert_eq!(log.lines_holding(after, bytes).unwrap(), lines, "{after} {bytes}");
        }
        assert_eq!(log.lines_holding(1, 5).unwrap(), 3, "with the one that has no bytes");
    }

    #[test]
    fn a_read_has_one_line_at_least_and_then_what_there_is_room_for() {
        let dir = tempfile::tempdir().unwrap();
        let log = log(dir.path(), &["aaaa\n"; 3000]);
        assert_eq!(log.output(After::Line(0), 1).unwrap().len(), 1);
        let all = log.output(After::Line(0), usize::MAX).unwrap();
        assert!(all.iter().map(|line| line.n).eq(1..=3000));
    }
}
