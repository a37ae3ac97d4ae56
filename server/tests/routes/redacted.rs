//! Secrets that are known by their looks: wherever output of a run can be read, there is only `*`.

use crate::{
    events::Events,
    running::{Running, pipeline},
};
use serde_json::Value;

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const PASSWORD: &str = "correct-horse";
const JWT: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJl";
const KEY: &str = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp";

/// A pipeline that prints them, an id and a token in two pieces with a gate between, and its file.
fn tells(redact: &str, between: &str) -> (String, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let lines = format!(
        "-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\nplain https://example.com/a\n"
    );
    std::fs::write(dir.path().join("lines"), lines).unwrap();
    let (id, jwt) = (ID.split_at(9), JWT.split_at(30));
    // Its definition may be read as well, so it has them in pieces.
    let run = format!(
        "cat {}; echo \"psql postgres://app:{PASSWORD}@db/x\" >&2; printf 'id {}'; printf 'now {}' >&2; \
         {between}; printf '{} is it\\n'; printf '{}' >&2",
        dir.path().join("lines").display(),
        id.0,
        jwt.0,
        id.1,
        jwt.1,
    );
    (pipeline("tells", &[&run]).replacen('\n', &format!("\n{redact}\n"), 1), dir)
}

fn stars(text: &str) -> String {
    "*".repeat(text.len())
}

/// What is read has none of them, nor a piece.
#[track_caller]
fn has_none(what: &str, read: &str) {
    for secret in [&ID[..12], PASSWORD, &JWT[..12], &JWT[20..40], KEY, "BEGIN PRIVATE"] {
        assert!(!read.contains(secret), "{what} has {secret}: {read}");
    }
}

fn open_lines(window: &Value) -> String {
    window["open"].to_string()
}

#[tokio::test]
async fn no_way_to_read_a_log_has_a_secret() {
    let gate = Running::gate("gate");
    let (tells, _dir) = tells("redact = true", &gate.wait());
    let server = Running::start(&tells).await;
    let mut of_pipeline = server.get("/v0/pipelines/tells/logs").await;
    let id = server.run("tells").await;
    let window = format!("/api/v1/jobs/{id}/log");
    let mut followed = Events::of(server.get(&format!("/api/jobs/{id}/logs")).await);
    // The beginnings of both, as long as nobody knows how they go on, are not shown.
    let live = loop {
        let answer = server.get(&window).await;
        let window = if answer.status == 200 { answer.json().await } else { Value::Null };
        if window["open"].as_array().is_some_and(|open| open.len() == 2) {
            break window;
        }
        tokio::task::yield_now().await;
    };
    has_none("the live view", &live.to_string());
    assert!(
        open_lines(&live).contains("\"id \"") && open_lines(&live).contains("\"now "),
        "{live}"
    );
    gate.open();
    server.over(&id).await;

    let url = format!("psql postgres://app:{}@db/x", stars(PASSWORD));
    let (told, jwt) = (format!("id {} is it", stars(ID)), format!("now {}", stars(JWT)));
    let key =
        [stars("-----BEGIN PRIVATE KEY-----"), stars(KEY), stars("-----END PRIVATE KEY-----")];
    let plain = "plain https://example.com/a";
    let expected = [&url, &told, &jwt, &key[0], &key[1], &key[2], plain];
    let log = server.get(&format!("/api/jobs/{id}/logs/static")).await.text().await;
    for line in expected {
        assert!(log.lines().any(|said| said == line), "{line} is not in {log}");
    }
    assert_eq!(log.lines().count(), expected.len());
    let mut followed_text = String::new();
    while let Some(event) = followed.next().await {
        followed_text += &event.data.to_string();
    }
    let mut pipeline_text = String::new();
    while !pipeline_text.contains(" completed") {
        pipeline_text += &String::from_utf8(of_pipeline.piece().await.unwrap()).unwrap();
    }
    assert!(followed_text.contains(&told) && pipeline_text.contains(&told));
    for (what, read) in [("its stream", &followed_text), ("the pipeline's log", &pipeline_text)] {
        has_none(what, read);
    }
    for path in [
        window.clone(),
        format!("{window}/download"),
        format!("/api/jobs/{id}/logs/static"),
        format!("/api/jobs/{id}/logs?follow=false&tail_lines=1000"),
        format!("/runner-jobs/{id}/events/stream"),
    ] {
        let read = server.get(&path).await.text().await;
        assert!(read.contains(&told), "{path} is read: {read}");
        has_none(&path, &read);
    }
    for secret in [ID, PASSWORD, "eyJ", KEY] {
        let found = server.json(&format!("{window}/search?q={secret}")).await;
        assert_eq!(found["count"], 0, "{secret}: {found}");
    }
    has_none("the file", &std::fs::read_to_string(server.job_dir(&id).join("log")).unwrap());
    server.stop().await;
}

#[tokio::test]
async fn a_pipeline_says_otherwise_and_without_the_key_all_stays() {
    for (top, own, is_hidden) in [
        ("redact = ['aws', 'jwt', 'url', 'pem']", "", true),
        ("redact = true", "redact = []", false),
        ("redact = ['github']", "redact = ['aws', 'jwt', 'url', 'pem']", true),
        ("", "", false),
    ] {
        let (tells, _dir) = tells(own, "true");
        let server = Running::start(&format!("{top}\n{tells}")).await;
        let id = server.run_to_end("tells").await;
        let log = server.get(&format!("/api/jobs/{id}/logs/static")).await.text().await;
        assert_eq!(log.contains(&stars(ID)), is_hidden, "{top}, {own}: {log}");
        match is_hidden {
            true => has_none("the log", &log),
            false => assert!([ID, PASSWORD, JWT, KEY].iter().all(|secret| log.contains(secret))),
        }
        server.stop().await;
    }
}
