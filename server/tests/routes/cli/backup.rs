//! A copy of a data directory that is in use.

use super::board::{Board, done, serve, tailboard};
use crate::running::pipeline;
use std::{path::Path, process::Stdio};

async fn backup(board: &Board, into: &Path) -> super::board::Done {
    let mut command = tailboard(board.dir.path(), &["backup", "--data-dir"]);
    command.arg(board.data()).arg(into);
    done(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_running_jobs_has_all_that_was_there_at_the_moment() {
    let busy = "while :; do echo \"line of $TAILBOARD_JOB_ID\"; done";
    let prints = "seq 1 5000; printf 'no end'; printf '\\377\\n' >&2";
    let toml =
        format!("on_shutdown = 'cancel'\nmax_log_bytes = '64MiB'\n{}", pipeline("busy", &[busy]))
            + &pipeline("prints", &[prints])
            + &pipeline("fails", &["exit 3"]);
    let board = Board::start(&toml).await;
    let ended = [board.run_to_end("prints").await, board.run_to_end("fails").await];
    let running = [board.run("busy").await, board.run("busy").await];
    for id in &running {
        board.until(id, "active").await;
    }
    // What waits behind them.
    board.ask(&["pause", "default"]).await.said();
    let waits = board.run("prints").await;
    let log = board.ask(&["logs", &ended[0]]).await.out;

    let into = board.dir.path().join("copy");
    let made = backup(&board, &into).await;
    assert_eq!(made.said().lines().count(), 1, "{made:?}");
    assert!(made.text().contains("5 jobs"), "{}", made.text());
    let again = backup(&board, &into).await;
    assert_eq!(again.status, Some(1));
    assert!(again.err.contains("not empty"), "{}", again.err);
    for name in ["tailboard.db-wal", "tailboard.lock", "incomplete"] {
        assert!(!into.join(name).exists(), "{name}");
    }
    for entry in std::fs::read_dir(&into).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "db") {
            let db = rusqlite::Connection::open(&file).unwrap();
            let check = db.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
            assert_eq!(check.unwrap(), "ok", "{}", file.display());
        }
    }

    // The board goes on meanwhile; the copy is opened beside it.
    let (mut child, address) = serve(board.dir.path(), &into, "127.0.0.1:0".parse().unwrap()).await;
    let ask = async |args: &[&str]| done(board.command_to(address, args)).await;
    let state = async |id: &str| ask(&["job", id, "--json"]).await.json();
    assert_eq!(state(&ended[0]).await["state"], "completed");
    assert_eq!(state(&ended[1]).await["state"], "failed");
    assert!(ask(&["logs", &ended[0]]).await.out == log);
    for id in &running {
        let job = state(id).await;
        assert_eq!(job["state"], "failed");
        assert!(job["error"].as_str().unwrap().contains("copy"), "{job}");
        let text = ask(&["logs", id]).await.out;
        let line = format!("line of {id}\n");
        assert!(!text.is_empty() && text.len() % line.len() == 0, "{} bytes", text.len());
        assert!(text.chunks(line.len()).all(|found| found == line.as_bytes()));
        let lines = ask(&["logs", id, "--tail", "3"]).await;
        assert_eq!(lines.said(), line.repeat(3).trim_end());
    }
    assert_eq!(state(&waits).await["state"], "cancelled");
    for id in &running {
        assert_eq!(board.job(id).await["state"], "active");
    }
    child.kill().await.unwrap();
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_of_a_data_directory_and_needs_no_server() {
    let board = Board::start(&pipeline("one", &["echo hi"])).await;
    let id = board.run_to_end("one").await;
    let dir = tempfile::tempdir().unwrap();
    let mut command = tailboard(dir.path(), &["backup", "--data-dir", "/nowhere"]);
    command.arg(dir.path().join("x")).stdin(Stdio::null());
    let nothing = done(command).await;
    assert_eq!(nothing.status, Some(1));
    assert!(nothing.err.contains("no data directory"), "{}", nothing.err);
    assert!(!dir.path().join("x").exists());

    let data = board.data();
    let kept = board.stop_and_keep().await;
    let mut command = tailboard(dir.path(), &["backup", "--data-dir"]);
    command.arg(&data).arg(dir.path().join("copy"));
    assert_eq!(done(command).await.said().lines().count(), 1);
    let log = dir.path().join("copy/jobs").join(&id[34..]).join(&id).join("log");
    assert_eq!(std::fs::read(log).unwrap(), b"hi\n");
    drop(kept);
}
