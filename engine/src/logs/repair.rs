//! Making a log whole after its writer died: the index is trimmed to the data, and data beyond the
//! index is split again. By whoever holds the job's lock.

use super::{
    INDEX, LOG, LogError, MAX_LINE,
    index::{HEADER, Kind, Origin, RECORD, Record},
    live,
};
use crate::observation::LogMark;
use shared::log::Stream;
use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    path::Path,
};

/// Repairs the log of a job whose newest attempt is `attempt`, and says how much there is of it.
/// Lines that are found again have no time. No log: nothing to repair.
pub fn repair(dir: &Path, attempt: u32) -> Result<LogMark, LogError> {
    live::remove(dir)?;
    let log = match File::open(dir.join(LOG)) {
        Ok(log) => log,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(LogMark::default()),
        Err(error) => return Err(error.into()),
    };
    let mut options = OpenOptions::new();
    let index =
        options.read(true).write(true).create(true).truncate(false).open(dir.join(INDEX))?;
    let data = log.metadata()?.len();
    let (mut whole, last) = trim(&index, data)?;
    let step = last.filter(|last| last.attempt == attempt).map_or(0, |last| last.step);
    let origin = Origin { stream: Stream::Stdout, step, attempt };

    let mut lines = BufReader::with_capacity(MAX_LINE, log);
    lines.seek(SeekFrom::Start(whole.offset))?;
    let mut records = BufWriter::with_capacity(MAX_LINE, index);
    records.seek(SeekFrom::Start((whole.lines + 1) * RECORD))?;
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line that is being written meanwhile is not this reader's: nobody else holds the lock.
        lines.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            break;
        }
        whole.offset += line.len() as u64;
        whole.lines += 1;
        let cut = line.len() == MAX_LINE && !line.ends_with(b"\n") && whole.offset < data;
        let kind = Kind::Line { at: None, cut };
        records.write_all(&Record { end: whole.offset, origin, kind }.encode())?;
    }
    let index = records.into_inner().map_err(|error| error.into_error())?;
    index.sync_data()?;
    Ok(whole)
}

/// Cuts off what the data does not bear out. What is left, and who wrote the last line of it.
fn trim(index: &File, data: u64) -> Result<(LogMark, Option<Origin>), LogError> {
    let length = index.metadata()?.len();
    if length < RECORD {
        index.set_len(0)?;
        index.write_all_at(&HEADER, 0)?;
        return Ok((LogMark::default(), None));
    }
    let mut record = [0; RECORD as usize];
    index.read_exact_at(&mut record, 0)?;
    if record != HEADER {
        return Err(LogError::Version);
    }
    // From the front, all of it: after a power loss there may be zeros anywhere near the end.
    let mut records = BufReader::with_capacity(MAX_LINE, index);
    records.seek(SeekFrom::Start(RECORD))?;
    let (mut known, mut last) = (0, None::<Record>);
    while known + 2 <= length / RECORD {
        records.read_exact(&mut record)?;
        let (found, end) = (Record::decode(record), last.map_or(0, |last| last.end));
        let grows = match found.kind {
            Kind::Line { .. } => found.end > end,
            Kind::LeftOut { .. } => found.end == end,
        };
        if !grows || found.end > data {
            break;
        }
        (known, last) = (known + 1, Some(found));
    }
    index.set_len((known + 1) * RECORD)?;
    let whole = LogMark { offset: last.map_or(0, |last| last.end), lines: known };
    Ok((whole, last.map(|last| last.origin)))
}
