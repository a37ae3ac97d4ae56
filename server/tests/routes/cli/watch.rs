//! Lists, once and as they change.

use super::{board::Board, proxy::Proxy};
use crate::{client::PATIENCE, running::pipeline};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout},
};

struct Watch {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    fn of(mut command: tokio::process::Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _child: child, lines }
    }

    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("a line in time").unwrap().expect("it goes on")
    }

    /// The next object that this is true of.
    async fn until(&mut self, is: impl Fn(&Value) -> bool) -> Value {
        loop {
            let row = serde_json::from_str(&self.line().await).unwrap();
            if is(&row) {
                return row;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_watched_as_one_object_a_line_through_breaks() {
    let board = Board::start(&(pipeline("one", &["true"]) + &pipeline("bad", &["exit 1"]))).await;
    let before = board.run_to_end("one").await;
    let proxy = Proxy::cutting(board.address, 7, 6000).await;
    let args = ["jobs", "--watch", "--json", "--reconnect-pause", "2ms"];
    let mut all = Watch::of(board.command_to(proxy.address, &args));
    let args = ["jobs", "--watch", "--json", "--state", "failed", "--pipeline", "bad"];
    let mut failed = Watch::of(board.command(&args));
    assert_eq!(all.until(|_| true).await["id"], before.as_str());
    for _ in 0..5 {
        let (id, bad) = (board.run_to_end("one").await, board.run_to_end("bad").await);
        all.until(|row| row["id"] == id && row["state"] == "completed").await;
        all.until(|row| row["id"] == bad && row["state"] == "failed").await;
        // The first object of the filtered list that there is.
        assert_eq!(failed.until(|_| true).await["id"], bad.as_str());
    }
    board.ask(&["delete", &before]).await.said();
    let gone = all.until(|row| row["deleted"] == true).await;
    assert_eq!(gone["id"], before.as_str());
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_board_can_decide_is_asked_of_it() {
    let board = Board::start(&(pipeline("needle", &["true"]) + &pipeline("hay", &["true"]))).await;
    let mut found = Watch::of(board.command(&["jobs", "-w", "--json", "-q", "needle"]));
    // Whether the watch has begun does not show, so there are jobs until one is seen.
    let first = async { found.until(|row| row["state"] == "completed").await };
    let runs = async {
        loop {
            board.run_to_end("hay").await;
            board.run_to_end("needle").await;
        }
    };
    let row = tokio::select! {
        row = first => row,
        () = runs => unreachable!(),
    };
    assert_eq!(row["name"], "needle");
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_and_workers_are_listed_and_watched() {
    let board = Board::start(&pipeline("one", &["true"])).await;
    board.run_to_end("one").await;
    let queues = board.ask(&["queues", "--json"]).await.json();
    assert_eq!(queues["items"][0]["name"], "default");
    let workers = board.ask(&["workers", "--json"]).await.json();
    assert_eq!(workers["items"][0]["state"], "online");
    let table = board.ask(&["workers"]).await;
    assert!(table.said().starts_with("WORKER") && table.text().contains("local:default@"));

    let mut objects = Watch::of(board.command(&["queues", "--watch", "--json"]));
    let mut lines = Watch::of(board.command(&["queues", "--watch"]));
    objects.until(|row| row["paused"] == false).await;
    assert!(lines.line().await.starts_with("QUEUE"));
    let said = board.ask(&["pause", "default"]).await;
    assert!(said.said().contains("queue default is paused"));
    objects.until(|row| row["paused"] == true).await;
    while !lines.line().await.contains(" paused ") {}
    assert!(board.ask(&["resume", "default"]).await.said().contains("goes on"));
    objects.until(|row| row["paused"] == false).await;
    let mut beats = Watch::of(board.command(&["workers", "--watch", "--json"]));
    let seen = beats.until(|_| true).await["seen_at"].clone();
    beats.until(|row| row["seen_at"] != seen).await;
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_and_as_long_as_is_asked_for() {
    let toml = pipeline("one", &["true"]) + &pipeline("wrong", &["exit 1"]);
    let board = Board::start(&toml).await;
    for _ in 0..3 {
        board.run_to_end("one").await;
    }
    let wrong = board.run_to_end("wrong").await;
    let jobs = async |args: &[&str]| board.ask(&[&["jobs", "--json"], args].concat()).await.json();
    assert_eq!(jobs(&["--state", "failed,cancelled"]).await["items"][0]["id"], wrong.as_str());
    assert_eq!(
        jobs(&["--pipeline", "one", "--since", "1h"]).await["items"].as_array().unwrap().len(),
        3
    );
    assert_eq!(jobs(&["-n", "2"]).await["items"].as_array().unwrap().len(), 2);
    assert_eq!(jobs(&["-q", "wro"]).await["items"].as_array().unwrap().len(), 1);
    assert_eq!(jobs(&["--queue", "nonesuch"]).await["items"], serde_json::json!([]));
    let table = board.ask(&["jobs"]).await;
    assert_eq!(table.said().lines().count(), 5);
    assert!(table.text().contains("exit code 1") && !table.text().contains('\x1b'));
    let pipelines = board.ask(&["pipelines"]).await;
    assert!(pipelines.said().contains("1 of 1"), "{}", pipelines.text());
    let shown = board.ask(&["job", &wrong]).await;
    assert!(shown.said().contains("state    failed"), "{}", shown.text());
    board.stop().await;
}
