//! What takes connections and never says a word.

use super::board::{Done, done, tailboard};
use crate::client::PATIENCE;
use std::net::TcpListener;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

/// The system takes connections of a socket that nobody accepts from.
struct Silent {
    dir: TempDir,
    socket: TcpListener,
}

impl Silent {
    fn new() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { dir: tempfile::tempdir().unwrap(), socket }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = tailboard(self.dir.path(), args);
        command.env("TAILBOARD_URL", format!("http://{}", self.socket.local_addr().unwrap()));
        command
    }

    async fn ask(&self, args: &[&str]) -> Done {
        done(self.command(args)).await
    }
}

#[tokio::test]
async fn a_wait_that_heard_nothing_does_not_say_that_the_job_goes_on() {
    let id = "018f3b7e-0000-7000-8000-000000000000";
    let asked = Silent::new().ask(&["wait", id, "--timeout", "200ms"]).await;
    assert_eq!(asked.status, Some(5), "{}", asked.err);
    assert!(asked.err.contains("no answer in") && !asked.err.contains("goes on"), "{}", asked.err);
}

#[tokio::test]
async fn that_nothing_answers_is_told_before_it_is_given_up() {
    let silent = Silent::new();
    let mut child = silent.command(&["jobs"]).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, said.next_line()).await.unwrap().unwrap().unwrap();
    assert!(line.contains("has not answered yet"), "{line}");
    assert_eq!(child.try_wait().unwrap(), None);
    child.kill().await.unwrap();
}
