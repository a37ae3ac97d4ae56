//! Logs: all of it, a part, as it grows.

use super::board::Board;
use crate::running::{Running, pipeline};

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_printed_as_it_is_and_in_parts() {
    let odd = r"printf 'a\377b\n\033[31mred\033[0m\r\n\nno end'";
    let board = Board::start(&(pipeline("odd", &[odd]) + &pipeline("long", &["seq 1 3000"]))).await;
    board.run_to_end("odd").await;
    board.run_to_end("long").await;
    let logs = async |args: &[&str]| {
        let done = board.ask(&[&["logs"], args].concat()).await;
        assert_eq!(done.status, Some(0), "{args:?}: {}", done.err);
        done.out
    };
    assert_eq!(logs(&["odd:latest"]).await, b"a\xffb\n\x1b[31mred\x1b[0m\r\n\nno end");
    // Line by line what is no text cannot be told.
    let lines = "a\u{fffd}b\n\x1b[31mred\x1b[0m\r\n\nno end\n";
    assert_eq!(logs(&["odd:latest", "-f"]).await, lines.as_bytes());
    assert_eq!(logs(&["odd:latest", "--tail", "1"]).await, b"no end\n");
    assert_eq!(logs(&["odd:latest", "--grep", "^red$"]).await, b"\x1b[31mred\x1b[0m\r\n");
    assert_eq!(logs(&["odd:latest", "--grep", "^a|end"]).await, b"a\xffb\nno end");
    let tail: String = (1001..=3000).map(|n| format!("{n}\n")).collect();
    assert_eq!(logs(&["long:latest", "--tail", "2000"]).await, tail.as_bytes());
    assert_eq!(logs(&["long:latest", "--tail", "0"]).await, b"");
    assert_eq!(logs(&["long:latest", "--tail", "9999", "--grep", "^2.99$"]).await.len(), 50);
    // The last that match, not what matches among the last.
    assert_eq!(logs(&["long:latest", "--tail", "2", "--grep", "^[0-9]00$"]).await, b"800\n900\n");
    assert_eq!(logs(&["long:latest", "--tail", "2", "--grep", "none"]).await, b"");
    assert_eq!(logs(&["long:latest", "--tail", "0", "--grep", "9"]).await, b"");
    assert_eq!(logs(&["long:latest", "--tail", "1", "--grep", ""]).await, b"3000\n");
    assert_eq!(logs(&["long:latest", "-f", "--tail", "1", "--grep", "(?i)^1$"]).await, b"1\n");
    let long = "x".repeat(300);
    let refused = board.ask(&["logs", "long:latest", "--tail", "1", "--grep", &long]).await;
    assert_eq!(refused.status, Some(2));
    assert!(refused.err.starts_with("--grep: "), "{}", refused.err);
    assert_eq!(
        logs(&["long:latest", "--since", "1h"]).await.len(),
        logs(&["long:latest"]).await.len()
    );
    assert_eq!(logs(&["long:latest", "--since", "2099-01-01T00:00:00Z"]).await, b"");
    let stamped = String::from_utf8(logs(&["long:latest", "--tail", "1", "-t"]).await).unwrap();
    let (at, line) = stamped.trim_end().split_once(' ').unwrap();
    assert!(at.parse::<shared::Timestamp>().is_ok() && line == "3000", "{stamped}");
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn since_begins_with_the_first_line_of_that_time() {
    let gate = Running::gate("gate");
    let step = format!("seq 1 700; {}; seq 701 1500", gate.wait());
    let board = Board::start(&pipeline("long", &[&step])).await;
    let id = board.run("long").await;
    let printed = async { while board.ask(&["logs", &id]).await.text().lines().count() < 700 {} };
    tokio::time::timeout(crate::client::PATIENCE, printed).await.unwrap();
    // The next millisecond: times have no finer grain.
    let now = shared::Timestamp(shared::Timestamp::now().0 + 1);
    while shared::Timestamp::now() < now {
        tokio::task::yield_now().await;
    }
    gate.open();
    board.ask(&["wait", &id]).await;
    let since = board.ask(&["logs", &id, "--since", &now.to_string()]).await;
    let expected: String = (701..=1500).map(|n| format!("{n}\n")).collect();
    assert_eq!(since.text(), expected);
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_printed_nothing_has_an_empty_log() {
    let board = Board::start(&pipeline("waits", &["sleep 1000"])).await;
    board.ask(&["pause", "default"]).await.said();
    let id = board.run("waits").await;
    let nothing = board.ask(&["logs", &id]).await;
    assert_eq!((nothing.status, nothing.text()), (Some(0), ""));
    assert!(nothing.err.contains("queued") && nothing.err.contains("-f"), "{}", nothing.err);
    // It never began: followed, that is an end too.
    let follows = board.command(&["logs", "-f", &id]).spawn().unwrap();
    board.ask(&["cancel", &id]).await.said();
    assert!(follows.wait_with_output().await.unwrap().status.success());
    assert_eq!(board.ask(&["logs", "-f", &id]).await.status, Some(0));
    board.stop().await;
}
