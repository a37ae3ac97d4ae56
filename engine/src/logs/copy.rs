//! Copies a log that may be growing: as many whole lines as its index has at one moment, and their bytes.

use super::{
    INDEX, LOG, LogError,
    index::{RECORD, Record},
};
use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

/// Copies the log in `from` to the directory `into`; bytes of it. No log: nothing to copy.
///
/// The index is read first: data is written before its index, so what the index has is there.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy(from: &Path, into: &Path) -> Result<u64, LogError> {
    let index = match File::open(from.join(INDEX)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        index => index?,
    };
    // Whole records: the last one may be about to be written.
    let mut lines = (index.metadata()?.len() / RECORD).saturating_sub(1);
    let log = File::open(from.join(LOG))?;
    let length = log.metadata()?.len();
    let mut data = end(&index, lines)?;
    // After a power loss there may be what the data does not bear out.
    while data > length {
        lines -= 1;
        data = end(&index, lines)?;
    }
    let copied = io::copy(&mut log.take(data), &mut new_file(&into.join(LOG))?)?;
    let records = (lines + 1) * RECORD;
    io::copy(&mut index.take(records), &mut new_file(&into.join(INDEX))?)?;
    Ok(copied)
}

/// Where line number `line` ends in the data; before the first one, at its beginning.
fn end(index: &File, line: u64) -> io::Result<u64> {
    if line == 0 {
        return Ok(0);
    }
    let mut record = [0; RECORD as usize];
    index.read_exact_at(&mut record, line * RECORD)?;
    Ok(Record::decode(record).end)
}

fn new_file(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::{
        Log,
        index::{HEADER, Kind, Origin},
    };
    use shared::{Timestamp, log::Stream};
    use std::fs;

    fn record(end: u64) -> [u8; RECORD as usize] {
        let origin = Origin { stream: Stream::Stdout, step: 0, attempt: 1 };
        Record { end, origin, kind: Kind::Line { at: Some(Timestamp(1)), cut: false } }.encode()
    }

    #[test]
    fn a_copy_has_the_whole_lines_that_index_and_data_agree_on() {
        let (from, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(from.path().join(LOG), "one\ntwo\nthr").unwrap();
        let index = [HEADER, record(4), record(8), record(14)].concat();
        fs::write(from.path().join(INDEX), [&index[..], b"half"].concat()).unwrap();
        assert_eq!(copy(from.path(), into.path()).unwrap(), 8);
        assert_eq!(fs::read(into.path().join(LOG)).unwrap(), b"one\ntwo\n");
        let log = Log::open(into.path()).unwrap().unwrap();
        assert_eq!(log.size().unwrap().lines, 2);
    }

    #[test]
    fn no_log_is_nothing_to_copy_and_an_empty_one_is_one() {
        let (from, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(copy(from.path(), into.path()).unwrap(), 0);
        assert!(!into.path().join(LOG).exists());
        fs::write(from.path().join(LOG), "thr").unwrap();
        fs::write(from.path().join(INDEX), HEADER).unwrap();
        assert_eq!(copy(from.path(), into.path()).unwrap(), 0);
        assert_eq!(fs::read(into.path().join(LOG)).unwrap(), b"");
    }
}
