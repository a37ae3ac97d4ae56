//! Connections that break at any place: every line is printed once, every run is made once.

use super::{
    board::{Board, Done, done},
    proxy::{Fate, Proxy},
};
use crate::running::{Running, pipeline};
use std::{sync::atomic::Ordering, time::Instant};

/// Tries come fast, so that a hundred breaks are a few seconds.
const FAST: [&str; 2] = ["--reconnect-pause", "2ms"];

/// Lines of all lengths, empty ones, colours, and text of several bytes a character.
const PRINTS: &str = r#"i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo "$i"; echo; printf 'é%*s\033[31mred\033[0m\n' $((i * 7 % 300)) ''; done"#;

fn with<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &FAST].concat()
}

async fn downloaded(board: &Board, id: &str) -> Vec<u8> {
    let log = board.ask(&["logs", id]).await;
    assert_eq!(log.status, Some(0));
    log.out
}

#[tokio::test(flavor = "multi_thread")]
async fn a_followed_log_has_every_line_once_wherever_the_connection_breaks() {
    let board = Board::start(&pipeline("prints", &[PRINTS])).await;
    let id = board.run_to_end("prints").await;
    let log = downloaded(&board, &id).await;
    assert_eq!(log.iter().filter(|b| **b == b'\n').count(), 1200);
    let mut cuts = 0;
    for seeds in (0..48).collect::<Vec<u64>>().chunks(6) {
        let seeds = seeds.iter().map(|&seed| {
            let (board, id) = (&board, id.as_str());
            async move {
                // Small, so that heads and single events are cut too.
                let most = [600, 1500, 4000, 20_000][(seed % 4) as usize];
                let proxy = Proxy::cutting(board.address, seed, most).await;
                let args = match seed % 3 {
                    0 => with(&["logs", "-f", id]),
                    1 => with(&["logs", id]),
                    _ => with(&["logs", "-f", "--tail", "5000", id]),
                };
                let followed = done(board.command_to(proxy.address, &args)).await;
                (seed, followed, proxy.cuts.load(Ordering::Relaxed))
            }
        });
        for (seed, followed, broken) in futures_util::future::join_all(seeds).await {
            assert_eq!(followed.status, Some(0), "seed {seed}: {}", followed.err);
            assert!(
                followed.out == log,
                "seed {seed}: {} of {} bytes",
                followed.out.len(),
                log.len()
            );
            cuts += broken;
        }
    }
    assert!(cuts > 500, "{cuts} breaks");
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_read_as_text_and_followed_from_its_last_line_through_breaks() {
    let gate = Running::gate("gate");
    // What is no UTF-8 and has no end of its own is between the two.
    let before = r"seq 1 900; printf 'a\377b'";
    let slow = "i=900; while [ $i -lt 1000 ]; do i=$((i+1)); echo $i; sleep 0.005; done";
    let toml = pipeline("grows", &[before, &gate.wait(), slow]);
    let board = Board::start(&toml).await;
    let id = board.run("grows").await;
    let printed = async { while board.ask(&["logs", &id]).await.out.len() < 3495 {} };
    tokio::time::timeout(crate::client::PATIENCE, printed).await.unwrap();
    let follows = (200..206).map(|seed| {
        let (board, id) = (&board, id.as_str());
        async move {
            let proxy = Proxy::cutting(board.address, seed, 2500).await;
            let args = match seed % 3 {
                0 => with(&["logs", "-f", id]),
                1 => with(&["logs", "-f", "--since", "1h", id]),
                _ => with(&["logs", "-f", "--grep", "", id]),
            };
            let followed = done(board.command_to(proxy.address, &args)).await;
            let heard = proxy.heard.lock().unwrap().clone();
            (seed, followed, heard)
        }
    });
    let opened = async {
        board.until(&id, "active").await;
        gate.open();
    };
    let (followed, ()) = tokio::join!(futures_util::future::join_all(follows), opened);
    let mut expected: Vec<_> = (1..=1000).map(|n| n.to_string()).collect();
    expected.insert(900, "a\u{fffd}b".to_owned());
    for (seed, followed, heard) in followed {
        assert_eq!(followed.status, Some(0), "seed {seed}: {}", followed.err);
        assert!(followed.text().lines().eq(&expected), "seed {seed}: {}", followed.text());
        let text = heard.iter().filter(|request| request.contains("format=text"));
        let streams = heard.iter().filter(|request| request.contains("logs?follow=true"));
        assert!(text.count() > 0 && streams.count() > 0, "seed {seed}: {heard:?}");
    }
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_followed_live_through_breaks_and_made_once() {
    let slow =
        "i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo \"line $i\"; sleep 0.01; done; exit 3";
    let board = Board::start(&pipeline("slow", &[slow])).await;
    let runs = (100..108).map(|seed| {
        let board = &board;
        async move {
            let proxy = Proxy::cutting(board.address, seed, 2500).await;
            let args = with(&["run", "slow", "--follow"]);
            done(board.command_to(proxy.address, &args)).await
        }
    });
    let runs: Vec<Done> = futures_util::future::join_all(runs).await;
    let expected: String = (1..=60).map(|n| format!("line {n}\n")).collect();
    for run in &runs {
        assert_eq!(run.status, Some(1), "{}", run.err);
        assert_eq!(run.text(), expected);
        assert!(run.err.contains("failed after"), "{}", run.err);
    }
    let jobs = board.ask(&["jobs", "--json"]).await.json();
    assert_eq!(jobs["total"]["count"], runs.len());
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_followed_over_a_restart_of_the_server() {
    let gate = Running::gate("gate");
    let toml = pipeline("waits", &[&format!("echo before; {}; echo after", gate.wait())]);
    let mut board = Board::start(&toml).await;
    let mut command = board.command(&["run", "waits", "-f", "--reconnect-pause", "20ms"]);
    let mut child = command.spawn().unwrap();
    let mut out = tokio::io::BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut out, &mut first).await.unwrap();
    assert_eq!(first, "before\n");
    board.restart().await;
    gate.open();
    let ended = tokio::time::timeout(crate::client::PATIENCE, child.wait_with_output()).await;
    let ended = ended.unwrap().unwrap();
    let mut rest = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut out, &mut rest).await.unwrap();
    assert_eq!(rest, "after\n");
    assert_eq!(ended.status.code(), Some(0));
    let errors = String::from_utf8(ended.stderr).unwrap();
    // Log and status are two streams; the break is one.
    assert_eq!(errors.matches("connection lost").count(), 1, "{errors}");
    assert_eq!(errors.matches("connected again").count(), 1, "{errors}");
    board.stop().await;
}

/// An answer as it stands, closed at its end.
fn answer(kind: &str, body: &str) -> String {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n");
    head + body
}

/// The `log` events of lines 1 and so on.
fn events(lines: &[&str]) -> String {
    let events = lines.iter().enumerate().map(|(n, line)| {
        let n = n + 1;
        let data = serde_json::json!({ "line": line, "line_number": n, "timestamp": null });
        format!("id: {n}\nevent: log\ndata: {data}\n\n")
    });
    events.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_stream_that_ends_without_saying_so_is_gone_on_with() {
    let board = Board::start(&pipeline("counts", &["seq 1 5"])).await;
    board.run_to_end("counts").await;
    let half = answer("text/event-stream", &events(&["1", "2"]));
    let proxy = Proxy::before(board.address, move |_| {
        let half = half.clone();
        Fate::instead(move |request| {
            let is_first =
                request.contains("/logs?follow=true") && request.contains("last-event-id: 0");
            is_first.then(|| half.clone())
        })
    })
    .await;
    // A run of its own is followed by events from its first line on.
    let args = with(&["run", "counts", "--follow"]);
    let followed = done(board.command_to(proxy.address, &args)).await;
    assert_eq!((followed.status, followed.text()), (Some(0), "1\n2\n3\n4\n5\n"), "{followed:?}");
    let heard = proxy.heard.lock().unwrap().concat();
    assert!(heard.contains("last-event-id: 2"), "{heard}");
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_knows_no_lines_as_text_is_read_by_events() {
    let board = Board::start(&pipeline("counts", &["seq 1 5"])).await;
    let id = board.run_to_end("counts").await;
    let end = "id: end\nevent: log_complete\ndata: {\"message\":\"\"}\n\n";
    let older = answer("text/event-stream", &(events(&["1", "2", "3", "4", "5"]) + end));
    let proxy = Proxy::before(board.address, move |_| {
        let older = older.clone();
        Fate::instead(move |request| request.contains("format=text").then(|| older.clone()))
    })
    .await;
    for (args, expected) in [
        (["logs", "-f", &id].as_slice(), "1\n2\n3\n4\n5\n"),
        (&["logs", "--tail", "2", &id], "4\n5\n"),
        (&["logs", "--since", "1h", &id], "1\n2\n3\n4\n5\n"),
    ] {
        let printed = done(board.command_to(proxy.address, &with(args))).await;
        assert_eq!((printed.status, printed.text()), (Some(0), expected), "{printed:?}");
    }
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_answer_is_lost_makes_one_run() {
    let board = Board::start(&pipeline("quick", &["true"])).await;
    let proxy = Proxy::before(board.address, |n| match n {
        // The request arrives, its answer does not.
        0..3 => Fate::Cut { after: 1, reset: n == 1 },
        _ => Fate::Whole,
    })
    .await;
    let made = done(board.command_to(proxy.address, &with(&["run", "quick"]))).await;
    assert_eq!(made.status, Some(0), "{}", made.err);
    let heard = proxy.heard.lock().unwrap().clone();
    let key = |request: &String| {
        let line = request.lines().find(|line| line.starts_with("idempotency-key: "));
        line.expect("a key").to_owned()
    };
    assert_eq!(heard.len(), 4);
    assert!(heard.iter().all(|request| key(request) == key(&heard[0])));
    let jobs = board.ask(&["jobs", "--json"]).await.json();
    assert_eq!(jobs["items"].as_array().unwrap().len(), 1);
    assert_eq!(jobs["items"][0]["id"], made.said());
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_whose_answer_is_lost_is_not_sent_again() {
    let board = Board::start(&pipeline("waits", &["sleep 1000"])).await;
    let id = board.run("waits").await;
    board.until(&id, "active").await;
    let proxy = Proxy::before(board.address, |_| Fate::Cut { after: 1, reset: false }).await;
    let asked = done(board.command_to(proxy.address, &with(&["cancel", &id]))).await;
    assert_eq!(asked.status, Some(1));
    assert!(asked.err.contains("not tried again"), "{}", asked.err);
    assert_eq!(proxy.heard.lock().unwrap().len(), 1);
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_time_gets_it() {
    let board = Board::start(&pipeline("quick", &["echo hi"])).await;
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        for args in [["run", "quick"].as_slice(), &["logs", "-f", "quick:latest"], &["jobs"]] {
            let answer = answer.clone();
            let proxy = Proxy::before(board.address, move |n| match n {
                0 => Fate::Answer(answer.clone()),
                _ => Fate::Whole,
            })
            .await;
            let began = Instant::now();
            let asked = done(board.command_to(proxy.address, &with(args))).await;
            assert_eq!(asked.status, Some(0), "{args:?} {}", asked.err);
            assert!(began.elapsed().as_secs_f64() >= 1.0, "{args:?}");
            assert!(asked.err.contains("trying again"), "{}", asked.err);
        }
    }
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_stays_away_is_given_up() {
    let board = Board::start(&pipeline("waits", &["echo begun; sleep 1000"])).await;
    let id = board.run("waits").await;
    let proxy = Proxy::before(board.address, |n| match n {
        0 => Fate::Cut { after: 800, reset: false },
        _ => Fate::Answer(String::new()),
    })
    .await;
    let args = with(&["wait", &id, "--reconnect-for", "100ms"]);
    let gone = done(board.command_to(proxy.address, &args)).await;
    assert_eq!(gone.status, Some(5), "{}", gone.err);
    assert!(
        gone.err.contains("connection lost") && gone.err.contains("cannot reach"),
        "{}",
        gone.err
    );
    assert!(proxy.heard.lock().unwrap().len() > 2);
    board.stop().await;

    // What answers nothing at all is no board.
    let nobody =
        Proxy::before("127.0.0.1:1".parse().unwrap(), |_| Fate::Answer(String::new())).await;
    let dir = tempfile::tempdir().unwrap();
    let url = format!("http://{}", nobody.address);
    let args = with(&["jobs", "--url", &url]);
    let asked = done(super::board::tailboard(dir.path(), &args)).await;
    assert_eq!(asked.status, Some(5), "{}", asked.err);
    assert_eq!(nobody.heard.lock().unwrap().len(), 6);
}
