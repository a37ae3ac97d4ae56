//! From spawn to plan: an executor that does not get all of it has done nothing.

use crate::fixture::{EXECUTOR, End, Run, execution};
use engine::executor::{
    journal,
    launch::{self, LaunchError, READY_TIME},
    lock::{self, State},
};
use std::{fs, io::Write, path::Path, process::Command, process::Stdio, time::Duration};

fn spawn(run: &Run) -> launch::Starting {
    launch::spawn(Path::new(EXECUTOR), run.path(), 1).unwrap()
}

#[test]
fn half_a_plan_is_no_plan() {
    let run = Run::new([execution("echo never")]);
    let message = run.plan().encode().unwrap();
    for cut in [0, 3, 4, message.len() / 2, message.len() - 1] {
        let mut child = Command::new(EXECUTOR)
            .arg("executor")
            .args([run.path().as_os_str(), "1".as_ref()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&message[..cut]).unwrap();
        assert!(!child.wait().unwrap().success());
        assert_eq!(run.journal(), []);
        assert_eq!(run.log(), "");
    }
}

#[test]
fn the_same_attempt_starts_again_after_one_that_did_nothing() {
    let mut run = Run::new([execution("echo once")]);
    drop(spawn(&run).ready(READY_TIME).unwrap());
    run.start();
    assert_eq!(run.end(), End::completed());
    assert_eq!(run.log(), "once\n");
}

#[test]
fn an_attempt_that_was_begun_does_not_begin_again() {
    let mut run = Run::started([execution("echo once")]);
    run.end();
    match spawn(&run).ready(READY_TIME) {
        Err(LaunchError::Refused(why)) => assert!(why.contains("begun before"), "{why}"),
        _ => panic!("it began again"),
    }
    assert_eq!(run.log(), "once\n");
}

#[test]
fn one_job_has_one_executor() {
    let mut run = Run::started([execution("echo up; sleep 1000")]);
    run.wait_for_log("up");
    match spawn(&run).ready(READY_TIME) {
        Err(LaunchError::Refused(why)) => assert!(why.contains("lock"), "{why}"),
        _ => panic!("a second one started"),
    }
    run.cancel(false);
    assert_eq!(run.end(), End::cancelled());
}

#[test]
fn an_executor_waits_for_a_server_that_looks() {
    let mut run = Run::new([execution("true")]);
    let State::Free(guard) = lock::take(run.path()).unwrap() else { panic!("nobody has it") };
    let starting = spawn(&run);
    drop(guard);
    run.child = Some(starting.ready(READY_TIME).unwrap().send(&run.plan()).unwrap());
    assert_eq!(run.end(), End::completed());
}

#[test]
fn one_that_is_never_ready_is_given_up() {
    let run = Run::new([]);
    let State::Free(_guard) = lock::take(run.path()).unwrap() else { panic!("nobody has it") };
    match spawn(&run).ready(Duration::from_millis(100)) {
        Err(LaunchError::Late) => {}
        _ => panic!("it cannot be ready"),
    }
}

#[test]
fn no_executor_appends_to_a_log_that_is_not_whole() {
    let mut run = Run::new([execution("echo more")]);
    fs::write(run.path().join("log"), "lost\nhalf").unwrap();
    match spawn(&run).ready(READY_TIME) {
        Err(LaunchError::Refused(why)) => assert!(why.contains("not whole"), "{why}"),
        _ => panic!("it took it"),
    }
    engine::logs::repair(run.path(), 1).unwrap();
    run.start();
    assert_eq!(run.end(), End::completed());
    assert_eq!(run.log(), "lost\nhalfmore\n");
    let lines: Vec<_> = run.lines().into_iter().map(|(_, text)| text).collect();
    assert_eq!(lines, ["lost", "half", "more"]);
}

#[test]
fn an_executor_that_is_not_there_is_an_error() {
    let run = Run::new([]);
    let started = launch::spawn(Path::new("/nonexistent"), run.path(), 1);
    assert!(matches!(started, Err(LaunchError::Spawn(_))));
}

#[test]
fn a_journal_is_read_on_from_a_position_by_whole_lines() {
    let mut run = Run::started([execution("true")]);
    run.end();
    let whole = journal::read_from(run.path(), 1, 0).unwrap();
    assert_eq!(whole.entries.len(), 4);
    let path = run.path().join("journal-1");
    let text = fs::read(&path).unwrap();
    assert_eq!(whole.position, text.len() as u64);
    let mut entries = Vec::new();
    let mut position = 0;
    for end in 0..=text.len() {
        fs::write(&path, &text[..end]).unwrap();
        let news = journal::read_from(run.path(), 1, position).unwrap();
        entries.extend(news.entries);
        position = news.position;
    }
    assert_eq!((entries, position), (whole.entries, whole.position));
}
