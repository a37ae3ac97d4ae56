//! What steps get, in which order they run, and what becomes of the run.

use crate::fixture::{End, Run, cleanup, execution, step};
use shared::{Phase, StepState::*};
use std::{collections::BTreeMap, time::Duration};

#[test]
fn steps_run_in_order_in_one_new_directory() {
    let mut run = Run::started([
        step("one", Phase::Setup, "pwd; ls -A; echo first > file"),
        execution("cat file"),
        step("three", Phase::Validation, "test -s file && rm file"),
    ]);
    assert_eq!(run.end(), End::completed());
    assert_eq!(run.states(), [Completed; 3]);
    let work = run.path().canonicalize().unwrap().join("work-1");
    let lines = run.lines();
    assert_eq!(lines, [(0, work.display().to_string()), (1, "first".to_owned())]);
    assert!(!work.exists(), "it goes with the attempt");
}

#[test]
fn a_failed_step_skips_the_rest_but_not_cleanup() {
    let mut run = Run::started([
        execution("echo bad >&2; exit 3"),
        execution("echo never"),
        cleanup("echo tidy; exit 1"),
        cleanup("echo tidier"),
    ]);
    assert_eq!(run.end(), End::failed(Some(3), None, "step work: exit code 3"));
    assert_eq!(run.states(), [Failed, Skipped, Failed, Completed]);
    assert_eq!(run.log(), "bad\ntidy\ntidier\n");
}

#[test]
fn a_failed_cleanup_changes_nothing() {
    let mut run = Run::started([execution("true"), cleanup("exit 1")]);
    assert_eq!(run.end(), End::completed());
}

#[test]
fn a_step_killed_by_a_signal_says_so() {
    let mut run = Run::started([execution("kill -SEGV $$")]);
    assert_eq!(run.end(), End::failed(None, Some(11), "step work: killed by SIGSEGV"));
}

#[test]
fn a_step_that_cannot_be_started_fails() {
    let mut run = Run::started([execution("rmdir \"$PWD\""), execution("true")]);
    let end = run.end();
    assert!(end.error.unwrap().starts_with("step work: could not be started: "));
    assert_eq!(run.states(), [Completed, Failed]);
}

#[test]
fn a_step_that_takes_too_long_is_ended() {
    let mut slow = execution("sleep 1000 & sleep 1000");
    slow.timeout = Some(Duration::from_millis(300));
    let mut run = Run::started([slow, execution("true"), cleanup("true")]);
    assert_eq!(run.end(), End::failed(None, Some(15), "step work: timed out after 300ms"));
    assert_eq!(run.states(), [Failed, Skipped, Completed]);
}

#[test]
fn the_time_of_the_whole_attempt_does_not_count_cleanup() {
    let mut run = Run::new([execution("sleep 1000"), cleanup("sleep 0.5; echo tidy")]);
    run.definition.timeout = Some(Duration::from_millis(300));
    run.start();
    assert_eq!(run.end(), End::failed(None, Some(15), "step work: timed out after 300ms"));
    assert_eq!(run.log(), "tidy\n");
}

#[test]
fn a_step_has_exactly_its_environment() {
    let mut one = execution("cat /proc/self/environ | tr '\\0' '\\n'");
    one.env = BTreeMap::from([("WHO".to_owned(), "wörld\nand all".to_owned())]);
    let mut run = Run::new([one]);
    run.inherited.env = BTreeMap::from(
        [("PATH", "/usr/bin:/bin"), ("SECRET", "s"), ("LC_ALL", "C.UTF-8")]
            .map(|(k, v)| (k.to_owned(), v.to_owned())),
    );
    run.start();
    assert_eq!(run.end(), End::completed());
    let mut expected = vec![
        "LC_ALL=C.UTF-8".to_owned(),
        "PATH=/usr/bin:/bin".to_owned(),
        "TAILBOARD_ATTEMPT=1".to_owned(),
        format!("TAILBOARD_JOB_ID={}", run.marker.job),
        "TAILBOARD_PIPELINE=test".to_owned(),
        format!("TAILBOARD_RUN={}", run.marker),
        "TAILBOARD_STEP=work".to_owned(),
        "WHO=wörld".to_owned(),
        "and all".to_owned(),
    ];
    // The shell sets what POSIX has it set; they are not in its own environment.
    let mut lines: Vec<_> = run.log().lines().map(str::to_owned).collect();
    lines.retain(|line| !line.starts_with("PWD=") && !line.starts_with("OLDPWD="));
    expected.sort();
    lines.sort();
    assert_eq!(lines, expected);
}

#[test]
fn a_step_inherits_no_signal_state_no_descriptor_and_its_own_limits() {
    let mut run = Run::new([execution(
        "grep -E '^(SigBlk|SigIgn):' /proc/self/status; ls /proc/self/fd | wc -l; \
         umask; ulimit -Sn; cat /proc/self/oom_score_adj; ps -o pid=,pgid= -p $$",
    )]);
    run.inherited.umask = 0o027;
    run.inherited.open_files = Some(123);
    run.start();
    run.end();
    let log = run.log();
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines[0], "SigBlk:\t0000000000000000");
    // 32 and 33 belong to the C library, which does not let them be set.
    let ignored = u64::from_str_radix(lines[1].strip_prefix("SigIgn:\t").unwrap(), 16).unwrap();
    assert_eq!(ignored & !(0b11 << 31), 0);
    // 0, 1, 2, and the directory that `ls` reads.
    assert_eq!(lines[2].trim(), "4");
    assert_eq!(lines[3], "0027");
    assert_eq!(lines[4], "123");
    let own = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    let score = (own.trim().parse::<i32>().unwrap() + 200).min(1000);
    assert_eq!(lines[5], score.to_string());
    let ids: Vec<_> = lines[6].split_whitespace().collect();
    assert_eq!(ids[0], ids[1], "it leads a group of its own");
}

#[test]
fn the_executor_itself_has_an_empty_environment_and_a_session_of_its_own() {
    let mut run = Run::started([execution("echo up; sleep 1000")]);
    run.wait_for_log("up");
    let proc = format!("/proc/{}", run.pid());
    assert_eq!(std::fs::read(format!("{proc}/environ")).unwrap(), b"");
    let stat = std::fs::read_to_string(format!("{proc}/stat")).unwrap();
    let session: i32 =
        stat.rsplit(')').next().unwrap().split_whitespace().nth(3).unwrap().parse().unwrap();
    assert_eq!(session, run.pid());
    run.cancel(false);
    run.end();
}
