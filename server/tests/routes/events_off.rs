//! Events switched off and on again, and the streams that go on meanwhile.

use crate::{
    events::{Event, Events},
    running::{Gate, Running, pipeline},
};
use serde_json::{Value, json};

/// A server with a pipeline `gated` of three steps, each of which prints its number and waits.
async fn gated() -> (Running, [Gate; 3]) {
    let gates = ["one", "two", "three"].map(Running::gate);
    let step = |n: usize| format!("echo {}; {}", n + 1, gates[n].wait());
    let steps = [step(0), step(1), step(2)];
    let toml = pipeline("gated", &[&steps[0], &steps[1], &steps[2]]);
    (Running::start(&toml).await, gates)
}

#[tokio::test]
async fn events_are_switched_by_patch_and_streams_and_lists_say_so() {
    let server = Running::start(&pipeline("hello", &["echo hello"])).await;
    let mut events = server.events("&types=job", &[]).await;
    let answer = server.switch_events("off").await;
    assert_eq!(answer.status, 200);
    let row = answer.json().await;
    assert_eq!(row["freshness"], "events_off");
    assert_eq!(row["reason"], "switched off by key:bootstrap");
    assert_eq!(server.json("/api/v1/connections").await["items"], json!([row]));
    let told = events.named("connection:state_change").await;
    assert_eq!(
        (&told.data["freshness"], &told.data["revision"]),
        (&row["freshness"], &row["revision"])
    );

    let late = server.events("&types=job", &[]).await.next().await.unwrap();
    assert_eq!((late.name.as_str(), late.id), ("connection:state_change", None));
    assert_eq!(late.data["freshness"], "events_off", "one that begins now is told, too");

    let id = server.run("hello").await;
    server.over(&id).await;
    assert_eq!(server.json(&format!("/api/v1/jobs/{id}")).await["state"], "completed");
    let row = server.switch_events("on").await.json().await;
    assert_eq!((&row["freshness"], &row["reason"]), (&json!("live"), &json!(null)));
    // Between the two: nothing but heartbeats.
    let mut names = Vec::new();
    let reset = loop {
        let event = events.next().await.unwrap();
        match event.name.as_str() {
            "reset" => break event,
            "heartbeat" => {}
            _ => names.push(event.name),
        }
    };
    assert_eq!(names, ["connection:state_change"]);
    assert_eq!(reset.data["reason"], "gap");
    assert_eq!(reset.data["connectionIds"], json!([row["id"]]));
    assert!(reset.id.is_some());
    let id = server.run("hello").await;
    events.job(&id, "completed").await;

    let audit = server.json("/api/v1/audit").await;
    let done = audit["items"].as_array().unwrap().iter();
    let done: Vec<_> = done.filter(|entry| entry["action"] == "connection.events").collect();
    let what = |entry: &Value| [entry["target"].clone(), entry["detail"].clone()];
    assert_eq!(done.into_iter().map(what).collect::<Vec<_>>(), [["local", "on"], ["local", "off"]]);
    server.stop().await;
}

#[tokio::test]
async fn a_switch_that_is_not_understood_names_what_is_wrong() {
    let server = Running::start("").await;
    let path = format!("/api/v1/connections/{}", server.connection().await);
    for (body, field) in [
        (json!({ "events": "on", "name": "x" }), json!("name")),
        (json!({ "events": "maybe" }), json!("events")),
        (json!({ "events": true }), json!("events")),
        (json!({}), json!("events")),
    ] {
        let answer = server.patch(&path, &body).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (400, "application/problem+json")
        );
        assert_eq!(answer.json().await["field"], field, "{body}");
    }
    let on = json!({ "events": "on" });
    let answer = server.patch(&format!("{path}?now=1"), &on).await;
    assert_eq!(answer.json().await["field"], "now");
    for id in ["0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1", "42"] {
        assert_eq!(server.patch(&format!("/api/v1/connections/{id}"), &on).await.status, 404);
    }
    assert_eq!(server.switch_events("on").await.status, 200, "on already");
    server.stop().await;
}

/// What the status stream told of a run of three steps, before each of which events were switched.
async fn told_of_run(switches: [&str; 3]) -> Vec<Value> {
    let (server, gates) = gated().await;
    server.switch_events(switches[0]).await;
    let id = server.run("gated").await;
    let path = format!("/api/jobs/{id}/stream?poll_interval=0.1");
    let mut events = Events::of(server.get(&path).await);
    let mut told = Vec::new();
    for (n, gate) in gates.iter().enumerate() {
        loop {
            let event = events.named("job_status").await;
            if event.data["current_step"] == n + 1 {
                told.push(event.data);
                break;
            }
        }
        server.switch_events(switches[(n + 1).min(2)]).await;
        gate.open();
    }
    let rest = events.rest().await;
    told.extend(rest[rest.len() - 2..].iter().map(|event| event.data.clone()));
    for data in &mut told {
        // What differs from run to run.
        data["job_id"].take();
        data.as_object_mut().unwrap().remove("updated_at");
    }
    server.stop().await;
    told
}

#[tokio::test]
async fn a_status_stream_tells_the_same_live_polled_and_over_a_switch_in_both_directions() {
    let (live, polled, to_polling, to_live) = tokio::join!(
        told_of_run(["on", "on", "on"]),
        told_of_run(["off", "off", "off"]),
        told_of_run(["on", "off", "off"]),
        told_of_run(["off", "on", "on"]),
    );
    assert_eq!(live.len(), 5);
    assert_eq!(live[4]["final_status"], "completed");
    assert_eq!(polled, live);
    assert_eq!(to_polling, live);
    assert_eq!(to_live, live);
}

#[tokio::test]
async fn streams_of_one_job_go_on_over_a_switch_in_both_directions() {
    let (server, gates) = gated().await;
    let id = server.run("gated").await;
    let open = async |path: String| Events::of(server.get(&path).await);
    let mut steps = open(format!("/api/v1/executions/{id}/events")).await;
    let mut output = open(format!("/runner-jobs/{id}/events/stream")).await;
    let mut lines = open(format!("/api/jobs/{id}/logs")).await;
    let (mut all_steps, mut all_output) = (Vec::new(), Vec::new());
    for (n, gate) in gates.iter().enumerate() {
        let name = format!("step {}", n + 1);
        let begins = |event: &Event| event.name == "processing" && event.data["name"] == name;
        until(&mut steps, &mut all_steps, begins).await;
        let prints = |event: &Event| event.data["chunk"] == format!("{}\n", n + 1);
        until(&mut output, &mut all_output, prints).await;
        let line = lines.named("log").await;
        assert_eq!(
            (&line.data["line"], &line.data["line_number"]),
            (&json!(format!("{}", n + 1)), &json!(n + 1))
        );
        server.switch_events(["off", "on", "off"][n]).await;
        gate.open();
    }
    all_steps.extend(steps.rest().await);
    all_output.extend(output.rest().await);
    assert_eq!(lines.rest().await.last().unwrap().name, "log_complete");
    // The same as who comes later reads.
    let again = open(format!("/api/v1/executions/{id}/events")).await.rest().await;
    assert_eq!(history(all_steps), history(again));
    let again = open(format!("/runner-jobs/{id}/events/stream")).await.rest().await;
    assert_eq!(all_output, again);
    server.stop().await;
}

async fn until(events: &mut Events, all: &mut Vec<Event>, found: impl Fn(&Event) -> bool) {
    loop {
        all.push(events.next().await.expect("the stream goes on"));
        if found(all.last().unwrap()) {
            return;
        }
    }
}

/// Progress is not history: a replay has its last value only.
fn history(events: Vec<Event>) -> Vec<Event> {
    events.into_iter().filter(|event| event.id.is_some()).collect()
}
