//! Contract 3: `GET /api/v1/executions/{execution_id}/events`.

use crate::{
    client::Answer,
    events::{Event, Events},
    running::{Running, pipeline},
};
use serde_json::{Value, json};

const NOBODY: &str = "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1";

fn path(id: &str) -> String {
    format!("/api/v1/executions/{id}/events")
}

async fn events(server: &Running, id: &str, head: &[(&str, &str)]) -> Events {
    Events::of(server.get_with(&path(id), head).await)
}

/// (event, scope, status) of each, progress apart.
fn told(events: &[Event]) -> Vec<(&str, &str, &str)> {
    let history = events.iter().filter(|event| event.data["progress"].is_null());
    history
        .map(|event| {
            let text = |field: &str| event.data[field].as_str().unwrap();
            (&*event.name, text("scope"), text("status"))
        })
        .collect()
}

async fn refused(answer: Answer) -> (u16, Value) {
    (answer.status, answer.json().await)
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_422() {
    let server = Running::start("").await;
    for id in ["42", "0193f2c47b1e7c3a9d205f1ab8c2e4d1", "%7B%7D"] {
        let (status, body) = refused(server.get(&path(id)).await).await;
        assert_eq!(status, 422, "{id}");
        let input = id.replace("%7B%7D", "{}");
        let detail = json!([{
            "loc": ["path", "execution_id"], "msg": "Input should be a valid UUID",
            "type": "uuid_parsing", "input": input,
        }]);
        assert_eq!(body, json!({ "detail": detail }));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_timeout_that_is_no_number_from_1_to_3600_is_422_before_the_execution_is_looked_up() {
    let server = Running::start("").await;
    for (timeout, kind) in [
        ("0", "greater_than_equal"),
        ("0.99", "greater_than_equal"),
        ("-5", "greater_than_equal"),
        ("NaN", "greater_than_equal"),
        ("3600.1", "less_than_equal"),
        ("inf", "less_than_equal"),
        ("soon", "float_parsing"),
        ("", "float_parsing"),
    ] {
        let answer = server.get(&format!("{}?timeout={timeout}", path(NOBODY))).await;
        let (status, body) = refused(answer).await;
        assert_eq!(status, 422, "{timeout}");
        let [error] = &body["detail"].as_array().unwrap()[..] else { panic!("{body}") };
        assert_eq!(error["loc"], json!(["query", "timeout"]));
        assert_eq!((&error["type"], &error["input"]), (&json!(kind), &json!(timeout)));
        assert!(error["msg"].as_str().unwrap().starts_with("Input should be"));
    }
    for timeout in ["1", "3600", "2.5"] {
        let answer = server.get(&format!("{}?timeout={timeout}&_=7", path(NOBODY))).await;
        assert_eq!(answer.status, 404, "{timeout}");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_execution_is_404_execution_not_found() {
    let server = Running::start("").await;
    let (status, body) = refused(server.get(&path(NOBODY)).await).await;
    assert_eq!((status, &body["error_code"]), (404, &json!("execution_not_found")));
    assert!(body["detail"].is_string());
    assert!(body["timestamp"].as_str().unwrap().ends_with('Z'));
    server.stop().await;
}

#[tokio::test]
async fn when_no_subscribers_are_accepted_it_is_503_streamer_unavailable() {
    let server = Running::start("").await;
    server.closing_streams.cancel();
    while !server.streams.is_closing() {
        tokio::task::yield_now().await;
    }
    let answer = server.get(&path(NOBODY)).await;
    assert!(!answer.header("retry-after").is_empty());
    let (status, body) = refused(answer).await;
    assert_eq!((status, &body["error_code"]), (503, &json!("streamer_unavailable")));
    server.stop().await;
}

#[tokio::test]
async fn steps_and_the_execution_are_told_in_order_and_the_last_event_ends_the_stream() {
    let (one, two) = (Running::gate("one"), Running::gate("two"));
    let server = Running::start(&pipeline("works", &[&one.wait(), &two.wait()])).await;
    let id = server.run("works").await;
    let mut stream = events(&server, &id, &[]).await;
    let mut all = Vec::new();
    let until = async |stream: &mut Events, all: &mut Vec<Event>, name: &str| loop {
        all.push(stream.next().await.unwrap());
        if all.last().unwrap().data["name"] == name {
            return;
        }
    };
    until(&mut stream, &mut all, "step 1").await;
    one.open();
    until(&mut stream, &mut all, "step 2").await;
    two.open();
    all.extend(stream.rest().await);
    let expected = [
        ("initiated", "execution", "queued"),
        ("processing", "execution", "active"),
        ("processing", "step", "active"),
        ("completed", "step", "completed"),
        ("processing", "step", "active"),
        ("completed", "step", "completed"),
        ("completed", "execution", "completed"),
    ];
    assert_eq!(told(&all), expected);
    let ids: Vec<_> = all.iter().map(|event| event.id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6", "end"]);
    let mut fields: Vec<_> = all[3].data.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "attempt",
            "duration_ms",
            "error",
            "execution_id",
            "name",
            "progress",
            "scope",
            "status",
            "step_id",
            "timestamp"
        ]
    );
    for event in &all {
        assert_eq!(event.data["execution_id"], id);
        assert_eq!(event.data["step_id"].is_string(), event.data["scope"] == "step");
        assert!(event.data["timestamp"].as_str().unwrap().ends_with('Z'));
        assert!(event.data["error"].is_null());
    }
    assert_eq!(all[2].data["step_id"], all[3].data["step_id"]);
    assert_eq!((&all[0].data["name"], &all[0].data["attempt"]), (&json!("works"), &json!(0)));
    assert_eq!((&all[3].data["name"], &all[3].data["attempt"]), (&json!("step 1"), &json!(1)));
    assert!(all[3].data["duration_ms"].is_u64() && all[6].data["duration_ms"].is_u64());
    server.stop().await;
}

#[tokio::test]
async fn failed_and_cancelled_both_arrive_as_failed_and_are_told_apart_by_status() {
    let gate = Running::gate("gate");
    let toml = pipeline("fails", &["exit 3", "true"]) + &pipeline("waits", &[&gate.wait()]);
    let server = Running::start(&toml).await;
    let id = server.run_to_end("fails").await;
    let all = events(&server, &id, &[]).await.rest().await;
    let last = all.last().unwrap();
    assert_eq!((&*last.name, &last.data["status"]), ("failed", &json!("failed")));
    assert!(last.data["error"].is_string());
    assert!(told(&all).contains(&("failed", "step", "failed")));
    assert!(told(&all).contains(&("failed", "step", "skipped")));

    let id = server.run("waits").await;
    let mut stream = events(&server, &id, &[]).await;
    while stream.next().await.unwrap().data["scope"] != "step" {}
    assert_eq!(server.cancel(&id).await.status, 202);
    let all = stream.rest().await;
    let last = all.last().unwrap();
    assert_eq!((&*last.name, &last.data["status"]), ("failed", &json!("cancelled")));
    assert_eq!(last.data["scope"], "execution");
    server.stop().await;
}

#[tokio::test]
async fn one_that_connects_late_sees_the_whole_story_and_the_end() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("works", &["true", &gate.wait()])).await;
    let id = server.run("works").await;
    let mut first = events(&server, &id, &[]).await;
    let mut all = Vec::new();
    while all.last().is_none_or(|event: &Event| event.data["name"] != "step 2") {
        all.push(first.next().await.unwrap());
    }
    // In the middle: all so far, then what is new.
    let mut late = events(&server, &id, &[]).await;
    gate.open();
    all.extend(first.rest().await);
    assert_eq!(late.rest().await, all);
    // After the end: the same.
    assert_eq!(events(&server, &id, &[]).await.rest().await, all);
    server.stop().await;
}

#[tokio::test]
async fn a_reconnect_goes_on_after_its_id_and_after_the_end_it_is_204() {
    let server = Running::start(&pipeline("works", &["true", "true"])).await;
    let id = server.run_to_end("works").await;
    let all = events(&server, &id, &[]).await.rest().await;
    for after in [0, 1, 4, 6] {
        let head = [("Last-Event-ID", &*after.to_string())];
        let rest = events(&server, &id, &head).await.rest().await;
        assert_eq!(rest, all[after..], "{after}");
    }
    // After an ordinal that was never given out there is the end, so that a browser does not come back for ever.
    let beyond = [("Last-Event-ID", "99")];
    assert_eq!(events(&server, &id, &beyond).await.rest().await, all[all.len() - 1..]);
    let answer = server.get_with(&path(&id), &[("Last-Event-ID", "end")]).await;
    assert_eq!(answer.status, 204);
    for bad in ["x", "-1", "1.2", ""] {
        let answer = server.get_with(&path(&id), &[("Last-Event-ID", bad)]).await;
        let (status, body) = refused(answer).await;
        assert_eq!(status, 400, "{bad}");
        assert!(body["detail"].is_string() && body["error_code"].is_string());
    }
    server.stop().await;
}

#[tokio::test]
async fn an_attempt_that_is_followed_by_another_does_not_end_the_stream() {
    let toml = "[[pipeline]]\nname = 'flaky'\nretries = 1\nretry_delay = '10ms'\n\
        [[pipeline.steps]]\nname = 'try'\nrun = '[ $TAILBOARD_ATTEMPT = 2 ]'\n";
    let server = Running::start(toml).await;
    let id = server.run("flaky").await;
    let all = events(&server, &id, &[]).await.rest().await;
    let expected = [
        ("initiated", "execution", "queued"),
        ("processing", "execution", "active"),
        ("processing", "step", "active"),
        ("failed", "step", "failed"),
        ("initiated", "execution", "retrying"),
        ("processing", "execution", "active"),
        ("processing", "step", "active"),
        ("completed", "step", "completed"),
        ("completed", "execution", "completed"),
    ];
    assert_eq!(told(&all), expected);
    assert_eq!(all[6].data["attempt"], 2);
    assert_ne!(all[6].data["step_id"], all[2].data["step_id"]);
    server.stop().await;
}

#[tokio::test]
async fn progress_is_told_without_an_id_and_a_replay_has_its_last_value_only() {
    let (one, two) = (Running::gate("one"), Running::gate("two"));
    let run = format!(
        r"printf '\033]9;4;1;10\007'; {}; printf '\033]9;4;1;70\007'; {}",
        one.wait(),
        two.wait()
    );
    let server = Running::start(&pipeline("works", &[&run])).await;
    let id = server.run("works").await;
    let mut stream = events(&server, &id, &[]).await;
    let progress = async |stream: &mut Events| loop {
        let event = stream.named("processing").await;
        if !event.data["progress"].is_null() {
            return event;
        }
    };
    let ten = progress(&mut stream).await;
    assert_eq!((&ten.id, &ten.data["progress"]), (&None, &json!(10.0)));
    assert_eq!((&ten.data["scope"], &ten.data["name"]), (&json!("step"), &json!("step 1")));
    one.open();
    assert_eq!(progress(&mut stream).await.data["progress"], 70.0);
    let mut late = events(&server, &id, &[]).await;
    assert_eq!(progress(&mut late).await.data["progress"], 70.0);
    two.open();
    late.rest().await;
    let after = events(&server, &id, &[]).await.rest().await;
    assert!(after.iter().all(|event| event.data["progress"].is_null() && event.id.is_some()));
    server.stop().await;
}

#[tokio::test]
async fn silence_is_filled_with_comments_and_at_the_timeout_there_is_one_and_no_event() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("waits", &[&gate.wait()])).await;
    let id = server.run("waits").await;
    let mut stream = Events::of(server.get(&format!("{}?timeout=1", path(&id))).await);
    let first = stream.first_bytes().await;
    assert!(first.starts_with("retry: ") && first.ends_with("\n:ok\n"), "{first}");
    let all = stream.rest().await;
    assert_eq!(all.last().unwrap().data["name"], "step 1");
    assert!(stream.comments.iter().filter(|comment| *comment == " keep-alive").count() >= 3);
    assert_eq!(stream.comments.last().unwrap(), " timeout");
    gate.open();
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_goes_away_frees_everything_at_once() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("waits", &[&gate.wait()])).await;
    let id = server.run("waits").await;
    let mut stream = events(&server, &id, &[]).await;
    stream.next().await.unwrap();
    assert_eq!(server.streams.count(), 1);
    drop(stream);
    server.no_streams().await;
    gate.open();
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_goes_away_ends_it_with_a_time_to_come_again() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("waits", &[&gate.wait()])).await;
    let id = server.run("waits").await;
    let mut stream = events(&server, &id, &[]).await;
    stream.first_bytes().await;
    server.closing.cancel();
    stream.rest().await;
    assert!((1000..=5000).contains(&stream.retry.unwrap()));
    server.stop().await;
}
