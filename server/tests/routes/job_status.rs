//! Contract 2: `GET /api/jobs/{job_id}/stream`.

use crate::{
    events::{Event, Events},
    running::{Running, pipeline},
};
use serde_json::json;

const NOBODY: &str = "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1";

async fn status(server: &Running, id: &str, head: &[(&str, &str)]) -> Events {
    Events::of(server.get_with(&format!("/api/jobs/{id}/stream?poll_interval=0.1"), head).await)
}

#[tokio::test]
async fn an_interval_out_of_range_is_refused_before_the_job_is_looked_up() {
    let server = Running::start("").await;
    for interval in ["0.09", "30.1", "-1", "0", "NaN", "inf", "fast", ""] {
        let path = format!("/api/jobs/{NOBODY}/stream?poll_interval={interval}");
        let answer = server.get(&path).await;
        assert_eq!(answer.status, 400, "{interval}");
        let detail = json!({ "detail": "Poll interval must be between 0.1 and 30.0 seconds" });
        assert_eq!(answer.json().await, detail);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_job_that_is_unknown_is_not_found_whatever_shape_its_id_has() {
    let server = Running::start("").await;
    for id in [NOBODY, "42", "x%2F..%2Fy"] {
        for route in ["stream", "logs", "logs/static", "logs/info"] {
            let answer = server.get(&format!("/api/jobs/{id}/{route}")).await;
            assert_eq!(answer.status, 404, "{id} {route}");
            let id = id.replace("%2F", "/");
            let detail = json!({ "detail": format!("Job not found: {id}") });
            assert_eq!(answer.json().await, detail);
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_run_is_told_from_a_first_snapshot_to_job_finished() {
    let (one, two) = (Running::gate("one"), Running::gate("two"));
    let steps = [one.wait(), two.wait()];
    let server = Running::start(&pipeline("two-steps", &[&steps[0], &steps[1]])).await;
    let id = server.run("two-steps").await;
    let mut events = status(&server, &id, &[]).await;
    let first = events.next().await.unwrap();
    assert_eq!(first.name, "job_status");
    for field in ["progress_percent", "error_message", "updated_at"] {
        assert!(first.data.get(field).is_some(), "{field}");
    }
    assert_eq!(first.data["job_id"], id);
    let mut told = vec![first];
    let mut until = async |step: serde_json::Value| {
        while told.last().unwrap().data["current_step"] != step {
            told.push(events.named("job_status").await);
        }
    };
    until(json!(1)).await;
    one.open();
    until(json!(2)).await;
    two.open();
    let rest = events.rest().await;
    let finished = rest.last().unwrap();
    assert_eq!(finished.name, "job_finished");
    assert_eq!(finished.id.as_deref(), Some("end"));
    assert_eq!(finished.data, json!({ "job_id": id, "final_status": "completed" }));

    let last = &rest[rest.len() - 2].data;
    assert_eq!((&last["status"], &last["progress_percent"]), (&json!("completed"), &json!(100.0)));
    let running = told.iter().find(|event| event.data["current_step"] == 2).unwrap();
    assert_eq!(running.data["status"], "running");
    assert_eq!(running.data["completed_steps"], 1);
    for event in &told {
        let data = &event.data;
        assert_eq!(data["completed_steps"], data["completed_sheets"]);
        assert_eq!(data["total_steps"], data["total_sheets"]);
        assert_eq!(data["current_step"], data["current_sheet"]);
        assert_eq!(data["total_steps"], 2);
    }
    let ids: Vec<u64> = told.iter().filter_map(|event| event.id.as_ref()?.parse().ok()).collect();
    assert!(!ids.is_empty() && ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    server.stop().await;
}

#[tokio::test]
async fn progress_is_that_of_all_steps_and_never_falls() {
    let gates = [Running::gate("one"), Running::gate("two")];
    let says = |percent: u32| format!(r"printf '\033]9;4;1;{percent}\007'");
    let steps = [
        format!("{}; {}; {}", says(50), gates[0].wait(), says(100)),
        format!("{}; {}", says(10), gates[1].wait()),
    ];
    let server = Running::start(&pipeline("two-steps", &[&steps[0], &steps[1]])).await;
    let id = server.run("two-steps").await;
    let mut events = status(&server, &id, &[]).await;
    let mut told = Vec::new();
    let mut until = async |percent: f64| loop {
        told.push(events.named("job_status").await.data["progress_percent"].as_f64().unwrap());
        if told.last() == Some(&percent) {
            break;
        }
    };
    // Half of the first of two steps; a tenth of the second.
    until(25.0).await;
    gates[0].open();
    until(55.0).await;
    gates[1].open();
    until(100.0).await;
    assert!(told.is_sorted(), "{told:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_job_that_is_over_is_told_and_the_stream_ends() {
    let server = Running::start(&pipeline("fails", &["echo no >&2; exit 3"])).await;
    let id = server.run_to_end("fails").await;
    let told = status(&server, &id, &[]).await.rest().await;
    let names: Vec<_> = told.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["job_status", "job_finished"]);
    assert_eq!(told[0].data["status"], "failed");
    assert!(told[0].data["error_message"].is_string(), "{}", told[0].data);
    assert_eq!(told[1].data["final_status"], "failed");
    server.stop().await;
}

#[tokio::test]
async fn a_job_that_vanishes_is_told_as_deleted_and_the_stream_ends() {
    let server = Running::start(&pipeline("hello", &["true"])).await;
    server.queue("default").await;
    server.post("/api/v1/queues/default/pause", &json!({})).await;
    // The store is read so seldom that the job is over and gone before anybody has seen the one or the other: almost
    // always, so it is tried again where the stream looked just between the two.
    server.switch_events("off").await;
    let mut tries = 0;
    let (id, rest) = loop {
        let id = server.run("hello").await;
        let path = format!("/api/jobs/{id}/stream?poll_interval=1");
        let mut events = Events::of(server.get(&path).await);
        events.named("job_status").await;
        assert_eq!(server.cancel(&id).await.status, 202);
        assert_eq!(server.delete(&format!("/api/v1/jobs/{id}")).await.status, 204);
        let rest = events.rest().await;
        if rest.iter().all(|event| event.name != "job_finished") {
            break (id, rest);
        }
        tries += 1;
        assert!(tries < 20, "{rest:?}");
    };
    let deleted = rest.last().unwrap();
    assert_eq!((&*deleted.name, deleted.id.as_deref()), ("job_deleted", Some("end")));
    assert_eq!(deleted.data, json!({ "job_id": id }));
    assert_eq!(server.get(&format!("/api/jobs/{id}/stream")).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_job_that_waits_is_pending_and_one_that_is_cancelled_says_so() {
    let gate = Running::gate("gate");
    let toml = format!(
        "[[queue]]\nname = 'default'\nconcurrency = 1\n{}",
        pipeline("waits", &[&gate.wait()])
    );
    let server = Running::start(&toml).await;
    server.run("waits").await;
    let second = server.run("waits").await;
    let mut events = status(&server, &second, &[]).await;
    assert_eq!(events.next().await.unwrap().data["status"], "pending");
    assert_eq!(server.cancel(&second).await.status, 202);
    let rest = events.rest().await;
    assert_eq!(rest.last().unwrap().data["final_status"], "cancelled");
    server.stop().await;
}

#[tokio::test]
async fn a_reconnect_after_the_end_is_answered_204() {
    let server = Running::start(&pipeline("hello", &["echo hello"])).await;
    let id = server.run_to_end("hello").await;
    for route in ["stream", "logs"] {
        let path = format!("/api/jobs/{id}/{route}");
        let answer = server.get_with(&path, &[("Last-Event-ID", "end")]).await;
        assert_eq!(answer.status, 204);
        let answer = server.get_with(&path, &[("Last-Event-ID", "soon")]).await;
        assert_eq!(answer.status, 400);
        assert!(answer.json().await["detail"].is_string());
    }
    server.stop().await;
}

#[tokio::test]
async fn a_reconnect_at_the_newest_revision_moves_no_position() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("waits", &[&gate.wait()])).await;
    let id = server.run("waits").await;
    let mut events = status(&server, &id, &[]).await;
    let running = async |events: &mut Events| -> Event {
        loop {
            let event = events.named("job_status").await;
            if event.data["current_step"] == 1 {
                return event;
            }
        }
    };
    let event = running(&mut events).await;
    let position = event.id.clone().expect("a change of step has a position");
    let mut again = status(&server, &id, &[("Last-Event-ID", &position)]).await;
    let first = again.next().await.unwrap();
    assert_eq!((first.id, &first.data["current_step"]), (None, &json!(1)));
    gate.open();
    assert_eq!(again.rest().await.last().unwrap().name, "job_finished");
    server.stop().await;
}

#[tokio::test]
async fn after_silence_both_streams_of_a_job_send_a_heartbeat_in_float_seconds() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("waits", &[&format!("echo on; {}", gate.wait())])).await;
    let id = server.run("waits").await;
    for route in ["stream", "logs"] {
        let answer = server.get(&format!("/api/jobs/{id}/{route}")).await;
        let mut events = Events::of(answer);
        let beat = events.named("heartbeat").await;
        assert_eq!(beat.id, None, "a heartbeat is no position");
        let seconds = beat.data["timestamp"].as_f64().unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        assert!((now.as_secs_f64() - seconds).abs() < 60.0, "{seconds}");
        assert!(beat.data["timestamp"].is_f64());
    }
    gate.open();
    server.stop().await;
}

#[tokio::test]
async fn a_job_that_waits_in_a_paused_queue_is_paused() {
    let server = Running::start(&pipeline("hello", &["true"])).await;
    server.queue("default").await;
    server.post("/api/v1/queues/default/pause", &json!({})).await;
    let id = server.run("hello").await;
    // Heartbeats come more often than the store is read, and do not put that off.
    let answer = server.get(&format!("/api/jobs/{id}/stream?poll_interval=0.2")).await;
    let mut events = Events::of(answer);
    while events.named("job_status").await.data["status"] != "paused" {}
    server.post("/api/v1/queues/default/resume", &json!({})).await;
    let rest = events.rest().await;
    assert_eq!(rest.last().unwrap().data["final_status"], "completed");
    server.stop().await;
}
