//! What readers get.

use crate::fixture::{AT, STDOUT, log, print, printed};
use engine::logs::{
    index::Origin,
    live::{self, Open},
    writer::{Unfinished, Writer},
};
use shared::log::{LeftOutBy, Line};
use std::path::Path;

fn numbered(lines: u32) -> tempfile::TempDir {
    printed((1..=lines).map(|n| format!("line {n}\n")).collect::<String>().as_bytes())
}

fn text(line: &Line) -> String {
    line.runs.iter().map(|run| run.text.as_str()).collect()
}

#[test]
fn a_window_is_found_by_line_number_from_either_end() {
    let dir = numbered(1000);
    let log = log(&dir);
    let cases = [
        (1, 3, vec![1, 2, 3], Some(4)),
        (0, 1, vec![1], Some(2)),
        (998, 10, vec![998, 999, 1000], None),
        (-2, 10, vec![999, 1000], None),
        (-2, 1, vec![999], Some(1000)),
        (-5000, 2, vec![1, 2], Some(3)),
        (1001, 10, vec![], None),
        (i64::MAX, 10, vec![], None),
        (i64::MIN, 1, vec![1], Some(2)),
        (5, 0, vec![], Some(5)),
    ];
    for (from, count, numbers, next) in cases {
        let window = log.window(from, count).unwrap();
        assert_eq!(window.lines.iter().map(|line| line.n).collect::<Vec<_>>(), numbers, "{from}");
        assert!(window.lines.iter().all(|line| text(line) == format!("line {}", line.n)));
        assert_eq!((window.next, window.total), (next, 1000), "{from}");
    }
}

#[test]
fn windows_one_after_the_other_are_the_whole_log() {
    let long = "x".repeat(3000);
    let all: String = (0..700).map(|n| format!("{n} {long}\n")).collect();
    let dir = printed(all.as_bytes());
    let log = log(&dir);
    let (mut next, mut seen, mut windows) = (Some(1), Vec::new(), 0);
    while let Some(from) = next {
        let window = log.window(from as i64, 1000).unwrap();
        let size: usize = window.lines.iter().map(|line| text(line).len()).sum();
        assert!(size <= (512 << 10) + 4096 && !window.lines.is_empty());
        seen.extend(window.lines.iter().map(|line| text(line) + "\n"));
        (next, windows) = (window.next, windows + 1);
    }
    assert_eq!(seen.concat(), all);
    assert_eq!(windows, 4);
}

#[test]
fn a_long_line_is_shown_in_part_and_there_as_a_whole() {
    let dir = printed(format!("{}\nshort\n", "y".repeat(5000)).as_bytes());
    let log = log(&dir);
    let window = log.window(1, 2).unwrap();
    assert_eq!((text(&window.lines[0]).len(), window.lines[0].more), (4096, true));
    let line = log.line(1).unwrap().unwrap();
    assert_eq!((text(&line).len(), line.more, line.at), (5000, false, Some(AT)));
    assert_eq!(text(&log.line(2).unwrap().unwrap()), "short");
    assert_eq!(log.line(0).unwrap(), None);
    assert_eq!(log.line(3).unwrap(), None);
}

#[test]
fn a_style_is_carried_into_a_window_but_not_over_a_step() {
    let dir = printed(b"\x1b[31mred\nstill\nstill\n");
    print(dir.path(), Origin { step: 1, ..STDOUT }, b"plain\n");
    let classes = |from| {
        let lines = log(&dir).window(from, 10).unwrap().lines;
        lines.iter().map(|line| line.runs[0].class.clone()).collect::<Vec<_>>()
    };
    assert_eq!(classes(1), ["f1", "f1", "f1", ""]);
    assert_eq!(classes(3), ["f1", ""]);
    assert_eq!(log(&dir).line(2).unwrap().unwrap().runs[0].class, "f1");
}

#[test]
fn raw_lines_come_after_a_number_and_end_at_a_size() {
    let dir = printed(b"one\n\xffwo\r\n\nlast");
    let log = log(&dir);
    let lines = |after, max| -> Vec<_> {
        let lines = log.lines_after(after, max).unwrap().into_iter();
        lines.map(|line| (line.n, line.text)).collect()
    };
    let all =
        [(1, b"one".to_vec()), (2, b"\xffwo\r".to_vec()), (3, b"".to_vec()), (4, b"last".to_vec())];
    assert_eq!(lines(0, usize::MAX), all);
    assert_eq!(lines(0, 0), all[..1]);
    assert_eq!(lines(3, 1000), all[3..]);
    assert_eq!(lines(4, 1000), []);

    let many = numbered(5000);
    let many = self::log(&many);
    let all = many.lines_after(0, usize::MAX).unwrap();
    assert!(all.iter().zip(1..).all(|(line, n)| line.text == format!("line {n}").into_bytes()));
    assert_eq!(all.len(), 5000);
}

#[test]
fn a_job_that_printed_nothing_yet_has_no_log_and_then_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    assert!(engine::logs::Log::open(dir.path()).unwrap().is_none());
    Writer::open(dir.path()).unwrap();
    let window = log(&dir).window(-500, 500).unwrap();
    assert_eq!((window.total, window.next, window.lines.len()), (0, None, 0));
    assert_eq!(log(&dir).size().unwrap(), engine::logs::Size::default());
}

#[test]
fn an_unfinished_line_is_told_at_the_end_until_the_log_has_more_of_it() {
    let dir = printed(b"\x1b[32mone\ntwo\n");
    let tell = |path: &Path| {
        live::write(path, 1, vec![Open::new(STDOUT, 2, b"10%\r20%\r")], None).unwrap()
    };
    tell(dir.path());
    let open = log(&dir).window(2, 10).unwrap().open;
    assert_eq!((open[0].runs[0].text.as_str(), open[0].runs[0].class.as_str()), ("20%", "f2"));
    assert_eq!(log(&dir).window(1, 1).unwrap().open, []);
    // The other stream's lines say nothing about it.
    print(dir.path(), crate::fixture::STDERR, b"warning\n");
    assert_eq!(log(&dir).window(1, 10).unwrap().open.len(), 1);
    print(dir.path(), STDOUT, b"20%\n");
    assert_eq!(log(&dir).window(1, 10).unwrap().open, []);
}

#[test]
fn a_full_disk_leaves_out_whole_lines_and_says_how_many_in_one_place() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(dir.path()).unwrap();
    let mut line = Unfinished::new(STDOUT);
    writer.append(&mut line, b"kept\nbegun", AT);
    writer.set_room(false);
    writer.append(&mut line, b" and lost\nlost\n", AT);
    writer.set_room(false);
    writer.append(&mut line, b"lost\nended ", AT);
    writer.set_room(true);
    writer.append(&mut line, b"later\n", AT);
    let lines = log(&dir).window(1, 10).unwrap().lines;
    assert_eq!(lines[1].left_out_by, Some(LeftOutBy::Disk));
    let lines: Vec<_> = lines.iter().map(|line| (text(line), line.left_out)).collect();
    let expected =
        [("kept".to_owned(), None), (String::new(), Some(3)), ("ended later".to_owned(), None)];
    assert_eq!(lines, expected);
    let raw = log(&dir).lines_after(1, 1000).unwrap();
    assert_eq!(raw[0].text, b"[tailboard] 3 lines left out");
}

#[test]
fn a_write_that_fails_leaves_its_lines_out_and_the_run_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", dir.path().join("log")).unwrap();
    let mut writer = Writer::open(dir.path()).unwrap();
    let mut line = Unfinished::new(STDOUT);
    writer.append(&mut line, b"one\ntwo\n", AT);
    writer.set_room(true);
    writer.append(&mut line, b"three\n", AT);
    writer.finish(&mut line, AT);
    let lines = log(&dir).window(1, 10).unwrap().lines;
    assert_eq!(lines.iter().map(|line| line.left_out).collect::<Vec<_>>(), [Some(3)]);
}
