//! Users and keys: by a board that runs, and by its data directory while it does not.

use super::{
    board::{Board, Done, done, tailboard},
    terminal::Terminal,
};
use crate::running::pipeline;
use std::path::{Path, PathBuf};
use tokio::process::Command;

fn secret(dir: &Path, text: &str) -> PathBuf {
    let file = dir.join("secret");
    std::fs::write(&file, format!("{text}\n")).unwrap();
    file
}

/// The same command by both ways: what it says and how it ends do not differ.
async fn by_both(ask: impl AsyncFn(&[&str]) -> Done, dir: &Path) {
    let password = secret(dir, "correct horse battery");
    let password = password.to_str().unwrap();
    let users = async || ask(&["user", "list", "--json"]).await.json()["items"].clone();
    let add = |name: &'static str, role: &'static str| {
        ["user", "add", name, "--role", role, "--password-file", password]
    };
    assert_eq!(ask(&add("ann", "admin")).await.said(), "ann is admin");
    assert_eq!(ask(&add("bob", "viewer")).await.said(), "bob is viewer");
    assert_eq!(users().await[1]["has_password"], true);
    assert_eq!(ask(&["user", "role", "bob", "operator"]).await.said(), "bob is operator");
    assert_eq!(ask(&["user", "disable", "bob"]).await.said(), "bob is shut out");
    let table = ask(&["user", "list"]).await;
    assert!(table.said().contains("no: disabled"), "{}", table.text());
    assert_eq!(ask(&["user", "enable", "bob"]).await.said(), "bob may come in");
    assert_eq!(users().await[1]["role"], "operator");
    let again = ["user", "password", "bob", "--password-file", password];
    assert!(ask(&again).await.said().contains("bob has another password"));

    let taken = ask(&add("ann", "viewer")).await;
    assert_eq!(taken.status, Some(1));
    assert!(taken.err.contains("taken"), "{}", taken.err);
    let last = ask(&["user", "role", "ann", "viewer"]).await;
    assert_eq!(last.status, Some(1));
    assert!(last.err.contains("last admin"), "{}", last.err);
    for wrong in [
        ["user", "role", "nobody", "viewer"].as_slice(),
        &["user", "role", "bob", "king"],
        &["user", "add", "a b", "--role", "viewer", "--password-file", password],
        &["user", "add", "carl", "--role", "viewer", "--password-file", "/nowhere"],
        &["user", "add", "carl", "--role", "viewer"],
        &["key", "revoke", "nonesuch"],
        &["key", "add", "late", "--role", "viewer", "--expires", "2020-01-01T00:00:00Z"],
    ] {
        let asked = ask(wrong).await;
        assert_eq!(asked.status, Some(2), "{wrong:?}: {}", asked.err);
    }
    assert_eq!(ask(&["user", "delete", "bob"]).await.said(), "bob is deleted");
    assert_eq!(users().await.as_array().unwrap().len(), 1);

    let made = ask(&["key", "add", "ci", "--role", "operator", "--expires", "90d"]).await;
    assert!(made.said().starts_with("tb_") && made.err.contains("this once"));
    let keys = ask(&["key", "list", "--json"]).await.json()["items"].clone();
    let ci = keys.as_array().unwrap().iter().find(|key| key["name"] == "ci").unwrap();
    assert_eq!((ci["role"].as_str(), ci["until"].is_string()), (Some("operator"), true));
    assert!(!keys.to_string().contains(made.said()));
    assert_eq!(ask(&["key", "revoke", "ci"]).await.said(), "ci is revoked");
    assert!(ask(&["key", "list"]).await.said().contains("no: revoked"));
    assert_eq!(ask(&["key", "revoke", "ci"]).await.status, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn users_and_keys_are_kept_by_a_board_that_runs() {
    let board = Board::start(&pipeline("one", &["true"])).await;
    by_both(async |args| board.ask(args).await, board.dir.path()).await;
    // What a role does not allow, the key of it cannot do.
    let made = board.ask(&["key", "add", "reads", "--role", "viewer"]).await;
    let mut command = board.command(&["run", "one"]);
    command.env("TAILBOARD_TOKEN", made.said());
    let refused = done(command).await;
    assert_eq!(refused.status, Some(5));
    assert!(refused.err.contains("not allowed with this token"), "{}", refused.err);
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_followed_log_ends_with_the_access_of_its_reader() {
    let board = Board::start(&pipeline("waits", &["echo begun; sleep 1000"])).await;
    let id = board.run("waits").await;
    let made = board.ask(&["key", "add", "reads", "--role", "viewer"]).await;
    let mut command = board.command(&["logs", "-f", &id]);
    command.env("TAILBOARD_TOKEN", made.said());
    let mut follows = command.spawn().unwrap();
    let mut out = tokio::io::BufReader::new(follows.stdout.take().unwrap());
    let mut line = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut out, &mut line).await.unwrap();
    assert_eq!(line, "begun\n");
    board.ask(&["key", "revoke", "reads"]).await.said();
    let ended = tokio::time::timeout(crate::client::PATIENCE, follows.wait_with_output()).await;
    let ended = ended.unwrap().unwrap();
    assert_eq!(ended.status.code(), Some(5));
    let errors = String::from_utf8(ended.stderr).unwrap();
    assert!(errors.contains("tailboard login"), "{errors}");
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_and_keys_of_a_data_directory_are_kept_while_no_server_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let at = data.to_str().unwrap().to_owned();
    let ask = async |args: &[&str]| {
        done(tailboard(dir.path(), &[args, &["--data-dir", &at]].concat())).await
    };
    // Before the first start, too; but what was mistyped is not made.
    let mistyped = ask(&["user", "list"]).await;
    assert_eq!(mistyped.status, Some(2), "{mistyped:?}");
    let said = format!("{at} is no data directory: neither access.db nor tailboard.db is in it");
    assert!(mistyped.err.contains(&said) && mistyped.err.contains("--create"), "{}", mistyped.err);
    assert!(!data.exists());
    ask(&["key", "add", "first", "--role", "viewer", "--create"]).await.said();
    by_both(ask, dir.path()).await;
    let token = ask(&["key", "add", "mine", "--role", "admin"]).await.said().to_owned();

    let board = Board::start("").await;
    let busy = board.data();
    let mut command = tailboard(dir.path(), &["user", "list", "--data-dir"]);
    command.arg(&busy);
    let refused = done(command).await;
    assert_eq!(refused.status, Some(1));
    assert!(refused.err.contains("in use") && refused.err.contains("without --data-dir"));

    let alone = dir.path().join("alone");
    let alone = alone.to_str().unwrap();
    let ask_alone = async |args: &[&str]| {
        done(tailboard(dir.path(), &[args, &["--data-dir", alone]].concat())).await
    };
    ask_alone(&["key", "add", "only", "--role", "admin", "--create"]).await.said();
    let last = ask_alone(&["key", "revoke", "only"]).await;
    assert_eq!(last.status, Some(1));
    assert!(last.err.contains("no admin could get in without this key"), "{}", last.err);

    // A server that is started on it lets the key in, and knows what was done without it.
    let (mut child, address) =
        super::board::serve(board.dir.path(), &data, "127.0.0.1:0".parse().unwrap()).await;
    let mut command = board.command_to(address, &["user", "list", "--json"]);
    command.env("TAILBOARD_TOKEN", &token);
    assert_eq!(done(command).await.json()["items"][0]["name"], "ann");
    let bearer = format!("Bearer {token}");
    let head = [("Authorization", bearer.as_str())];
    let audit =
        crate::client::send_bare(address, "GET", "/api/v1/audit?action=key", &head, b"").await;
    let audit = audit.json().await;
    assert_eq!(audit["items"][0]["target"], "mine", "{audit}");
    assert_eq!(audit["items"][0]["address"], "command line");
    child.kill().await.unwrap();
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_typed_twice_and_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    for (second, status) in [("something else", 2), ("correct horse battery", 0)] {
        let mut command = Command::new("setsid");
        command.args(["--ctty", env!("CARGO_BIN_EXE_tailboard"), "user", "add", "ann"]);
        command.args(["--role", "admin", "--create", "--data-dir"]).arg(dir.path().join("data"));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", dir.path());
        command.kill_on_drop(true);
        let mut add = Terminal::of(command, 80);
        add.until("Password of ann").await;
        add.types("correct horse battery\n");
        add.until("The same again").await;
        add.types(&format!("{second}\n"));
        let (ended, seen) = add.end().await;
        assert_eq!(ended, Some(status), "{seen:?}");
        assert!(!seen.contains("horse") && !seen.contains("else"), "{seen:?}");
    }
}
