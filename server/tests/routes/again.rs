//! Running again, deleting, pausing, reloading: over HTTP.

use crate::{
    client::{self, Answer},
    running::{Running, pipeline},
};
use serde_json::{Value, json};
use shared::Timestamp;

const PARAMS: &str = r#"
[[pipeline]]
name = "greets"
[[pipeline.params]]
name = "who"
type = "string"
pattern = "[a-z]+"
required = true
[[pipeline.steps]]
name = "greet"
run = 'echo "hello $PARAM_WHO"'
"#;

async fn post(server: &Running, path: &str, key: Option<&str>, body: Value) -> Answer {
    let mut head = vec![("Content-Type", "application/json")];
    head.extend(key.map(|key| ("Idempotency-Key", key)));
    client::send(server.address, "POST", path, &head, body.to_string().as_bytes()).await
}

async fn greet(server: &Running, key: Option<&str>, params: Value) -> Answer {
    post(server, "/api/v1/executions", key, json!({ "pipeline": "greets", "params": params })).await
}

async fn over(server: &Running, id: &str) -> Value {
    server.over(id).await;
    server.get(&format!("/api/v1/jobs/{id}")).await.json().await
}

#[tokio::test]
async fn a_parameter_reaches_the_step_and_a_wrong_one_is_refused_by_its_field() {
    let server = Running::start(PARAMS).await;
    let made = greet(&server, None, json!({ "who": "you" })).await;
    assert_eq!(made.status, 202);
    let id = made.json().await["id"].as_str().unwrap().to_owned();
    assert_eq!(over(&server, &id).await["params"], json!({ "who": "you" }));
    let log = server.get(&format!("/api/jobs/{id}/logs/static")).await.text().await;
    assert_eq!(log, "hello you\n");
    for (params, field) in [
        (json!({}), "params.who"),
        (json!({ "who": "YOU" }), "params.who"),
        (json!({ "who": ["you"] }), "params.who"),
        (json!({ "who": "you", "x": 1 }), "params.x"),
    ] {
        let refused = greet(&server, None, params).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.json().await["field"], field);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_form_runs_a_job_again_with_what_its_fields_say() {
    let params = r#"
[[pipeline]]
name = "counts"
[[pipeline.params]]
name = "n"
type = "int"
default = 5
[[pipeline.params]]
name = "text"
type = "string"
[[pipeline.steps]]
name = "count"
run = "true"
"#;
    let server = Running::start(params).await;
    let asked = json!({ "pipeline": "counts", "params": { "n": 0, "text": "one\ntwo" } });
    let made = post(&server, "/api/v1/executions", None, asked).await.json().await;
    let path = format!("/jobs/{}/retry", made["id"].as_str().unwrap());
    over(&server, made["id"].as_str().unwrap()).await;
    // Fields as a browser sends them; one that was cleared is as if it had never been given.
    for (body, expected) in [
        ("", json!({ "n": "0", "text": "one\ntwo" })),
        ("param.n=0&param.text=one%0D%0Atwo", json!({ "n": "0", "text": "one\ntwo" })),
        ("param.n=&param.text=", json!({ "n": "5" })),
    ] {
        let head = [("Content-Type", "application/x-www-form-urlencoded")];
        let answer = client::send(server.address, "POST", &path, &head, body.as_bytes()).await;
        assert_eq!(answer.status, 303, "{body:?}");
        let id = answer.header("location").trim_start_matches("/jobs/").to_owned();
        assert_eq!(over(&server, &id).await["params"], expected, "{body:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_same_idempotency_key_is_the_same_job_and_another_body_is_refused() {
    let server = Running::start(PARAMS).await;
    let first = greet(&server, Some("k-1"), json!({ "who": "you" })).await.json().await;
    let again = greet(&server, Some("k-1"), json!({ "who": "you" })).await;
    assert_eq!(again.status, 202);
    assert_eq!(again.json().await["id"], first["id"]);
    let other = greet(&server, Some("k-1"), json!({ "who": "them" })).await;
    assert_eq!(other.status, 422);
    assert_eq!(other.json().await["field"], "Idempotency-Key");
    let two = [("Idempotency-Key", "k-1"), ("Idempotency-Key", "k-2")];
    let head = [&[("Content-Type", "application/json")][..], &two].concat();
    for path in [
        "/api/v1/executions".to_owned(),
        format!("/api/v1/jobs/{}/retry", first["id"].as_str().unwrap()),
    ] {
        let refused = client::send(server.address, "POST", &path, &head, b"{}").await;
        assert_eq!(refused.status, 400, "{path}");
        assert_eq!(refused.json().await["field"], "Idempotency-Key", "{path}");
    }
    let long = "x".repeat(201);
    for key in ["", "a b", long.as_str()] {
        assert_eq!(greet(&server, Some(key), json!({ "who": "you" })).await.status, 400, "{key:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_repeated_key_whose_job_is_deleted_is_gone_with_its_id() {
    let server = Running::start(PARAMS).await;
    let asked = json!({ "who": "you" });
    let made = greet(&server, Some("k-1"), asked.clone()).await.json().await;
    let first = made["id"].as_str().unwrap();
    over(&server, first).await;
    let path = format!("/api/v1/jobs/{first}/retry");
    let made = post(&server, &path, Some("k-2"), json!({})).await.json().await;
    let second = made["id"].as_str().unwrap();
    over(&server, second).await;
    let delete = async |id: &str| {
        let path = format!("/api/v1/jobs/{id}");
        client::send(server.address, "DELETE", &path, &[], b"").await.status
    };
    assert_eq!(delete(second).await, 204);
    let gone = post(&server, &path, Some("k-2"), json!({})).await;
    assert_eq!(gone.status, 410);
    assert_eq!(gone.json().await["job_id"], second);
    assert_eq!(delete(first).await, 204);
    let gone = greet(&server, Some("k-1"), asked).await;
    assert_eq!(gone.status, 410);
    let problem = gone.json().await;
    assert_eq!((&problem["job_id"], &problem["field"]), (&json!(first), &json!("Idempotency-Key")));
    assert!(problem["detail"].as_str().unwrap().contains(first));
    server.stop().await;
}

#[tokio::test]
async fn what_is_over_is_run_again_and_deleted_and_what_is_not_is_a_conflict() {
    let server = Running::start(&pipeline("waits", &["sleep 1000"])).await;
    let id = server.run("waits").await;
    let path = format!("/api/v1/jobs/{id}");
    let retry = format!("{path}/retry");
    assert_eq!(post(&server, &retry, None, json!({})).await.status, 409);
    assert_eq!(client::send(server.address, "DELETE", &path, &[], b"").await.status, 409);
    post(&server, &format!("{path}/cancel"), None, json!({})).await;
    server.over(&id).await;
    let again = post(&server, &retry, None, json!({})).await;
    assert_eq!(again.status, 202);
    assert!(again.header("location").starts_with("/api/v1/jobs/"));
    assert_eq!(again.json().await["retry_of"], id.as_str());
    let unknown = post(&server, &retry, None, json!({ "params": { "x": 1 } })).await;
    assert_eq!((unknown.status, unknown.json().await["field"].clone()), (400, json!("params.x")));
    assert_eq!(client::send(server.address, "DELETE", &path, &[], b"").await.status, 204);
    assert_eq!(client::send(server.address, "DELETE", &path, &[], b"").await.status, 404);
    assert_eq!(server.get(&path).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_queue_is_paused_and_goes_on() {
    let server = Running::start(&pipeline("hello", &["true"])).await;
    server.queue("default").await;
    let paused = post(&server, "/api/v1/queues/default/pause", None, json!({})).await;
    assert_eq!(paused.status, 200);
    assert_eq!(paused.json().await["paused"], true);
    let id = server.run("hello").await;
    let job = server.get(&format!("/api/v1/jobs/{id}")).await.json().await;
    assert!(job["waiting"].as_str().unwrap().contains("paused by"), "{job}");
    assert_eq!(post(&server, "/api/v1/queues/nonesuch/pause", None, json!({})).await.status, 404);
    let odd = post(&server, "/api/v1/queues/default/pause?x=1", None, json!({})).await;
    assert_eq!(odd.status, 400);
    assert_eq!(post(&server, "/api/v1/queues/default/resume", None, json!({})).await.status, 200);
    server.over(&id).await;
    server.stop().await;
}

#[tokio::test]
async fn a_time_may_be_given_with_an_offset_and_is_kept_in_utc() {
    const MINUTE: i64 = 60_000;
    // As a clock shows it that is so many hours ahead of UTC.
    let there = |at: Timestamp, hours: i64| {
        let clock = Timestamp(at.0 + hours * 60 * MINUTE).to_string();
        clock.replace('Z', &format!("{hours:+03}:00"))
    };
    let server = Running::start(&pipeline("hello", &["true"])).await;
    let soon = Timestamp(Timestamp::now().0 + 60 * MINUTE);
    let run = json!({ "pipeline": "hello", "run_at": there(soon, -8) });
    let job = post(&server, "/api/v1/executions", None, run).await.json().await;
    assert_eq!(job["run_at"], soon.to_string());
    let created: Timestamp = job["created_at"].as_str().unwrap().parse().unwrap();
    let count = async |filter: &str, minutes: i64| {
        let at = there(Timestamp(created.0 + minutes * MINUTE), 13).replace('+', "%2B");
        server.json(&format!("/api/v1/jobs?{filter}={at}")).await["total"]["count"].clone()
    };
    for (filter, before, after) in [("from", 1, 0), ("to", 0, 1)] {
        assert_eq!([count(filter, -1).await, count(filter, 1).await], [before, after], "{filter}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_reload_is_all_or_nothing() {
    let server = Running::start(&pipeline("one", &["true"])).await;
    let two = pipeline("one", &["true"]) + &pipeline("two", &["true"]);
    std::fs::write(&server.file, format!("{two}nonesuch = 1\n[[pipeline]]\n")).unwrap();
    let refused = post(&server, "/api/v1/config/reload", None, json!({})).await;
    assert_eq!(refused.status, 422);
    let detail = refused.json().await["detail"].as_str().unwrap().to_owned();
    assert!(detail.lines().count() >= 2, "{detail}");
    let run = json!({ "pipeline": "two" });
    assert_eq!(post(&server, "/api/v1/executions", None, run.clone()).await.status, 400);
    std::fs::write(&server.file, two).unwrap();
    let reloaded = post(&server, "/api/v1/config/reload", None, json!({})).await;
    assert_eq!(reloaded.status, 200);
    let expected = json!({
        "added": ["two"], "changed": [], "removed": [], "settings": [], "at_next_start": []
    });
    assert_eq!(reloaded.json().await, expected);
    assert_eq!(post(&server, "/api/v1/executions", None, run).await.status, 202);
    server.stop().await;
}

#[tokio::test]
async fn a_reload_names_each_setting_that_it_changed() {
    let server = Running::start("").await;
    let settings = async |file: &str| {
        std::fs::write(&server.file, file).unwrap();
        let reloaded = post(&server, "/api/v1/config/reload", None, json!({})).await;
        let mut reloaded = reloaded.json().await;
        let settings = reloaded["settings"].take();
        reloaded["settings"] = json!([]);
        let lists = reloaded.as_object().unwrap().values();
        assert!(lists.into_iter().all(|list| *list == json!([])), "{reloaded}");
        settings
    };
    let file = "min_free_disk = '7MiB'\ngrace = '3s'\nredact = true\nretention.jobs = 7\n\
                [[queue]]\nname = 'other'\n";
    let keys = ["grace", "min_free_disk", "redact", "retention.jobs", "queue"];
    assert_eq!(settings(file).await, json!(keys));
    assert_eq!(settings(file).await, json!([]));
    let more = format!("retention.log_bytes = '1MiB'\n{file}");
    assert_eq!(settings(&more).await, json!(["retention.log_bytes"]));
    server.stop().await;
}

#[tokio::test]
async fn a_queue_that_a_reload_removes_and_its_worker_are_told_as_deleted_after_their_last_run() {
    let gate = Running::gate("gate");
    let waits = pipeline("waits", &[&gate.wait()]);
    let of_extra = waits.replace("name = 'waits'", "name = 'waits'\nqueue = 'extra'");
    let server = Running::start(&format!("[[queue]]\nname = 'extra'\n{of_extra}")).await;
    server.queue("extra").await;
    let id = server.run("waits").await;
    let workers =
        async || server.json("/api/v1/workers").await["items"].as_array().unwrap().clone();
    let worker = workers().await.into_iter().find(|worker| worker["queues"] == json!(["extra"]));
    let worker = worker.unwrap()["id"].clone();
    let mut events = server.events("", &[]).await;
    let mut of_queues = server.events("&types=queue", &[]).await;
    events.first_bytes().await;
    of_queues.first_bytes().await;

    std::fs::write(&server.file, waits).unwrap();
    assert_eq!(post(&server, "/api/v1/config/reload", None, json!({})).await.status, 200);
    gate.open();
    events.job(&id, "completed").await;
    let connection = server.connection().await;
    let mut told = Vec::new();
    for (name, field, gone) in
        [("worker:deleted", "id", &worker), ("queue:deleted", "name", &json!("extra"))]
    {
        let event = events.named(name).await;
        let position = event.id.as_deref().unwrap();
        let revision: u64 = position.split_once('-').unwrap().1.parse().unwrap();
        let data = json!({ field: gone, "connectionId": connection, "revision": revision });
        assert_eq!(event.data, data, "{name}");
        told.push(event);
    }
    assert_eq!(of_queues.named("queue:deleted").await, told[1]);
    let queues = server.json("/api/v1/queues").await;
    assert!(queues["items"].as_array().unwrap().iter().all(|queue| queue["name"] != "extra"));
    assert!(workers().await.iter().all(|left| left["id"] != worker));
    server.stop().await;
}

#[tokio::test]
async fn a_reload_names_each_changed_setting_that_waits_for_the_next_start() {
    let before = "limits.streams = 7\naccess.sign_ins = 3\n";
    let server = Running::start(before).await;
    let at_next_start = async |file: &str| {
        std::fs::write(&server.file, file).unwrap();
        let reloaded = post(&server, "/api/v1/config/reload", None, json!({})).await;
        reloaded.json().await["at_next_start"].clone()
    };
    let after = "public_url = 'https://jobs.example.com'\ntrusted_proxies = ['10.0.0.1']\n\
                 limits.streams = 7\nlimits.writes_per_minute = 9\naccess.session_idle = '1h'\n";
    let keys = [
        "public_url",
        "trusted_proxies",
        "limits.writes_per_minute",
        "access.session_idle",
        "access.sign_ins",
    ];
    for _ in 0..2 {
        assert_eq!(at_next_start(after).await, json!(keys), "as long as there was no start");
    }
    assert_eq!(at_next_start(before).await, json!([]));
    server.stop().await;
}

#[tokio::test]
async fn the_metrics_are_there_and_the_dashboard_asks_for_no_others() {
    let gate = Running::gate("gate");
    let toml = pipeline("hello", &["true"]) + &pipeline("waits", &[&gate.wait()]);
    let server = Running::start(&toml).await;
    server.queue("default").await;
    let id = server.run("waits").await;
    server.run_to_end("hello").await;
    let mut streams = Vec::new();
    let none = server.get("/metrics").await.text().await;
    for path in [format!("/api/jobs/{id}/logs"), format!("/runner-jobs/{id}/events/stream")] {
        streams.push(server.get(&path).await);
    }
    streams.push(server.get("/v0/pipelines/hello/logs").await);
    let answer = server.get("/metrics").await;
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    let text = answer.text().await;
    assert!(text.contains("tailboard_queue_slots{queue=\"default\"} 4\n"), "{text}");
    for line in [
        r#"tailboard_jobs{connection="local",queue="default",state="completed"} 1"#,
        r#"tailboard_jobs{connection="local",queue="default",state="active"} 1"#,
        r#"tailboard_job_wait_seconds_count{connection="local",queue="default"} 2"#,
        r#"tailboard_job_run_seconds_bucket{connection="local",queue="default",le="+Inf"} 1"#,
        r#"tailboard_ring_floor{connection="local"} 0"#,
        r#"tailboard_streams{contract="job_logs"} 1"#,
        r#"tailboard_streams{contract="runner_jobs"} 1"#,
        r#"tailboard_streams{contract="pipeline_logs"} 1"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    let is_none = |line: &&str| line.starts_with("tailboard_streams{");
    let zeros: Vec<_> = none.lines().filter(is_none).collect();
    assert!(zeros.iter().all(|line| line.ends_with(" 0")), "{none}");
    // The same series before and after: a graph begins with zeros.
    assert_eq!((zeros.len(), text.lines().filter(is_none).count()), (6, 6), "{none}{text}");
    assert!(!text.contains("tailboard_commit_seconds_count 0\n"), "{text}");
    let dashboard = include_str!("../../../packaging/grafana.json");
    let asked = dashboard.match_indices("tailboard_").map(|(at, _)| {
        let name = &dashboard[at..];
        &name[..name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap()]
    });
    for name in asked {
        let name = name.trim_end_matches("_bucket");
        assert!(text.contains(&format!("# TYPE {name} ")), "{name}");
    }
    server.stop().await;
}
