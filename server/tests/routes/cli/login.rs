//! Which board is asked with which token.

use super::{
    board::{Board, TOKEN, done, tailboard},
    proxy::{Fate, Proxy},
};
use crate::running::pipeline;
use std::{os::unix::fs::PermissionsExt, path::PathBuf};
use tokio::process::Command;

/// A command that only knows its home.
fn bare(board: &Board, args: &[&str]) -> Command {
    tailboard(board.dir.path(), args)
}

fn token_file(board: &Board) -> PathBuf {
    let file = board.dir.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    file
}

fn answer(status: &str, body: &str) -> Fate {
    Fate::Answer(format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_its_owners_alone_and_goes_to_its_board_alone() {
    let board = Board::start(&pipeline("one", &["true"])).await;
    let file = token_file(&board);
    let mut login = bare(&board, &["login", "--url", &board.url(), "--token-file"]);
    let kept = done({
        login.arg(&file);
        login
    })
    .await;
    assert_eq!(kept.status, Some(0), "{}", kept.err);
    assert!(!kept.err.contains(TOKEN));
    let path = board.dir.path().join(".config/tailboard/login.json");
    let mode = |path: &PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&path.parent().unwrap().to_path_buf()), 0o700);
    assert!(std::fs::read_to_string(&path).unwrap().contains(TOKEN));

    // Neither address nor token are said again.
    assert_eq!(done(bare(&board, &["jobs", "--json"])).await.status, Some(0));
    // Somebody else's address gets no token, and neither does where it sends one to.
    let other =
        Proxy::before(board.address, |_| answer("302 Found\r\nLocation: http://127.0.0.1:1/", ""))
            .await;
    let url = format!("http://{}", other.address);
    let asked = done(bare(&board, &["jobs", "--url", &url])).await;
    assert_eq!(asked.status, Some(5));
    assert!(asked.err.contains("sends elsewhere (http://127.0.0.1:1/)"), "{}", asked.err);
    let heard = other.heard.lock().unwrap().concat();
    assert!(heard.contains("GET /api/v1/jobs") && !heard.contains("uthorization"), "{heard}");

    assert_eq!(done(bare(&board, &["logout"])).await.status, Some(0));
    assert!(!path.exists());
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_that_does_not_let_in() {
    let board = Board::start("").await;
    let file = token_file(&board);
    let no = Proxy::before(board.address, |_| {
        answer("401 Unauthorized", r#"{"detail":"this key is revoked"}"#)
    })
    .await;
    let url = format!("http://{}", no.address);
    let mut login = bare(&board, &["login", "--url", &url, "--token-file"]);
    let refused = done({
        login.arg(&file);
        login
    })
    .await;
    assert_eq!(refused.status, Some(5));
    assert!(refused.err.contains("revoked") && !refused.err.contains(TOKEN), "{}", refused.err);
    assert!(!board.dir.path().join(".config").exists());
    // Without a terminal there is nobody to ask.
    let unasked = done(bare(&board, &["login", "--url", &board.url()])).await;
    assert_eq!(unasked.status, Some(2));
    assert!(unasked.err.contains("--token-file"), "{}", unasked.err);
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_what_to_do_next() {
    let board = Board::start("").await;
    let refusing = |status: &'static str, body: &'static str| {
        Proxy::before(board.address, move |_| answer(status, body))
    };
    let no_token = refusing("401 Unauthorized", "{}").await;
    let url = format!("http://{}", no_token.address);
    let asked = done(bare(&board, &["wait", "latest", "--url", &url])).await;
    assert_eq!(asked.status, Some(5));
    assert!(asked.err.contains("tailboard login"), "{}", asked.err);
    let not_allowed = refusing("403 Forbidden", r#"{"detail":"operators may do this"}"#).await;
    let asked = done(board.command_to(not_allowed.address, &["run", "x"])).await;
    assert_eq!(asked.status, Some(5));
    assert!(asked.err.contains("operators may do this"), "{}", asked.err);
    let other = refusing("200 OK", "<html>").await;
    let asked = done(board.command_to(other.address, &["queues"])).await;
    assert_eq!(asked.status, Some(5));
    assert!(asked.err.contains("no Tailboard"), "{}", asked.err);
    board.stop().await;
}

#[tokio::test]
async fn what_the_environment_gives_is_nothing_that_usage_asks_for() {
    let dir = tempfile::tempdir().unwrap();
    for (args, usage) in [
        (["logs"].as_slice(), "Usage: tailboard logs <JOB>\n"),
        (&["key", "add"], "Usage: tailboard key add --role <ROLE> <NAME>\n"),
        (&["backup"], "Usage: tailboard backup [OPTIONS] <DIR>\n"),
    ] {
        let mut command = tailboard(dir.path(), args);
        command.env("TAILBOARD_URL", "http://192.0.2.1").env("TAILBOARD_TOKEN", TOKEN);
        command.env("TAILBOARD_DATA_DIR", dir.path());
        let asked = done(command).await;
        assert_eq!(asked.status, Some(2), "{}", asked.err);
        assert!(asked.err.contains(usage), "{}", asked.err);
    }
    let mut wrong = tailboard(dir.path(), &["jobs"]);
    wrong.env("TAILBOARD_URL", "board");
    let asked = done(wrong).await;
    assert_eq!(asked.status, Some(2), "{}", asked.err);
    assert!(asked.err.contains("\"board\" is no address"), "{}", asked.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_of_the_environment_is_used() {
    let board = Board::start("").await;
    let address = board.address;
    let proxy = Proxy::before(address, |_| Fate::Whole).await;
    // What a proxy is asked for has the whole address; the board answers to its own name there.
    let mut command = board.command_to("192.0.2.1:80".parse().unwrap(), &["jobs"]);
    command.env("http_proxy", format!("http://{}", proxy.address));
    done(command).await;
    let heard = proxy.heard.lock().unwrap().concat();
    assert!(heard.starts_with("GET http://192.0.2.1/api/v1/jobs"), "{heard}");
    board.stop().await;
}
