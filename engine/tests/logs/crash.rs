//! Whatever a crash leaves of the two files, a repair makes them whole and loses no byte.

use crate::fixture::{AT, STDOUT, entries, indexed, log, print, printed, split};
use engine::{
    logs::{LogError, index::Kind, repair, writer::Writer},
    observation::LogMark,
};
use std::fs;

const TEXT: &[u8] = b"one\ntwo\r\n\n\xff\xfe\nfive";

#[test]
fn at_any_length_of_the_data_and_any_length_of_the_index() {
    let whole = printed(TEXT);
    let index = fs::read(whole.path().join("log.idx")).unwrap();
    for data in 0..=TEXT.len() {
        // Whole records, and one byte more or less.
        for records in (0..=index.len()).filter(|n| matches!(n % 16, 0 | 1 | 15)) {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("log"), &TEXT[..data]).unwrap();
            fs::write(dir.path().join("log.idx"), &index[..records]).unwrap();
            let mark = repair(dir.path(), 1).unwrap();
            let lines = indexed(dir.path());
            assert_eq!(fs::read(dir.path().join("log")).unwrap(), &TEXT[..data]);
            assert_eq!(mark, LogMark { offset: data as u64, lines: lines.len() as u64 });
            assert_eq!(lines, split(&TEXT[..data]), "{data} bytes, {records} of the index");
            // What a reader may have seen keeps its number and its time.
            let seen = entries(whole.path());
            let seen = seen.iter().take((records / 16).saturating_sub(1));
            for (seen, now) in seen.zip(entries(dir.path())) {
                assert!(seen.record.end > data as u64 || *seen == now);
            }
            assert!(Writer::open(dir.path()).is_ok());
        }
    }
}

#[test]
fn lines_that_are_found_again_have_no_time_but_their_step() {
    let dir = printed(b"one\n");
    let log_path = dir.path().join("log");
    fs::write(&log_path, "one\ntwo\nhalf").unwrap();
    repair(dir.path(), 1).unwrap();
    let kinds: Vec<_> =
        entries(dir.path()).iter().map(|e| (e.record.origin, e.record.kind)).collect();
    let line = |at| Kind::Line { at, cut: false };
    assert_eq!(kinds, [(STDOUT, line(Some(AT))), (STDOUT, line(None)), (STDOUT, line(None))]);
    assert_eq!(log(&dir).window(1, 10).unwrap().lines[1].at, None);
}

#[test]
fn zeros_at_the_end_of_the_index_are_no_records() {
    let dir = printed(TEXT);
    let path = dir.path().join("log.idx");
    let mut index = fs::read(&path).unwrap();
    let end = index.len();
    index[end - 40..].fill(0);
    fs::write(&path, index).unwrap();
    repair(dir.path(), 1).unwrap();
    assert_eq!(indexed(dir.path()), split(TEXT));
}

#[test]
fn a_log_that_is_whole_stays_as_it_is() {
    let dir = printed(TEXT);
    let before = fs::read(dir.path().join("log.idx")).unwrap();
    repair(dir.path(), 1).unwrap();
    assert_eq!(fs::read(dir.path().join("log.idx")).unwrap(), before);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(repair(empty.path(), 1).unwrap(), LogMark::default());
}

#[test]
fn a_log_that_is_not_whole_is_not_appended_to() {
    let dir = printed(TEXT);
    fs::write(dir.path().join("log"), b"one\ntwo").unwrap();
    assert!(matches!(Writer::open(dir.path()), Err(LogError::NotWhole { data: 7, .. })));
    fs::write(dir.path().join("log.idx"), b"something else of another kind").unwrap();
    assert!(matches!(Writer::open(dir.path()), Err(LogError::Version)));
    assert!(matches!(repair(dir.path(), 1), Err(LogError::Version)));
}

#[test]
fn an_attempt_goes_on_where_the_last_one_ended() {
    let dir = printed(b"first");
    print(dir.path(), engine::logs::index::Origin { attempt: 2, ..STDOUT }, b"second\n");
    assert_eq!(fs::read(dir.path().join("log")).unwrap(), b"firstsecond\n");
    let lines: Vec<_> = indexed(dir.path()).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [b"first".to_vec(), b"second\n".to_vec()]);
}
