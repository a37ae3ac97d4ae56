//! What is asked for and how it ends: statuses, messages, which job is meant.

use super::board::{Board, done, signal, tailboard};
use crate::running::{Running, pipeline};
use tokio::io::AsyncBufReadExt;

const GREETS: &str = "[[pipeline]]\nname = 'greets'\n[[pipeline.params]]\nname = 'who'\nrequired = true\n\
    [[pipeline.steps]]\nname = 'greet'\nrun = 'echo \"hello $PARAM_WHO\"'\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_command_ends_as_the_job_does() {
    let toml = pipeline("good", &["echo fine"])
        + &pipeline("bad", &["echo oh; exit 7"])
        + &pipeline("long", &["echo begun; sleep 1000"])
        + GREETS;
    let board = Board::start(&toml).await;
    let good = board.ask(&["run", "good", "--follow"]).await;
    assert_eq!((good.status, good.text()), (Some(0), "fine\n"));
    assert!(good.err.contains("completed in "), "{}", good.err);
    let bad = board.ask(&["run", "bad", "-f"]).await;
    assert_eq!((bad.status, bad.text()), (Some(1), "oh\n"));
    assert!(bad.err.contains("exit code 7"), "{}", bad.err);
    let with = board.ask(&["run", "greets", "-p", "who=a = b; $(id)", "-f"]).await;
    assert_eq!((with.status, with.text()), (Some(0), "hello a = b; $(id)\n"));

    let long = board.run("long").await;
    let late = board.ask(&["wait", &long, "--timeout", "100ms"]).await;
    assert_eq!(late.status, Some(4));
    assert!(late.err.contains("it goes on"), "{}", late.err);
    let follows = board.command(&["logs", "-f", &long]).spawn().unwrap();
    assert_eq!(board.ask(&["cancel", &long, "--why", "enough"]).await.status, Some(0));
    let waited = board.ask(&["wait", &long]).await;
    assert_eq!(waited.status, Some(3));
    assert!(waited.err.contains("cancelled after"), "{}", waited.err);
    assert!(follows.wait_with_output().await.unwrap().status.success());
    assert_eq!(board.job(&long).await["cancel"]["why"], "enough");

    // What is over is no more to be cancelled; it can be run again, as it was or otherwise.
    let over = board.ask(&["cancel", &long]).await;
    assert_eq!(over.status, Some(1), "{}", over.err);
    let id = board.job("greets:latest").await["id"].as_str().unwrap().to_owned();
    let again = board.ask(&["retry", &id, "-f"]).await;
    assert_eq!((again.status, again.text()), (Some(0), "hello a = b; $(id)\n"));
    let again = board.ask(&["retry", &id, "-p", "who=you", "-f"]).await;
    assert_eq!((again.status, again.text()), (Some(0), "hello you\n"));
    assert_eq!(board.ask(&["delete", &id, &long]).await.said().lines().count(), 2);
    assert_eq!(board.ask(&["job", &id]).await.status, Some(2));
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_told_with_what_can_be() {
    let board = Board::start(&(pipeline("one", &["true"]) + GREETS)).await;
    for (args, said) in [
        (["run", "nonesuch"].as_slice(), "there are one, greets"),
        (&["run", "greets"], "who"),
        (&["run", "one", "-p", "x=1"], "x"),
        (&["run", "one", "-p", "x"], "KEY=VALUE"),
        (&["run", "greets", "-p", "who=a", "-p", "who=b"], "given twice"),
        (&["run", "one", "--priority", "101"], "priority"),
        (&["jobs", "--state", "lost"], "queued"),
        (&["jobs", "--since", "yesterday"], "10m"),
        (&["job", "xyz"], "wanted is its id"),
        (&["job", "latest"], "no jobs yet"),
        (&["job", "nonesuch:latest"], "nonesuch"),
        (&["job", "01234567"], "tailboard jobs"),
        (&["delete", "latest"], "wants the id"),
        (&["job", "00000000-0000-7000-8000-000000000000"], "no job"),
        (&["logs", "00000000-0000-7000-8000-000000000000"], "no"),
        (&["pause", "nonesuch"], "there are default"),
        (&["wait", "latest", "--timeout", "5"], "90s"),
        (&["logs", "x", "--grep", "("], "unclosed"),
        (&["jobs", "--url", "http://h/board"], "host of its own"),
        (&["jobs", "--token-file", "/nowhere"], "/nowhere"),
    ] {
        let asked = board.ask(args).await;
        assert_eq!(asked.status, Some(2), "{args:?}: {}", asked.err);
        assert!(asked.err.contains(said), "{args:?}: {}", asked.err);
        assert_eq!(asked.text(), "", "{args:?}");
    }
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_is_not_there_is_told_at_once_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    for args in [["jobs"].as_slice(), &["run", "x"], &["wait", "latest"], &["queues", "--watch"]] {
        let asked = done(tailboard(dir.path(), &[args, &["--url", &url]].concat())).await;
        assert_eq!(asked.status, Some(5), "{args:?}: {}", asked.err);
        for part in ["cannot reach", "tailboard serve", "TAILBOARD_URL"] {
            assert!(asked.err.contains(part), "{args:?}: {}", asked.err);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_an_id_will_do_and_one_that_may_be_several_lists_them() {
    let board = Board::start(&(pipeline("one", &["true"]) + &pipeline("two", &["true"]))).await;
    let (first, second) = (board.run_to_end("one").await, board.run_to_end("two").await);
    let id = |done: &super::board::Done| done.json()["id"].clone();
    assert_eq!(id(&board.ask(&["job", &first[28..], "--json"]).await), first.as_str());
    assert_eq!(id(&board.ask(&["job", "latest", "--json"]).await), second.as_str());
    assert_eq!(id(&board.ask(&["job", "one:latest", "--json"]).await), first.as_str());
    // Ids begin with a time, and these were made in the same minute.
    let several = board.ask(&["job", &first[..8]]).await;
    if first[..8] == second[..8] {
        assert_eq!(several.status, Some(2));
        assert!(several.err.contains(&first) && several.err.contains(&second), "{}", several.err);
    }
    let slip = board.ask(&["delete", &first[32..]]).await;
    assert_eq!(slip.status, Some(2), "{}", slip.err);
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_what_is_followed_going() {
    let gate = Running::gate("gate");
    let board = Board::start(&pipeline("waits", &[&format!("echo begun; {}", gate.wait())])).await;
    let mut child = board.command(&["run", "waits", "-f"]).spawn().unwrap();
    let mut out = tokio::io::BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(out.next_line().await.unwrap().unwrap(), "begun");
    signal(&child, "-INT");
    let ended = child.wait_with_output().await.unwrap();
    assert_eq!(ended.status.code(), Some(130));
    let errors = String::from_utf8(ended.stderr).unwrap();
    assert!(errors.contains("goes on") && errors.contains("tailboard cancel"), "{errors}");
    assert_eq!(board.job("latest").await["state"], "active");
    gate.open();
    assert_eq!(board.ask(&["wait", "latest"]).await.status, Some(0));
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_ends_the_command_quietly() {
    let board = Board::start(&pipeline("prints", &["seq 1 200000"])).await;
    let id = board.run_to_end("prints").await;
    let mut child = board.command(&["logs", &id]).spawn().unwrap();
    let mut out = tokio::io::BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(out.next_line().await.unwrap().unwrap(), "1");
    drop(out);
    let ended = child.wait_with_output().await.unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(141), Vec::new()));
    board.stop().await;
}
