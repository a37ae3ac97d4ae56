//! A job's directory with a log in it.

use engine::logs::{
    Log, MAX_LINE,
    index::{Entry, Index, Kind, Origin},
    writer::{Unfinished, Writer},
};
use shared::{Timestamp, log::Stream};
use std::{fs, path::Path};
use tempfile::TempDir;

pub const AT: Timestamp = Timestamp(1_700_000_000_000);
pub const STDOUT: Origin = Origin { stream: Stream::Stdout, step: 0, attempt: 1 };
pub const STDERR: Origin = Origin { stream: Stream::Stderr, step: 0, attempt: 1 };

/// A log of one stream that has printed `text` and ended.
pub fn printed(text: &[u8]) -> TempDir {
    let dir = TempDir::new().unwrap();
    print(dir.path(), STDOUT, text);
    dir
}

pub fn print(dir: &Path, origin: Origin, text: &[u8]) {
    let mut writer = Writer::open(dir).unwrap();
    let mut line = Unfinished::new(origin);
    for chunk in text.chunks(MAX_LINE) {
        writer.append(&mut line, chunk, AT);
    }
    writer.finish(&mut line, AT);
}

pub fn log(dir: &TempDir) -> Log {
    Log::open(dir.path()).unwrap().unwrap()
}

pub fn entries(dir: &Path) -> Vec<Entry> {
    let index = Index::open(dir).unwrap().unwrap();
    index.read(1, index.lines().unwrap()).unwrap()
}

/// What the index says of each line: its bytes, and whether it is cut.
pub fn indexed(dir: &Path) -> Vec<(Vec<u8>, bool)> {
    let data = fs::read(dir.join("log")).unwrap();
    let lines = entries(dir).into_iter().map(|entry| {
        let Kind::Line { cut, .. } = entry.record.kind else { panic!("left out") };
        (data[entry.start as usize..entry.record.end as usize].to_vec(), cut)
    });
    lines.collect()
}

/// The same by the simplest splitter there is, which sees all of the text at once.
pub fn split(mut text: &[u8]) -> Vec<(Vec<u8>, bool)> {
    let mut lines = Vec::new();
    while !text.is_empty() {
        let end = match text.iter().position(|&b| b == b'\n') {
            Some(newline) if newline < MAX_LINE => newline + 1,
            _ => text.len().min(MAX_LINE),
        };
        let (line, rest) = text.split_at(end);
        lines.push((line.to_vec(), !line.ends_with(b"\n") && !rest.is_empty()));
        text = rest;
    }
    lines
}
