//! What comes out of the pipes, and what is in the files when.

use crate::fixture::{End, Run, execution};
use engine::{executor::journal::What, logs::Log};
use shared::log::Stream;
use std::fs;

#[test]
fn every_byte_of_a_flood_is_in_the_log() {
    let mut run = Run::started([execution("seq 200000; seq 100000 >&2")]);
    assert_eq!(run.end(), End::completed());
    let expected = |n: u32| (1..=n).map(|i| format!("{i}\n")).collect::<String>();
    assert_eq!(run.log(), expected(200_000) + &expected(100_000));
    let size = Log::open(run.path()).unwrap().unwrap().size().unwrap();
    assert_eq!(size.lines, 300_000);
    assert_eq!(size.bytes, run.log().len() as u64);
}

#[test]
fn streams_alternate_by_whole_lines() {
    let mut run = Run::started([execution(
        "printf a; printf '1\\n' >&2; sleep 0.1; printf 'b\\n'; sleep 0.1; printf '2' >&2",
    )]);
    run.end();
    let log = Log::open(run.path()).unwrap().unwrap();
    let lines = log.window(1, 10).unwrap().lines;
    let lines: Vec<_> =
        lines.iter().map(|line| (line.stream, line.runs[0].text.as_str())).collect();
    assert_eq!(lines, [(Stream::Stderr, "1"), (Stream::Stdout, "ab"), (Stream::Stderr, "2")]);
    assert_eq!(run.log(), "1\nab\n2");
}

#[test]
fn an_unfinished_line_is_shown_and_gone_when_it_is_complete() {
    let mut run = Run::started([execution(
        "printf '\\033[32m10%%\\r20%%'; until test -e ../go; do sleep 0.01; done; printf '\\r30%%\\n'; \
         until test -e ../end; do sleep 0.01; done",
    )]);
    let window = |run: &Run| Log::open(run.path()).unwrap().unwrap().window(-500, 500).unwrap();
    run.wait_until(|run| !window(run).open.is_empty());
    let open = window(&run).open;
    assert_eq!((open[0].runs[0].text.as_str(), open.len()), ("20%", 1));
    assert_eq!(window(&run).lines, []);
    fs::write(run.path().join("go"), "").unwrap();
    run.wait_until(|run| !window(run).lines.is_empty());
    assert_eq!(window(&run).open, []);
    fs::write(run.path().join("end"), "").unwrap();
    run.end();
    assert!(!run.path().join("live").exists());
}

#[test]
fn the_journal_says_where_the_log_stood() {
    let mut run = Run::started([execution("echo one; echo two"), execution("printf three")]);
    run.end();
    let marks: Vec<_> =
        run.journal().into_iter().map(|entry| (entry.what, entry.offset, entry.lines)).collect();
    let of = |ordinal| {
        let find =
            |what: &What| matches!(what, What::StepEnded { ordinal: o, .. } if *o == ordinal);
        marks.iter().find(|(what, ..)| find(what)).map(|(_, offset, lines)| (*offset, *lines))
    };
    assert_eq!(of(0), Some((8, 2)));
    assert_eq!(of(1), Some((13, 3)));
    assert_eq!(marks.last().map(|(_, offset, lines)| (*offset, *lines)), Some((13, 3)));
}

#[test]
fn past_its_limit_a_log_says_how_many_lines_are_missing() {
    let mut run = Run::new([execution("seq 100000"), execution("echo more; echo and more")]);
    run.settings.max_log_bytes = 1000;
    run.start();
    assert_eq!(run.end(), End::completed());
    let kept = run.log();
    assert!(kept.len() <= 1000 && kept.len() > 990);
    let kept = kept.lines().count() as u64;
    let log = Log::open(run.path()).unwrap().unwrap();
    let lines = log.window(-2, 2).unwrap().lines;
    assert_eq!((lines[0].step, lines[0].left_out), (0, Some(100_000 - kept)));
    assert_eq!((lines[1].step, lines[1].left_out), (1, Some(2)));
    let expected = (100_000 - kept + 2, Some(shared::log::LeftOutBy::Limit));
    assert_eq!(log.left_out_at_end().unwrap(), expected);
}

#[test]
fn without_room_on_the_disk_a_run_goes_on_without_a_log() {
    let mut run = Run::new([execution("echo one; exit 4")]);
    run.settings.min_free_disk = u64::MAX;
    run.start();
    assert_eq!(run.end(), End::failed(Some(4), None, "step work: exit code 4"));
    assert_eq!(run.log(), "");
    let log = Log::open(run.path()).unwrap().unwrap();
    assert_eq!(log.window(1, 10).unwrap().lines[0].left_out, Some(1));
}

#[test]
fn a_job_has_one_log_over_its_attempts() {
    let mut run = Run::started([execution("echo first")]);
    run.end();
    run.marker.attempt = 2;
    run.start();
    run.end();
    assert_eq!(run.log(), "first\nfirst\n");
    let log = Log::open(run.path()).unwrap().unwrap();
    let attempts: Vec<_> = log.window(1, 10).unwrap().lines.iter().map(|l| l.attempt).collect();
    assert_eq!(attempts, [1, 2]);
}
