//! The JSON API.

use crate::{
    client,
    running::{Running, pipeline},
};
use serde_json::{Value, json};

const NOBODY: &str = "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1";

/// The problem in an answer of this status.
async fn problem(answer: client::Answer, status: u16) -> Value {
    assert_eq!(answer.status, status);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json().await;
    assert_eq!(problem["status"], status);
    assert!(problem["title"].is_string() && problem["type"].is_string());
    problem
}

#[tokio::test]
async fn running_a_pipeline_is_accepted_with_the_place_of_its_job() {
    let server = Running::start(&pipeline("hello", &["echo hello"])).await;
    for body in [json!({ "pipeline": "hello" }), json!({ "pipeline": "hello", "params": {} })] {
        let answer = server.post("/api/v1/executions", &body).await;
        assert_eq!(answer.status, 202);
        let place = answer.header("location").to_owned();
        let job = answer.json().await;
        assert_eq!(place, format!("/api/v1/jobs/{}", job["id"].as_str().unwrap()));
        assert_eq!((&job["state"], &job["pipeline"]), (&json!("queued"), &json!("hello")));
        assert_eq!(server.json(&place).await["id"], job["id"]);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_request_that_is_not_understood_names_what_is_wrong() {
    let server = Running::start(&pipeline("hello", &["echo hello"])).await;
    for (body, field) in [
        (json!({ "pipeline": "bye" }), json!("pipeline")),
        (json!({ "pipeline": "hello", "params": { "who": "me" } }), json!("params.who")),
        (json!({ "pipeline": "hello", "params": { "n": 1 } }), json!("params.n")),
        (json!({ "pipeline": "hello", "queue": "x" }), json!("queue")),
        (json!({ "pipeline": 1 }), json!("pipeline")),
        (json!({ "params": {} }), json!("pipeline")),
        (json!([]), json!(null)),
    ] {
        let problem = problem(server.post("/api/v1/executions", &body).await, 400).await;
        assert_eq!(problem["field"], field, "{body}");
        assert!(problem["detail"].is_string());
    }
    let json = [("Content-Type", "application/json")];
    let send = |head, body| client::send(server.address, "POST", "/api/v1/executions", head, body);
    problem(send(&json, b"{").await, 400).await;
    problem(send(&[], b"{\"pipeline\":\"hello\"}").await, 415).await;
    problem(send(&[("Content-Type", "text/plain")], b"{\"pipeline\":\"hello\"}").await, 415).await;
    problem(send(&json, &vec![b' '; 70_000]).await, 413).await;
    let answer = server.post("/api/v1/executions?now=1", &json!({ "pipeline": "hello" })).await;
    assert_eq!(problem(answer, 400).await["field"], "now");
    let jobs = server.json("/api/v1/jobs").await;
    assert_eq!(jobs["total"], json!({ "count": 0, "exact": true }), "nothing of it was run");
    server.stop().await;
}

#[tokio::test]
async fn a_field_that_is_no_such_value_is_named_with_what_is_allowed() {
    let server = Running::start(&pipeline("hello", &["true"])).await;
    for (field, value, wanted) in [
        ("pipeline", json!(1), "the name of a pipeline"),
        ("params", json!([1]), "an object of names and values"),
        ("run_at", json!("yesterday"), "2026-02-27T10:30:00Z"),
        ("priority", json!("5"), "a whole number from -100 to 100"),
        ("priority", json!(101), "a whole number from -100 to 100"),
        ("priority", json!(5.5), "a whole number from -100 to 100"),
    ] {
        let mut body = json!({ "pipeline": "hello" });
        body[field] = value;
        let problem = problem(server.post("/api/v1/executions", &body).await, 400).await;
        assert_eq!(problem["field"], field, "{body}");
        assert!(problem["detail"].as_str().unwrap().contains(wanted), "{problem}");
    }
    let problem = problem(server.post("/api/v1/executions", &json!({})).await, 400).await;
    assert_eq!(
        (&problem["field"], &problem["detail"]),
        (&json!("pipeline"), &json!("pipeline has to be given"))
    );
    let answer = server.get("/api/v1/jobs?connection=nope").await;
    let told = self::problem(answer, 400).await;
    assert!(told["detail"].as_str().unwrap().contains("an id is a UUID such as"), "{told}");
    server.stop().await;
}

#[tokio::test]
async fn a_filter_without_a_value_is_any() {
    let server = Running::start(&pipeline("hello", &["true"])).await;
    let id = server.run_to_end("hello").await;
    for name in [
        "connection",
        "state",
        "queue",
        "worker",
        "pipeline",
        "from",
        "to",
        "q",
        "sort",
        "cursor",
        "limit",
    ] {
        for page in ["/api/v1/jobs", "/api/v1/pages/jobs"] {
            let found = server.json(&format!("{page}?{name}=")).await;
            let jobs = if page.contains("pages") { &found["jobs"] } else { &found };
            assert_eq!(jobs["items"][0]["id"], id, "{page} {name}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_parameter_that_is_unknown_or_out_of_range_is_named() {
    let server = Running::start("").await;
    for (path, field) in [
        ("/api/v1/jobs?colour=red", "colour"),
        ("/api/v1/jobs?limit=0", "limit"),
        ("/api/v1/jobs?limit=201", "limit"),
        ("/api/v1/jobs?limit=many", "limit"),
        ("/api/v1/jobs?limit=1&limit=2", "limit"),
        ("/api/v1/jobs?state=running", "state"),
        ("/api/v1/jobs?connection=x", "connection"),
        ("/api/v1/jobs?cursor=x", "cursor"),
        ("/api/v1/pages/jobs?colour=red", "colour"),
        ("/api/v1/queues?limit=1", "limit"),
        ("/api/v1/overview?_=1", "_"),
        (&format!("/api/v1/jobs/{NOBODY}?verbose=1"), "verbose"),
        (&format!("/api/v1/jobs/{NOBODY}/log?count=0"), "count"),
        (&format!("/api/v1/jobs/{NOBODY}/log?count=1001"), "count"),
        (&format!("/api/v1/jobs/{NOBODY}/log?from=end"), "from"),
    ] {
        assert_eq!(problem(server.get(path).await, 400).await["field"], field, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let server = Running::start("").await;
    for path in [
        &format!("/api/v1/jobs/{NOBODY}"),
        &format!("/api/v1/jobs/{NOBODY}/log"),
        &format!("/api/v1/jobs/{NOBODY}/log/1"),
        "/api/v1/jobs/42",
        "/api/v1/nothing",
        "/api/v1/jobs/",
        "/api/v1/",
    ] {
        problem(server.get(path).await, 404).await;
    }
    problem(server.cancel(NOBODY).await, 404).await;
    problem(server.post("/api/v1/jobs", &json!({})).await, 405).await;
    server.stop().await;
}

#[tokio::test]
async fn jobs_are_listed_newest_first_page_by_page_with_a_total() {
    let server = Running::start(&pipeline("hello", &["true"])).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(server.run_to_end("hello").await);
    }
    ids.reverse();
    let mut seen = Vec::new();
    let mut path = "/api/v1/jobs?limit=2&pipeline=hello&state=completed,failed".to_owned();
    loop {
        let page = server.json(&path).await;
        assert_eq!(page["total"], json!({ "count": 5, "exact": true }));
        assert!(page["as_of"].as_str().unwrap().contains('-'));
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path =
            format!("/api/v1/jobs?limit=2&pipeline=hello&state=completed,failed&cursor={cursor}");
        let other = server.get(&format!("/api/v1/jobs?limit=2&cursor={cursor}")).await;
        assert_eq!(problem(other, 400).await["field"], "cursor");
    }
    assert_eq!(seen, ids);
    for nothing in
        ["state=failed", "queue=other", "pipeline=other", &format!("connection={NOBODY}")]
    {
        let page = server.json(&format!("/api/v1/jobs?{nothing}")).await;
        assert_eq!((&page["items"], &page["next_cursor"]), (&json!([]), &json!(null)), "{nothing}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_job_shows_its_steps_attempts_and_timeline() {
    let server = Running::start(&pipeline("fails", &["true", "exit 3", "true"])).await;
    let id = server.run_to_end("fails").await;
    let job = server.json(&format!("/api/v1/jobs/{id}")).await;
    assert_eq!(
        (&job["id"], &job["state"], &job["exit_code"]),
        (&json!(id), &json!("failed"), &json!(3))
    );
    let steps: Vec<_> = job["steps"].as_array().unwrap().iter().map(|s| &s["state"]).collect();
    assert_eq!(steps, ["completed", "failed", "skipped"]);
    assert_eq!(job["steps"][1]["exit_code"], 3);
    assert_eq!(job["attempts"].as_array().unwrap().len(), 1);
    let numbers = job["timeline"].as_array().unwrap().iter().map(|entry| entry["n"].as_u64());
    assert!(numbers.eq((1..).map(Some).take(job["timeline"].as_array().unwrap().len())));
    assert!(job["as_of"].is_string());
    server.stop().await;
}

#[tokio::test]
async fn a_cancel_is_accepted_once_a_job_runs_and_refused_once_it_is_over() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("waits", &[&gate.wait()])).await;
    let mut events = server.events("&types=job", &[]).await;
    events.first_bytes().await;
    let id = server.run("waits").await;
    events.job(&id, "active").await;
    let path = format!("/api/v1/jobs/{id}/cancel");
    let answer = server.post(&path, &json!({ "reason": "x" })).await;
    assert_eq!(problem(answer, 400).await["field"], "reason");
    let answer = server.post(&path, &json!({ "why": "changed my mind" })).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.json().await["id"], id);
    events.job(&id, "cancelled").await;
    let problem = problem(server.cancel(&id).await, 409).await;
    assert_eq!(problem["job_id"], id);
    let job = server.json(&format!("/api/v1/jobs/{id}")).await;
    assert_eq!(job["cancel"]["why"], "changed my mind");
    server.stop().await;
}

#[tokio::test]
async fn a_log_is_read_in_windows_from_either_end() {
    let run = "seq 1 2000; printf '\\033[31mred\\033[0m\\n'";
    let server = Running::start(&pipeline("prints", &[run])).await;
    let id = server.run_to_end("prints").await;
    let window = async |query: &str| server.json(&format!("/api/v1/jobs/{id}/log?{query}")).await;
    let numbers = |window: &Value| -> Vec<u64> {
        let lines = window["lines"].as_array().unwrap();
        lines.iter().map(|line| line["n"].as_u64().unwrap()).collect()
    };
    let last = window("from=-2").await;
    assert_eq!(numbers(&last), [2000, 2001]);
    assert_eq!(last["lines"][1]["runs"], json!([{ "text": "red", "class": "f1" }]));
    assert_eq!((&last["total"], &last["closed"]), (&json!(2001), &json!(true)));
    assert!(last["as_of"].is_string());
    let first = window("from=1&count=3").await;
    assert_eq!((numbers(&first), &first["next"]), (vec![1, 2, 3], &json!(4)));
    assert_eq!(numbers(&window("").await).len(), 500);
    let line = server.json(&format!("/api/v1/jobs/{id}/log/7")).await;
    assert_eq!(line["runs"], json!([{ "text": "7" }]));
    problem(server.get(&format!("/api/v1/jobs/{id}/log/9999")).await, 404).await;
    server.stop().await;
}

#[tokio::test]
async fn every_answer_with_rows_says_as_of_when() {
    let server = Running::start(&pipeline("hello", &["true"])).await;
    server.run_to_end("hello").await;
    for path in [
        "/api/v1/connections",
        "/api/v1/queues",
        "/api/v1/workers",
        "/api/v1/pipelines",
        "/api/v1/jobs",
        "/api/v1/overview",
        "/api/v1/pages/pipelines",
    ] {
        let answer = server.json(path).await;
        assert!(answer["as_of"].as_str().is_some_and(|id| id.contains('-')), "{path}");
    }
    let page = server.json("/api/v1/pages/jobs?state=completed").await;
    assert!(page["jobs"]["as_of"].is_string());
    let pipelines = server.json("/api/v1/pipelines").await;
    assert_eq!(pipelines["items"][0]["name"], "hello");
    assert_eq!(pipelines["items"][0]["last"].as_array().unwrap().len(), 1);
    assert_eq!(server.json("/api/v1/queues").await["items"][0]["name"], "default");
    server.stop().await;
}

#[tokio::test]
async fn the_description_is_served_and_the_health_is_told() {
    let server = Running::start("").await;
    let description = server.json("/api/v1/openapi.json").await;
    assert!(description["paths"]["/api/v1/executions"]["post"].is_object());
    for (path, text) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.text().await.as_str()), (200, text));
    }
    server.stop().await;
}

#[tokio::test]
async fn queues_tell_of_their_last_hour_and_workers_of_what_they_run() {
    let both = pipeline("hello", &["true"]) + &pipeline("long", &["sleep 60"]);
    let server = Running::start(&both).await;
    server.queue("default").await;
    server.run_to_end("hello").await;
    let queue = server.json("/api/v1/queues").await["items"][0].clone();
    assert!(
        queue["stats"]["run"]["p95"].is_u64() && queue["stats"]["wait"]["p50"].is_u64(),
        "{queue}"
    );
    assert_eq!(queue["stats"]["finished_per_minute"], 1.0 / 60.0);
    let mut events = server.events("", &[]).await;
    let id = server.run("long").await;
    events.job(&id, "active").await;
    let worker = server.json("/api/v1/workers").await["items"][0].clone();
    assert_eq!(
        (&worker["running"][0]["id"], &worker["running"][0]["name"]),
        (&json!(id), &json!("long"))
    );
    assert!(worker["running"][0]["since"].is_string(), "{worker}");
    server.stop().await;
}

#[tokio::test]
async fn a_path_that_is_no_text_is_unknown_in_the_words_of_each_contract() {
    let server = Running::start("").await;
    let path = |path: &str| format!("{path}/%ff");
    for (path, status, field) in [
        (path("/api/jobs") + "/stream", 404, "detail"),
        (path("/api/jobs") + "/logs", 404, "detail"),
        (path("/api/v1/executions") + "/events", 422, "detail"),
        (path("/v0/pipelines") + "/logs", 404, "error_code"),
        (path("/runner-jobs") + "/events/stream", 400, "statusCode"),
        (path("/api/v1/jobs"), 404, "title"),
        (path("/api/v1/pipelines"), 404, "title"),
    ] {
        let answer = server.get(&path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.json().await.get(field).is_some(), "{path}");
    }
    server.stop().await;
}
