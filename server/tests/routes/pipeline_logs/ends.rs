//! How the log of a pipeline ends, and how it is refused.

use super::*;
use crate::client;
use std::fmt::Write;

#[tokio::test]
async fn an_unknown_pipeline_is_404_unknown_pipeline_name() {
    let server = Running::start("").await;
    let answer = server.get("/v0/pipelines/x/logs").await;
    assert_eq!(answer.status, 404);
    let body = answer.json().await;
    let expected = json!({
        "message": "Unknown pipeline name 'x'",
        "error_code": "UnknownPipelineName",
        "details": { "pipeline_name": "x" },
    });
    assert_eq!(body, expected);
    server.stop().await;
}

#[tokio::test]
async fn a_restart_ends_it_after_the_runs_that_it_cancels_and_the_next_reader_begins_anew() {
    let run = "echo begun; trap 'echo stopping; exit 1' TERM; while true; do sleep 0.02; done";
    let server = Running::start(&pipeline("serves", &[run])).await;
    let mut lines = Lines::of(&server, "serves").await;
    let id = server.run("serves").await;
    lines.upto("begun").await;
    let answer = server.post("/api/v1/pipelines/serves/restart", &json!({})).await;
    assert_eq!(answer.status, 202);
    let mut fresh = Lines::of(&server, "serves").await;
    let rest = lines.rest().await;
    assert!(rest.contains(&"stopping".to_owned()), "{rest:?}");
    let [.., cancelled, last] = &rest[..] else { panic!("{rest:?}") };
    assert_eq!((own(cancelled), &**last), (format!("WARN  run {id} cancelled"), LAST));
    assert_eq!(own(&fresh.next().await.unwrap()), format!("INFO  {FRESH}"));
    let next = server.run("serves").await;
    assert_eq!(own(&fresh.next().await.unwrap()), format!("INFO  run {next} started"));
    server.stop().await;
}

#[tokio::test]
async fn a_restart_ends_it_at_once_where_nothing_runs() {
    let server = Running::start(&pipeline("hello", &["echo hello"])).await;
    server.run_to_end("hello").await;
    let mut lines = Lines::of(&server, "hello").await;
    let path = "/api/v1/pipelines/hello/restart";
    assert_eq!(server.post(path, &json!({})).await.status, 202);
    assert_eq!(lines.rest().await.last().unwrap(), LAST);
    server.no_streams().await;
    server.stop().await;
}

#[tokio::test]
async fn the_deletion_of_its_pipeline_ends_it_after_the_runs_that_are_cancelled() {
    let server = Running::start("allow_pipeline_editing = true\n").await;
    let path = "/api/v1/pipelines/made";
    let body = json!({ "steps": [{ "name": "s", "run": "echo begun; sleep 1000" }] });
    assert_eq!(server.put(path, &body).await.status, 201);
    let mut lines = Lines::of(&server, "made").await;
    let id = server.run("made").await;
    lines.upto("begun").await;
    assert_eq!(server.delete(path).await.status, 204);
    let rest = lines.rest().await;
    assert_eq!(rest.len(), 2, "{rest:?}");
    assert_eq!((own(&rest[0]), &*rest[1]), (format!("WARN  run {id} cancelled"), LAST));
    assert_eq!(server.get("/v0/pipelines/made/logs").await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_reload_restarts_it_for_pipelines_that_changed_and_no_others() {
    let gate = Running::gate("gate");
    let waits = format!("echo begun; {}; echo goes on", gate.wait());
    let stays = pipeline("stays", &["echo stays"]);
    let server =
        Running::start(&(pipeline("changes", &[&waits]) + &pipeline("goes", &["true"]) + &stays))
            .await;
    let [mut changes, mut goes, mut same] = [
        Lines::of(&server, "changes").await,
        Lines::of(&server, "goes").await,
        Lines::of(&server, "stays").await,
    ];
    let id = server.run("changes").await;
    changes.upto("begun").await;
    let mut toml = stays;
    write!(toml, "{}", pipeline("changes", &["echo other"])).unwrap();
    std::fs::write(&server.file, toml).unwrap();
    assert_eq!(server.post("/api/v1/config/reload", &json!({})).await.status, 200);
    assert_eq!(changes.rest().await, [LAST]);
    assert_eq!(goes.rest().await[1..], [LAST]);
    assert_eq!(server.get("/v0/pipelines/goes/logs").await.status, 404);
    let mut changed = Lines::of(&server, "changes").await;
    gate.open();
    let read = changed.upto(&format!("run {id} completed")).await;
    assert_eq!(own(&read[1]), format!("INFO  run {id} goes on"));
    assert_eq!((read.len(), &*read[2]), (4, "goes on"), "what it printed before is not repeated");
    let id = server.run("stays").await;
    let read = same.upto(&format!("run {id} completed")).await;
    assert_eq!((read.len(), &*read[2]), (4, "stays"));
    server.stop().await;
}

#[tokio::test]
async fn a_restarted_server_begins_anew_with_the_runs_that_go_on_from_their_beginning() {
    let gate = Running::gate("gate");
    let run = format!("echo one; {}; echo two", gate.wait());
    let server = Running::start(&pipeline("survives", &[&run])).await;
    let mut lines = Lines::of(&server, "survives").await;
    let id = server.run("survives").await;
    lines.upto("one").await;
    let server = server.start_again().await;
    assert_eq!(lines.rest().await, Vec::<String>::new(), "it ends early, without the last line");
    let mut lines = Lines::of(&server, "survives").await;
    gate.open();
    let read = lines.upto(&format!("run {id} completed")).await;
    assert_eq!(own(&read[0]), format!("INFO  {FRESH}"));
    assert_eq!(own(&read[1]), format!("INFO  run {id} goes on"));
    assert_eq!(read[2..4], ["one", "two"]);
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_goes_away_is_503_runner_interaction_unreachable() {
    let server = Running::start(&pipeline("hello", &["true"])).await;
    server.closing_streams.cancel();
    while !server.streams.is_closing() {
        tokio::task::yield_now().await;
    }
    let answer = server.get("/v0/pipelines/hello/logs").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
    let body = answer.json().await;
    assert_eq!(body["error_code"], "RunnerInteractionUnreachable");
    assert!(body["message"].is_string() && body["details"].is_object());
    server.stop().await;
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_500_internal_error() {
    let server = Running::start(&pipeline("counts", &["seq 1 60000"])).await;
    let id = server.run_to_end("counts").await;
    let index = server.job_dir(&id).join("log.idx");
    std::fs::remove_file(&index).unwrap();
    std::fs::create_dir(&index).unwrap();
    let answer = server.get("/v0/pipelines/counts/logs").await;
    assert_eq!(answer.status, 500);
    let body = answer.json().await;
    let expected = json!({
        "message": "The log cannot be read", "error_code": "InternalError", "details": {},
    });
    assert_eq!(body, expected);
    server.stop().await;
}

#[tokio::test]
async fn a_reader_that_goes_away_leaves_nothing() {
    let server = Running::start(&pipeline("hello", &["echo hello"])).await;
    let mut lines = Lines::of(&server, "hello").await;
    lines.upto(FRESH).await;
    assert_eq!(server.streams.count(), 1);
    drop(lines);
    server.no_streams().await;
    server.stop().await;
}

#[tokio::test]
async fn past_its_streams_a_caller_gets_429_too_many_requests() {
    let limited = "[limits]\nstreams_per_caller = 1\n".to_owned() + &pipeline("hello", &["true"]);
    let server = Running::start(&limited).await;
    let _open = Lines::of(&server, "hello").await;
    let answer = server.get("/v0/pipelines/hello/logs").await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "5"));
    assert_eq!(answer.json().await["error_code"], "TooManyRequests");
    server.stop().await;
}

#[tokio::test]
async fn it_ends_without_the_last_line_when_the_key_of_its_reader_is_revoked() {
    let server = Running::start(&pipeline("hello", &["true"])).await;
    let key = json!({ "name": "tail", "role": "viewer" });
    let key = server.post("/api/v1/keys", &key).await.json().await;
    let bearer = format!("Bearer {}", key["token"].as_str().unwrap());
    let (path, head) = ("/v0/pipelines/hello/logs", [("Authorization", &*bearer)]);
    let answer = client::send_bare(server.address, "GET", path, &head, b"").await;
    let mut lines = Lines { answer, read: String::new() };
    lines.upto(FRESH).await;
    let id = key["id"].as_str().unwrap();
    assert_eq!(server.delete(&format!("/api/v1/keys/{id}")).await.status, 204);
    assert_eq!(lines.rest().await, Vec::<String>::new());
    server.stop().await;
}
