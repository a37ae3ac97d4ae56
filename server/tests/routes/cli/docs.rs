//! `docs/command-line.md`: what it shows can be done.

use super::board::{Board, TOKEN, done};
use crate::running::pipeline;
use std::{path::Path, process::Stdio};
use tokio::process::Command;

const PARAMS: &str = "[[pipeline]]\nname = 'deploy'\n[[pipeline.params]]\nname = 'target'\nrequired = true\n\
    [[pipeline.params]]\nname = 'tries'\ntype = 'int'\ndefault = '1'\n\
    [[pipeline.steps]]\nname = 'deploy'\nrun = 'echo \"error to $PARAM_TARGET\"'\n\
    [[pipeline]]\nname = 'sleeps'\n[[pipeline.params]]\nname = 'seconds'\ndefault = '1000'\n\
    [[pipeline.steps]]\nname = 'sleep'\nrun = 'sleep \"$PARAM_SECONDS\"'\n";

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_page_works() {
    let page = include_str!("../../../../docs/command-line.md");
    let board = Board::start(&(pipeline("host-report", &["echo fine"]) + PARAMS)).await;
    // Somebody has to be left who may change users.
    let password = board.dir.path().join("password");
    std::fs::write(&password, "correct horse battery").unwrap();
    let owner = ["user", "add", "owner", "--role", "admin", "--password-file"];
    board.ask(&[&owner[..], &[password.to_str().unwrap()]].concat()).await.said();
    let bin = Path::new(env!("CARGO_BIN_EXE_tailboard")).parent().unwrap();
    let examples: Vec<_> =
        page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() > 8);
    for example in examples {
        let mut command = Command::new("sh");
        command.args(["-euc", example]).current_dir(board.dir.path()).kill_on_drop(true);
        command.env_clear().env("HOME", board.dir.path());
        command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
        command.env("TAILBOARD_URL", board.url()).env("TAILBOARD_TOKEN", TOKEN);
        command.env("DATA", board.data()).env("BACKUP", board.dir.path().join("backup"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let done = done(command).await;
        assert_eq!(done.status, Some(0), "{example}{}", done.err);
    }
    board.stop().await;
}
