//! What a pipeline gives to its steps: parameters, secrets, a place, a shell; and what a step says of
//! its progress.

use crate::fixture::{End, Run, execution};
use engine::{StepDef, logs::live};
use shared::StepState::*;
use std::{collections::BTreeMap, fs};

fn named(name: &str, value: &str) -> BTreeMap<String, String> {
    [(name.to_owned(), value.to_owned())].into()
}

#[test]
fn a_parameter_is_a_variable_and_never_part_of_the_command() {
    let mut run = Run::new([execution("printf '%s\\n' \"$PARAM_WHO\"")]);
    run.params = named("who", "$(echo pasted) `id` ; exit 3 \"'");
    run.start();
    assert_eq!(run.end(), End::completed());
    assert_eq!(run.log(), "$(echo pasted) `id` ; exit 3 \"'\n");
}

#[test]
fn a_secret_is_in_no_file_of_the_run_at_any_moment() {
    let gate = tempfile::tempdir().unwrap();
    let path = gate.path().join("gate");
    // In one piece, in two writes, across a line that is cut, and in a line that is not finished.
    let step = format!(
        "echo \"key=$TOKEN.\" >&2; printf 'key=sw'; sleep 0.2; echo 'ordfish!'; \
         head -c 65530 /dev/zero | tr '\\0' x; echo \"$TOKEN\"; \
         printf \"open $TOKEN and\"; until test -e {}; do sleep 0.01; done",
        path.display()
    );
    let mut run = Run::new([execution(&step)]);
    run.secrets = named("TOKEN", "swordfish");
    run.start();
    run.wait_until(|run| {
        let live = live::read(run.path()).unwrap();
        live.is_some_and(|live| live.open.iter().any(|open| open.text.contains("open ")))
    });
    let has_secret = |run: &Run| {
        let files = fs::read_dir(run.path())
            .unwrap()
            .filter_map(|entry| fs::read(entry.unwrap().path()).ok());
        files.into_iter().any(|bytes| String::from_utf8_lossy(&bytes).contains("swordfish"))
    };
    assert!(!has_secret(&run));
    let open = live::read(run.path()).unwrap().unwrap().open;
    assert!(open[0].text.ends_with("open ********* and"), "{open:?}");
    fs::write(&path, "").unwrap();
    assert_eq!(run.end(), End::completed());
    assert!(!has_secret(&run));
    let log = run.log();
    assert_eq!(log.matches("key=*********").count(), 2, "hidden in the same length");
    assert!(log.contains(&format!("{}*********\n", "x".repeat(65_530))));
}

#[test]
fn a_step_runs_where_and_by_what_it_says() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path().canonicalize().unwrap();
    let shell = ["/bin/sh".to_owned(), "-x".to_owned(), "-c".to_owned()].to_vec();
    let cwd = Some(place.clone());
    let mut run = Run::started([StepDef { cwd, shell, ..execution("pwd") }]);
    assert_eq!(run.end(), End::completed());
    let mut lines: Vec<_> = run.lines().into_iter().map(|(_, text)| text).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["+ pwd".to_owned(), place.display().to_string()]);

    let cwd = Some("/nowhere/at/all".into());
    let mut run = Run::started([StepDef { cwd, ..execution("true") }]);
    let error = run.end().error.unwrap();
    assert!(error.contains("/nowhere/at/all is no directory (cwd)"), "{error}");
    let shell = vec!["/no/such/shell".to_owned()];
    let mut run = Run::started([StepDef { shell, ..execution("true") }]);
    assert!(run.end().error.unwrap().contains("could not be started"));
}

#[test]
fn a_step_that_may_fail_is_shown_as_failed_and_the_run_goes_on() {
    let may_fail = StepDef { continue_on_error: true, ..execution("exit 3") };
    let mut run = Run::started([may_fail, execution("echo on")]);
    assert_eq!(run.end(), End::completed());
    assert_eq!(run.states(), [Failed, Completed]);
    assert_eq!(run.log(), "on\n");
}

#[test]
fn a_step_says_how_far_it_is_as_it_would_to_a_terminal() {
    let gate = tempfile::tempdir().unwrap();
    let path = gate.path().join("gate");
    let step = format!(
        "printf 'a\\033]9;4;1;42\\033\\\\b\\n'; until test -e {}; do sleep 0.01; done",
        path.display()
    );
    let mut run = Run::started([execution(&step)]);
    run.wait_until(|run| {
        live::read(run.path()).unwrap().is_some_and(|live| live.progress == Some(42.0))
    });
    fs::write(&path, "").unwrap();
    assert_eq!(run.end(), End::completed());
    assert_eq!(run.lines(), [(0, "ab".to_owned())], "it is not shown");
    assert_eq!(run.log(), "a\u{1b}]9;4;1;42\u{1b}\\b\n", "and stays in the file");
}
