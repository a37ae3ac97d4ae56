//! Contract 1: `GET /api/events/stream`.

use crate::{
    events::{Event, Events},
    running::{Running, pipeline},
};
use serde_json::json;

/// Seq of an event's id.
fn seq(event: &Event) -> u64 {
    event.id.as_deref().unwrap().split_once('-').unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn the_first_bytes_come_at_once_and_open_the_next_block() {
    let server = Running::start("").await;
    let mut events = server.events("", &[]).await;
    let first = events.first_bytes().await.to_owned();
    let time = first.strip_prefix("retry: ").and_then(|rest| rest.strip_suffix("\n:ok\n"));
    let time: u64 = time.unwrap_or_else(|| panic!("{first:?}")).parse().unwrap();
    assert!((2000..=4000).contains(&time), "{time}");
    server.stop().await;
}

#[tokio::test]
async fn what_is_asked_wrongly_is_a_validation_error_in_the_contracts_shape() {
    let server = Running::start("").await;
    let known = server.connection().await;
    for (query, field) in [
        (String::new(), "connectionId"),
        ("connectionId=".into(), "connectionId"),
        ("connectionId=x".into(), "connectionId"),
        (format!("connectionId={known},x"), "connectionId"),
        (format!("connectionId={known}&types=job,steps"), "types"),
        (format!("connectionId={known}&types="), "types"),
        (format!("connectionId={known}&log=x"), "log"),
        (format!("connectionId={known}&since=17"), "since"),
    ] {
        let answer = server.get(&format!("/api/events/stream?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        let error = answer.json().await["error"].clone();
        assert_eq!(error["code"], "VALIDATION_ERROR", "{query}");
        assert_eq!(error["details"]["field"], field, "{query}");
        assert!(error["message"].is_string() && error["docs_url"].is_string());
    }
    let path = format!("/api/events/stream?connectionId={known}");
    let answer = server.get_with(&path, &[("Last-Event-ID", "x")]).await;
    assert_eq!(answer.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn a_connection_or_job_that_is_unknown_is_not_found() {
    let server = Running::start("").await;
    let nobody = "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1";
    let known = server.connection().await;
    for query in [nobody.to_string(), format!("{known},{nobody}"), format!("{known}&log={nobody}")]
    {
        let answer = server.get(&format!("/api/events/stream?connectionId={query}")).await;
        assert_eq!(answer.status, 404, "{query}");
        assert_eq!(answer.json().await["error"]["code"], "NOT_FOUND");
    }
    server.stop().await;
}

#[tokio::test]
async fn parameters_that_are_not_known_are_ignored() {
    let server = Running::start("").await;
    let mut events = server.events("&_=1700000000&cache=no", &[]).await;
    events.named("heartbeat").await;
    server.stop().await;
}

#[tokio::test]
async fn a_run_is_told_state_by_state_with_rising_ids() {
    let server = Running::start(&pipeline("hello", &["echo hello"])).await;
    let mut events = server.events("", &[]).await;
    events.first_bytes().await;
    let id = server.run("hello").await;
    let mut told = Vec::new();
    for (state, before) in
        [("queued", json!(null)), ("active", json!("queued")), ("completed", json!("active"))]
    {
        let event = events.job(&id, state).await;
        assert_eq!(event.data["previousState"], before);
        assert_eq!(event.data["name"], "hello");
        assert_eq!(event.data["connectionId"], server.connection().await);
        assert_eq!(event.data["revision"], seq(&event));
        let time = event.data["timestamp"].as_str().unwrap();
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
        for field in
            ["queue", "worker", "attempt", "maxAttempts", "progress", "durationMs", "error"]
        {
            assert!(event.data.get(field).is_some(), "{field}");
        }
        told.push(seq(&event));
    }
    assert!(told.is_sorted_by(|a, b| a < b), "{told:?}");
    server.stop().await;
}

#[tokio::test]
async fn types_filter_by_the_part_of_the_name_before_the_colon() {
    let server = Running::start(&pipeline("hello", &["echo hello"])).await;
    let start = server.json("/api/v1/jobs").await["as_of"].as_str().unwrap().to_owned();
    server.run_to_end("hello").await;
    let mut jobs = server.events(&format!("&types=job&since={start}"), &[]).await;
    let mut others = server.events(&format!("&types=worker,queue&since={start}"), &[]).await;
    let mut seen = (Vec::new(), Vec::new());
    while !seen.0.iter().any(|name| name == "job:state_change") {
        seen.0.push(jobs.next().await.unwrap().name);
    }
    // Heartbeats come whatever the types are.
    while seen.1.iter().filter(|name| *name == "heartbeat").count() < 3 {
        seen.1.push(others.next().await.unwrap().name);
    }
    assert!(seen.0.iter().all(|name| !name.starts_with("worker:") && !name.starts_with("queue:")));
    assert!(seen.1.iter().all(|name| !name.starts_with("job:")), "{:?}", seen.1);
    server.stop().await;
}

#[tokio::test]
async fn without_a_resume_point_nothing_is_replayed() {
    let server = Running::start(&pipeline("hello", &["echo hello"])).await;
    server.run_to_end("hello").await;
    let mut events = server.events("&types=job", &[]).await;
    assert_eq!(events.next().await.unwrap().name, "heartbeat");
    server.stop().await;
}

/// The changes of jobs that a stream tells until it tells of `last`.
async fn changes(events: &mut Events, last: &str) -> Vec<Event> {
    let mut changes = Vec::new();
    loop {
        let event = events.named("job:state_change").await;
        let over = event.data["id"] == last && event.data["state"] == "completed";
        changes.push(event);
        if over {
            return changes;
        }
    }
}

#[tokio::test]
async fn a_stream_resumes_after_any_of_its_ids_exactly_once_and_in_order() {
    let server = Running::start(&pipeline("hello", &["echo hello"])).await;
    let start = server.json("/api/v1/jobs").await["as_of"].as_str().unwrap().to_owned();
    server.run_to_end("hello").await;
    let last = server.run_to_end("hello").await;
    let all = changes(&mut server.events(&format!("&since={start}"), &[]).await, &last).await;
    assert_eq!(all.len(), 6);
    for (i, event) in all.iter().enumerate().take(5) {
        let id = event.id.as_deref().unwrap();
        // The header is the newer one: a client that reconnects still has the first URL.
        let header = [("Last-Event-ID", id)];
        let mut resumed = server.events(&format!("&types=job&since={start}"), &header).await;
        assert_eq!(changes(&mut resumed, &last).await, all[i + 1..]);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_position_that_cannot_be_resumed_is_told_to_reset_and_goes_on_from_the_head() {
    let server = Running::start(&pipeline("hello", &["echo hello"])).await;
    let head = server.json("/api/v1/jobs").await["as_of"].as_str().unwrap().to_owned();
    let (epoch, seq) = head.split_once('-').unwrap();
    let other = if epoch == "00000001" { "00000002" } else { "00000001" };
    let ahead = seq.parse::<u64>().unwrap() + 1_000_000_000;
    for position in [format!("{other}-{seq}"), format!("{epoch}-{ahead}")] {
        let mut events = server.events("&types=job", &[("Last-Event-ID", &position)]).await;
        let reset = events.next().await.unwrap();
        assert_eq!(reset.name, "reset", "{position}");
        assert_eq!(reset.data["reason"], "restarted");
        assert_eq!(reset.data["connectionIds"], json!([server.connection().await]));
        let id = reset.id.clone().expect("a reset has the id of the head");
        let job = server.run("hello").await;
        events.job(&job, "completed").await;
        // The id of the reset is a position like any other.
        let mut resumed = server.events("&types=job", &[("Last-Event-ID", &id)]).await;
        resumed.job(&job, "queued").await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_heartbeat_comes_with_every_tick_and_has_no_id() {
    let server = Running::start("").await;
    let mut events = server.events("", &[]).await;
    for _ in 0..3 {
        let beat = events.named("heartbeat").await;
        assert_eq!(beat.id, None);
        assert_eq!(beat.data.as_object().unwrap().len(), 1);
        assert!(beat.data["timestamp"].as_str().unwrap().ends_with('Z'));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_position_that_moved_past_other_events_is_told_before_the_heartbeat() {
    let server = Running::start(&pipeline("hello", &["echo hello"])).await;
    let mut events = server.events("&types=queue", &[]).await;
    events.first_bytes().await;
    // Worker events pass by, for one; of queues nothing more is to be told after these.
    server.run_to_end("hello").await;
    let cursor = events.named("cursor").await;
    assert_eq!(cursor.data, json!({}));
    assert!(cursor.id.is_some());
    assert_eq!(events.next().await.unwrap().name, "heartbeat");
    server.stop().await;
}

#[tokio::test]
async fn the_size_of_a_log_is_told_at_once_then_as_it_grows_and_its_last_value_always() {
    let gate = Running::gate("gate");
    let steps = ["echo one; echo two".to_owned(), gate.wait(), "seq 1 1000".to_owned()];
    let steps: Vec<_> = steps.iter().map(String::as_str).collect();
    let server = Running::start(&pipeline("chatty", &steps)).await;
    let id = server.run("chatty").await;
    let mut events = server.events(&format!("&types=worker&log={id}"), &[]).await;
    // The worker's own events may come first.
    let mut told = events.named("job:log").await;
    assert_eq!(told.id, None);
    // Before the gate is open there are these two lines and no more.
    while told.data["lines"] != 2 {
        assert_eq!(told.data["closed"], false);
        told = events.named("job:log").await;
    }
    gate.open();
    loop {
        let size = events.named("job:log").await.data;
        assert_eq!(size["id"], id);
        if size["closed"] == true {
            assert_eq!((size["lines"].as_u64(), size["bytes"].as_u64()), (Some(1002), Some(3901)));
            break;
        }
    }
    // A log that is closed is told once; the stream itself goes on.
    let mut late = server.events(&format!("&types=worker&log={id}"), &[]).await;
    assert_eq!(late.named("job:log").await.data["lines"], 1002);
    late.named("heartbeat").await;
    server.stop().await;
}

#[tokio::test]
async fn every_stream_ends_with_a_time_to_come_again_when_the_server_goes() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("waits", &[&gate.wait()])).await;
    let id = server.run("waits").await;
    let mut streams = Vec::new();
    for path in [
        format!("/api/events/stream?connectionId={}", server.connection().await),
        format!("/api/jobs/{id}/stream"),
        format!("/api/jobs/{id}/logs"),
    ] {
        let mut events = Events::of(server.get(&path).await);
        events.first_bytes().await;
        streams.push(events);
    }
    server.closing.cancel();
    for events in &mut streams {
        events.rest().await;
        assert!((1000..=5000).contains(&events.retry.unwrap()));
    }
    assert_eq!(server.streams.count(), 0);
    server.stop().await;
}

#[tokio::test]
async fn no_stream_is_compressed_whatever_the_client_can_read() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("waits", &[&gate.wait()])).await;
    let id = server.run("waits").await;
    for path in server.streams_of(&id).await {
        let mut answer = server.get_with(&path, &[("Accept-Encoding", "gzip, br")]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(["", "identity"].contains(&answer.header("content-encoding")), "{path}");
        assert!(answer.header("cache-control").contains("no-transform"), "{path}");
        let first = String::from_utf8(answer.piece().await.unwrap()).unwrap();
        let begins = if path.starts_with("/v0/") { "[tailboard] " } else { "retry: " };
        assert!(first.starts_with(begins), "{path}: {first}");
    }
    gate.open();
    server.stop().await;
}
