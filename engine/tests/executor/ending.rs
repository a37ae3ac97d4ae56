//! Cancel, signals from outside, what steps leave behind, and an executor that is killed.

use crate::fixture::{End, Run, cleanup, execution};
use engine::executor::{
    journal::{Entry, Outcome, What},
    lock::{self, State},
    sweep,
};
use shared::StepState::*;
use std::{
    fs,
    time::{Duration, Instant},
};

#[test]
fn a_cancelled_run_ends_its_step_skips_the_rest_and_tidies_up() {
    let mut run = Run::started([
        execution("trap 'echo bye; exit 0' TERM; echo up; sleep 1000 & wait"),
        execution("echo never"),
        cleanup("echo tidy"),
    ]);
    run.wait_for_log("up");
    run.cancel(false);
    assert_eq!(run.end(), End::cancelled());
    assert_eq!(run.states(), [Cancelled, Skipped, Completed]);
    assert_eq!(run.log(), "up\nbye\ntidy\n");
    assert!(run.journal().iter().any(|entry| entry.what == What::Cancelling));
    assert_eq!(run.processes(), 0);
}

#[test]
fn a_step_that_does_not_listen_is_killed_after_the_grace_time() {
    let mut run = Run::new([execution("trap '' TERM; echo up; while :; do sleep 0.1; done")]);
    run.settings.grace = Duration::from_millis(300);
    run.start();
    run.wait_for_log("up");
    let since = Instant::now();
    run.cancel(false);
    assert_eq!(run.end(), End::cancelled());
    assert!(since.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_second_cancel_skips_grace_and_cleanup() {
    let mut run = Run::new([
        execution("trap 'echo no' TERM; echo up; while :; do sleep 0.1; done"),
        cleanup("echo never"),
    ]);
    run.settings.grace = Duration::from_secs(1000);
    run.start();
    run.wait_for_log("up");
    run.cancel(false);
    // The same request again, as a new server delivers it, is not a second one.
    run.cancel(false);
    run.wait_for_log("no");
    run.cancel(true);
    assert_eq!(run.end(), End::cancelled());
    assert_eq!(run.states(), [Cancelled, Skipped]);
}

#[test]
fn a_second_cancel_ends_cleanup_too() {
    let mut run = Run::started([
        execution("echo up; sleep 1000"),
        cleanup("echo tidying; sleep 1000"),
        cleanup("echo never"),
    ]);
    run.wait_for_log("up");
    run.cancel(false);
    run.wait_for_log("tidying");
    run.cancel(true);
    assert_eq!(run.end(), End::cancelled());
    assert_eq!(run.states(), [Cancelled, Cancelled, Skipped]);
}

#[test]
fn a_cancel_before_the_plan_runs_nothing_but_cleanup() {
    let mut run = Run::new([execution("echo never"), cleanup("echo tidy")]);
    run.cancel(false);
    run.start();
    assert_eq!(run.end(), End::cancelled());
    assert_eq!(run.states(), [Skipped, Completed]);
    assert_eq!(run.log(), "tidy\n");
}

#[test]
fn a_run_that_was_complete_first_stays_completed() {
    let mut run = Run::started([execution("true"), cleanup("echo up; sleep 1")]);
    run.wait_for_log("up");
    run.cancel(false);
    assert_eq!(run.end(), End::completed());
}

#[test]
fn a_signal_from_outside_ends_the_run_as_lost() {
    let mut run = Run::started([execution("echo up; sleep 1000"), cleanup("echo tidy")]);
    run.wait_for_log("up");
    run.signal("-TERM");
    let end = run.end();
    assert_eq!(end.outcome, Outcome::Lost);
    assert_eq!(end.error.as_deref(), Some("SIGTERM from outside"));
    assert_eq!(run.states(), [Cancelled, Completed]);
}

#[test]
fn the_signal_of_a_cancel_without_its_request_is_not_heard() {
    let mut run = Run::started([execution("echo up; until test -e ../go; do sleep 0.01; done")]);
    run.wait_for_log("up");
    run.signal("-USR1");
    fs::write(run.path().join("go"), "").unwrap();
    assert_eq!(run.end(), End::completed());
}

#[test]
fn what_a_step_leaves_in_the_background_lives_until_the_attempt_ends() {
    let mut run = Run::started([
        execution("(trap '' HUP; exec setsid sleep 1000 > /dev/null 2>&1) & echo $! > pid"),
        execution(
            "kill -0 $(cat pid) && echo alive; env -i setsid sh -c 'trap \"\" TERM; sleep 1001; true' >/dev/null 2>&1 &",
        ),
    ]);
    assert_eq!(run.end(), End::completed());
    assert_eq!(run.log(), "alive\n");
    assert_eq!(run.processes(), 0);
    // Its environment was empty, so only its command line tells it.
    assert!(!command_lines().iter().any(|line| line.contains("sleep 1001")));
}

fn command_lines() -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let line = fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    all.collect()
}

#[test]
fn a_pipe_that_is_held_open_delays_a_step_only_for_a_while() {
    let since = Instant::now();
    let mut run = Run::started([
        execution("(sleep 3; echo late; exec sleep 1000) & printf half"),
        execution("while ! grep -q late ../log; do sleep 0.05; done"),
    ]);
    assert_eq!(run.end(), End::completed());
    assert!(since.elapsed() < Duration::from_secs(20));
    // It was not killed by a closed pipe, and its line is still the first step's.
    assert_eq!(run.lines(), [(0, "half".to_owned()), (0, "late".to_owned())]);
}

#[test]
fn a_killed_executor_leaves_no_last_word_and_a_sweep_ends_the_rest() {
    let mut run = Run::started([execution(
        // It prints no more: without a reader that would be its end.
        "setsid sleep 1000 > /dev/null 2>&1 & trap '' TERM; printf half; echo up >&2; while :; do sleep 1; done",
    )]);
    run.wait_for_log("up");
    run.wait_until(|run| run.processes() >= 2);
    let State::Held(holder) = lock::take(run.path()).unwrap() else { panic!("it lives") };
    assert_eq!((holder.pid, holder.attempt), (run.pid(), 1));
    assert!(holder.pidfd(run.path()).unwrap().is_some());

    run.child.as_mut().unwrap().kill().unwrap();
    run.gone();
    assert!(matches!(lock::take(run.path()).unwrap(), State::Free(_)));
    assert!(holder.pidfd(run.path()).unwrap().is_none());
    assert!(!run.journal().iter().any(Entry::is_end));

    let other = engine::executor::environment::Marker { attempt: 2, ..run.marker.clone() };
    assert_eq!(sweep::sweep(&other).unwrap().ended, 0);
    assert!(run.processes() >= 2);
    let swept = sweep::sweep(&run.marker).unwrap();
    assert!(swept.ended >= 2);
    assert!(swept.alive.is_empty());
    assert_eq!(run.processes(), 0);
}

#[test]
fn a_deleted_directory_ends_the_run_within_two_seconds() {
    let mut run =
        Run::started([execution("echo up; trap '' TERM; sleep 1000"), cleanup("sleep 1000")]);
    run.wait_for_log("up");
    let since = Instant::now();
    fs::remove_dir_all(run.path()).unwrap();
    run.gone();
    assert!(since.elapsed() < Duration::from_secs(2));
    assert_eq!(run.processes(), 0);
}
