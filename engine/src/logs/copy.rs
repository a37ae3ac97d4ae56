//! Copies a log that may be growing: as many whole lines as its index has at one moment, and their bytes.

use super::{
    INDEX, LOG, LogError,
    index::{RECORD, Record},
};
use std::{
    fs::{self, File},
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
    let mut index = match fs::read(from.join(INDEX)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        index => index?,
    };
    let log = File::open(from.join(LOG))?;
    let length = log.metadata()?.len();
    // A record that is being written, and after a power loss what the data does not bear out.
    while index.len() as u64 % RECORD != 0 || end(&index).is_some_and(|end| end > length) {
        index.pop();
    }
    let data = end(&index).unwrap_or(0);
    let mut out = new_file(&into.join(LOG))?;
    let copied = io::copy(&mut (&log).take(data), &mut out)?;
    new_file(&into.join(INDEX))?.write_all_at(&index, 0)?;
    Ok(copied)
}

/// Where the last line of an index ends; none where it has none.
fn end(index: &[u8]) -> Option<u64> {
    let lines = index.len().checked_sub(RECORD as usize)?;
    let record = index.last_chunk::<{ RECORD as usize }>().filter(|_| lines > 0)?;
    Some(Record::decode(*record).end)
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
