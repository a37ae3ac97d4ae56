//! Pipelines that are restarted, made, changed and deleted over the API.

use crate::{
    client::Answer,
    running::{Running, pipeline},
};
use serde_json::{Value, json};

const ALLOWED: &str = "allow_pipeline_editing = true\n";
const MADE: &str = "/api/v1/pipelines/made";

fn prints(text: &str) -> Value {
    json!({ "steps": [{ "name": "print", "run": format!("echo {text}") }] })
}

async fn refused(answer: Answer, status: u16) -> Value {
    assert_eq!(answer.status, status);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    answer.json().await
}

/// Where a pipeline comes from.
async fn origin(server: &Running, name: &str) -> Value {
    server.json(&format!("/api/v1/pipelines/{name}")).await["pipeline"]["origin"].clone()
}

async fn reload(server: &Running, toml: &str) -> Value {
    std::fs::write(&server.file, toml).unwrap();
    let answer = server.post("/api/v1/config/reload", &json!({})).await;
    assert_eq!(answer.status, 200);
    answer.json().await
}

#[tokio::test]
async fn editing_is_403_and_says_how_to_allow_it_unless_the_file_allows_it() {
    let server = Running::start(&pipeline("hello", &["true"])).await;
    for answer in [server.put(MADE, &prints("x")).await, server.delete(MADE).await] {
        let detail = refused(answer, 403).await["detail"].to_string();
        assert!(detail.contains("allow_pipeline_editing = true"), "{detail}");
    }
    assert_eq!(server.get(MADE).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_pipeline_is_made_run_changed_and_deleted() {
    let server = Running::start(ALLOWED).await;
    let answer = server.put(MADE, &prints("one")).await;
    assert_eq!((answer.status, answer.header("location")), (201, MADE));
    let made = &answer.json().await["pipeline"];
    assert_eq!((&made["name"], &made["origin"]), (&json!("made"), &json!("api")));
    assert_eq!(origin(&server, "made").await, "api");
    let first = server.run_to_end("made").await;
    assert_eq!(server.put(MADE, &prints("two")).await.status, 200);
    assert_eq!(server.put(MADE, &prints("two")).await.status, 200, "as it was");
    let second = server.run_to_end("made").await;
    for (id, text) in [(&first, "one\n"), (&second, "two\n")] {
        let log = server.get(&format!("/api/jobs/{id}/logs/static")).await;
        assert_eq!(log.text().await, text);
    }
    assert_eq!(server.delete(MADE).await.status, 204);
    assert_eq!(server.get(MADE).await.status, 404);
    refused(server.delete(MADE).await, 404).await;
    assert_eq!(server.json(&format!("/api/v1/jobs/{first}")).await["pipeline"], "made");
    let answer = server.post("/api/v1/executions", &json!({ "pipeline": "made" })).await;
    assert_eq!(refused(answer, 400).await["field"], "pipeline");
    server.stop().await;
}

#[tokio::test]
async fn a_name_of_the_file_is_409_whether_it_is_put_or_deleted() {
    let server = Running::start(&(ALLOWED.to_owned() + &pipeline("hello", &["true"]))).await;
    let path = "/api/v1/pipelines/hello";
    for answer in [server.put(path, &prints("x")).await, server.delete(path).await] {
        let detail = refused(answer, 409).await["detail"].to_string();
        assert!(detail.contains("in the configuration file"), "{detail}");
    }
    assert_eq!(origin(&server, "hello").await, "file");
    server.stop().await;
}

#[tokio::test]
async fn every_mistake_in_a_pipeline_is_told_with_its_field() {
    let server = Running::start(ALLOWED).await;
    let body = json!({
        "cron": "often",
        "steps": [{ "name": "a", "run": "" }, { "name": "a", "run": "x", "timeot": "1m" }],
    });
    let problem = refused(server.put(MADE, &body).await, 400).await;
    let errors = problem["errors"].as_array().unwrap();
    let mut fields: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["cron", "steps[a].name", "steps[a].run", "steps[a].timeot"]);
    assert!(errors.iter().all(|error| error["detail"].is_string()));
    refused(server.put("/api/v1/pipelines/a%20b", &prints("x")).await, 400).await;
    refused(server.put(&format!("{MADE}?force=1"), &prints("x")).await, 400).await;
    refused(server.put(MADE, &json!([])).await, 400).await;
    let long = json!({ "description": "x".repeat(600_000) });
    refused(server.put(MADE, &long).await, 413).await;
    assert_eq!(server.get(MADE).await.status, 404, "nothing of it is there");
    server.stop().await;
}

#[tokio::test]
async fn a_made_pipeline_survives_a_restart_of_the_server_and_its_schedule_goes_on() {
    let server = Running::start(ALLOWED).await;
    let body = json!({ "cron": "@daily", "steps": [{ "name": "s", "run": "true" }] });
    assert_eq!(server.put(MADE, &body).await.status, 201);
    assert_eq!(server.put("/api/v1/pipelines/other", &prints("x")).await.status, 201);
    assert_eq!(server.delete("/api/v1/pipelines/other").await.status, 204);
    let server = server.start_again().await;
    let made = &server.json(MADE).await["pipeline"];
    assert_eq!((&made["origin"], &made["schedule"]["cron"]), (&json!("api"), &json!("@daily")));
    assert_eq!(server.get("/api/v1/pipelines/other").await.status, 404);
    server.run_to_end("made").await;
    server.stop().await;
}

#[tokio::test]
async fn a_reload_keeps_what_was_made_unless_the_file_has_its_name_or_allows_none() {
    let server = Running::start(ALLOWED).await;
    assert_eq!(server.put(MADE, &prints("api")).await.status, 201);
    let both = ALLOWED.to_owned() + &pipeline("hello", &["true"]);
    assert_eq!(
        reload(&server, &both).await,
        json!({ "added": ["hello"], "changed": [], "removed": [], "settings": [], "at_next_start": [] })
    );
    assert_eq!(origin(&server, "made").await, "api");
    let same = ALLOWED.to_owned() + &pipeline("made", &["echo file"]);
    let reloaded = reload(&server, &same).await;
    assert_eq!(
        reloaded,
        json!({ "added": [], "changed": ["made"], "removed": ["hello"], "settings": [], "at_next_start": [] })
    );
    assert_eq!(origin(&server, "made").await, "file");
    assert_eq!(reload(&server, "").await["removed"], json!(["made"]));
    assert_eq!(server.get(MADE).await.status, 404);
    assert_eq!(reload(&server, ALLOWED).await["added"], json!(["made"]), "it was kept");
    assert_eq!(origin(&server, "made").await, "api");
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_pipeline_has_its_runs_cancelled_and_those_that_wait() {
    let toml = format!("{ALLOWED}[[queue]]\nname = 'one'\nconcurrency = 1\n");
    let server = Running::start(&toml).await;
    let body = json!({ "queue": "one", "steps": [{ "name": "s", "run": "sleep 1000" }] });
    assert_eq!(server.put(MADE, &body).await.status, 201);
    let mut events = server.events("&types=job", &[]).await;
    events.first_bytes().await;
    let running = server.run("made").await;
    let waits = server.run("made").await;
    events.job(&running, "active").await;
    assert_eq!(server.delete(MADE).await.status, 204);
    for id in [&running, &waits] {
        server.over(id).await;
        let job = server.json(&format!("/api/v1/jobs/{id}")).await;
        assert_eq!(job["state"], "cancelled");
        assert_eq!(job["cancel"]["why"], "the pipeline was deleted");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_restart_cancels_what_runs_and_leaves_what_waits() {
    let gate = Running::gate("gate");
    let toml = "[[queue]]\nname = 'one'\nconcurrency = 1\n".to_owned()
        + &pipeline("waits", &[&gate.wait()]).replacen('\n', "\nqueue = 'one'\n", 1);
    let server = Running::start(&toml).await;
    let path = "/api/v1/pipelines/waits/restart";
    let answer = server.post(path, &json!({})).await;
    assert_eq!((answer.status, answer.json().await), (202, json!({ "cancelled": [] })));
    let mut events = server.events("&types=job", &[]).await;
    events.first_bytes().await;
    let running = server.run("waits").await;
    let waiting = server.run("waits").await;
    events.job(&running, "active").await;
    let answer = server.post(path, &json!({})).await;
    assert_eq!((answer.status, answer.json().await), (202, json!({ "cancelled": [running] })));
    server.over(&running).await;
    gate.open();
    server.over(&waiting).await;
    let state = async |id: &str| server.json(&format!("/api/v1/jobs/{id}")).await["state"].clone();
    assert_eq!(state(&running).await, "cancelled");
    assert_eq!(state(&waiting).await, "completed");
    let answer = server.post("/api/v1/pipelines/nothing/restart", &json!({})).await;
    refused(answer, 404).await;
    server.stop().await;
}
