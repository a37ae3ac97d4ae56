//! What a reader gets, whatever comes.

use super::*;
use crate::logs::{
    INDEX, LOG, Size,
    index::{HEADER, Origin, Record},
};
use proptest::prelude::*;
use shared::log::Stream;
use std::{collections::HashMap, fs::OpenOptions};
use tempfile::TempDir;
use uuid::Uuid;

const SMALL: Size = Size { lines: 10, bytes: 100 };

/// Logs of runs that a buffer is fed from, and every line that ever came.
struct Runs {
    dir: TempDir,
    buffer: Arc<Buffer>,
    sizes: HashMap<u8, Size>,
    all: Vec<String>,
}

fn id(run: u8) -> JobId {
    JobId(Uuid::from_u128(run.into()))
}

impl Runs {
    fn new(most: Size) -> Self {
        let buffer = Arc::new(Buffer::new("begins".into(), most));
        let dir = tempfile::tempdir().unwrap();
        Self { dir, buffer, sizes: HashMap::new(), all: vec!["begins".into()] }
    }

    fn dir_of(&self) -> impl Fn(JobId) -> PathBuf + use<> {
        let dir = self.dir.path().to_owned();
        move |job| dir.join(job.to_string())
    }

    fn say(&mut self, text: &str) {
        self.buffer.say(text.to_owned(), usize::MAX);
        self.all.push(text.to_owned());
    }

    fn print(&mut self, run: u8, lines: &[String]) {
        let dir = self.dir_of()(id(run));
        std::fs::create_dir_all(&dir).unwrap();
        let open = |name| {
            let path = dir.join(name);
            OpenOptions::new().create(true).append(true).open(path).unwrap()
        };
        let (mut data, mut index) = (open(LOG), open(INDEX));
        let before = self.sizes.get(&run).copied().unwrap_or_default();
        if before == Size::default() {
            index.write_all(&HEADER).unwrap();
        }
        let mut size = before;
        let origin = Origin { stream: Stream::Stdout, step: 0, attempt: 1 };
        for line in lines {
            data.write_all(format!("{line}\n").as_bytes()).unwrap();
            size.lines += 1;
            size.bytes += line.len() as u64 + 1;
            let kind = Kind::Line { at: None, cut: false };
            index.write_all(&Record { end: size.bytes, origin, kind }.encode()).unwrap();
        }
        self.buffer.grew(id(run), before, size, usize::MAX);
        self.sizes.insert(run, size);
        self.all.extend(lines.iter().cloned());
    }

    /// What a reader gets now.
    fn read(&self, cursor: &mut Cursor, most: usize) -> Vec<String> {
        let text = cursor.read(most, self.dir_of()).unwrap();
        String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
    }

    fn cursor(&self) -> Cursor {
        Cursor::new(self.buffer.clone())
    }

    /// The last lines that fit.
    fn kept(&self, most: Size) -> &[String] {
        let mut bytes = 0;
        let fits = self.all.iter().rev().take(most.lines as usize).take_while(|line| {
            bytes += line.len() as u64 + 1;
            bytes <= most.bytes
        });
        &self.all[self.all.len() - fits.count()..]
    }
}

/// How many lines a notice says are missing.
fn missing(line: &str, why: &str) -> usize {
    let (_, text) = line.split_once(" WARN  ").unwrap();
    text.split_once(why).unwrap().0.trim().parse().unwrap()
}

fn lines(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("line {n}")).collect()
}

#[derive(Clone, Debug)]
enum Act {
    Say(u8),
    Print(u8, Vec<u8>),
    Read(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (1..30_u8).prop_map(Act::Say),
        (0..3_u8, prop::collection::vec(0..60_u8, 1..15)).prop_map(|(r, l)| Act::Print(r, l)),
        (1..200_usize).prop_map(Act::Read),
    ];
    prop::collection::vec(act, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn of_any_lines_the_last_that_fit_are_there_and_a_reader_misses_none_unsaid(acts in acts()) {
        let mut runs = Runs::new(SMALL);
        let (mut slow, mut seen) = (runs.cursor(), 0);
        for (n, act) in acts.into_iter().enumerate() {
            match act {
                Act::Say(length) => runs.say(&format!("{n:0>0$}", usize::from(length))),
                Act::Print(run, lengths) => {
                    let line = |length: &u8| format!("{n:x>0$}", usize::from(*length));
                    let lines: Vec<_> = lengths.iter().map(line).collect();
                    runs.print(run, &lines);
                }
                Act::Read(most) => {
                    for line in runs.read(&mut slow, most) {
                        match line.starts_with("[tailboard]") {
                            true if seen == 0 => seen += missing(&line, "lines dropped"),
                            true => seen += missing(&line, "lines skipped: reader too slow"),
                            false => {
                                prop_assert_eq!(&line, &runs.all[seen]);
                                seen += 1;
                            }
                        }
                    }
                }
            }
            let mut fresh = runs.read(&mut runs.cursor(), usize::MAX);
            let kept = runs.kept(SMALL);
            if kept.len() < runs.all.len() {
                let dropped = missing(&fresh.remove(0), "lines dropped");
                prop_assert_eq!(dropped, runs.all.len() - kept.len());
            }
            prop_assert_eq!(&fresh, kept);
        }
    }
}

#[test]
fn a_buffer_has_50_000_lines() {
    let mut runs = Runs::new(crate::pipeline_log::MOST);
    runs.print(1, &vec!["x".to_owned(); 60_000]);
    let read = runs.read(&mut runs.cursor(), usize::MAX);
    assert_eq!(read.len(), 1 + 50_000);
    assert_eq!(missing(&read[0], "lines dropped"), 10_001, "with the first one");
}

#[test]
fn a_buffer_has_1_000_000_bytes() {
    let mut runs = Runs::new(crate::pipeline_log::MOST);
    runs.print(1, &vec!["x".repeat(99); 12_000]);
    let read = runs.read(&mut runs.cursor(), usize::MAX);
    assert_eq!(read[1..].iter().map(|line| line.len() + 1).sum::<usize>(), 1_000_000);
    assert_eq!(missing(&read[0], "lines dropped"), 2_001);
}

#[test]
fn a_line_of_tailboards_own_that_is_larger_than_all_of_it_does_not_empty_it() {
    let mut runs = Runs::new(SMALL);
    runs.say(&"x".repeat(500));
    assert_eq!(runs.read(&mut runs.cursor(), usize::MAX).len(), 2);
}

#[test]
fn what_is_more_than_its_share_of_all_buffers_is_dropped_too() {
    let runs = Runs::new(crate::pipeline_log::MOST);
    for n in 1..100 {
        runs.buffer.say(format!("line {n}"), 64);
    }
    let read = runs.read(&mut runs.cursor(), usize::MAX);
    assert_eq!((missing(&read[0], "lines dropped"), read.len()), (36, 1 + 64));
    assert_eq!(read[64], "line 99");
}

#[test]
fn a_slow_reader_is_told_once_how_much_it_missed_and_goes_on() {
    let mut runs = Runs::new(SMALL);
    let mut slow = runs.cursor();
    assert_eq!(runs.read(&mut slow, 1), ["begins"]);
    for _ in 0..10 {
        runs.print(1, &lines(5));
    }
    let read = runs.read(&mut slow, usize::MAX);
    assert_eq!(missing(&read[0], "lines skipped: reader too slow"), 40);
    assert_eq!(read[1..], [lines(5), lines(5)].concat());
    assert_eq!(runs.read(&mut slow, usize::MAX), Vec::<String>::new());
}

#[test]
fn lines_of_a_deleted_run_are_said_to_be_missing() {
    let mut runs = Runs::new(SMALL);
    runs.print(1, &lines(3));
    runs.say("after");
    std::fs::remove_dir_all(runs.dir_of()(id(1))).unwrap();
    let read = runs.read(&mut runs.cursor(), usize::MAX);
    assert_eq!(read.len(), 3);
    assert!(read[1].ends_with(&format!("3 lines of run {} were deleted with it", id(1))));
}

#[test]
fn what_cannot_be_read_is_an_error_at_first_and_a_line_later() {
    let mut runs = Runs::new(SMALL);
    runs.print(1, &lines(11));
    let (mut late, index) = (runs.cursor(), runs.dir_of()(id(1)).join(INDEX));
    runs.read(&mut late, 1);
    runs.print(1, &lines(2));
    std::fs::remove_file(&index).unwrap();
    std::fs::create_dir(&index).unwrap();
    assert!(matches!(runs.cursor().read(1, runs.dir_of()), Err(LogError::Io(_))));
    late.open = None;
    let read = runs.read(&mut late, usize::MAX);
    assert!(read.last().unwrap().contains("lines of run"), "{read:?}");
    assert!(read.last().unwrap().ends_with("cannot be read"));
}
