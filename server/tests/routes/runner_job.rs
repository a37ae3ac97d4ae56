//! Contract 5: `GET /runner-jobs/{jobId}/events/stream`.

use crate::{
    client,
    events::{Event, Events},
    running::{Running, pipeline},
};
use serde_json::{Value, json};
use std::time::Duration;

const NOBODY: &str = "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1";

fn path(id: &str) -> String {
    format!("/runner-jobs/{id}/events/stream")
}

async fn events(server: &Running, id: &str, head: &[(&str, &str)]) -> Events {
    Events::of(server.get_with(&path(id), head).await)
}

/// The events with the output between two others in one piece: how it is cut is nobody's business.
fn joined(events: &[Event]) -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = Vec::new();
    for Event { name, data, .. } in events {
        match all.last_mut() {
            Some((before, to))
                if before == name && name == "step.output" && to["stepId"] == data["stepId"] =>
            {
                let text = [&to["chunk"], &data["chunk"]].map(|chunk| chunk.as_str().unwrap());
                to["chunk"] = json!(text.concat());
            }
            _ => all.push((name.clone(), data.clone())),
        }
    }
    all
}

fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

fn output(events: &[Event]) -> String {
    let chunks = events.iter().filter(|event| event.name == "step.output");
    chunks.map(|event| event.data["chunk"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_malformed_id_or_position_is_400_and_an_unknown_job_404() {
    let server = Running::start("").await;
    let refused = async |id: &str, head: &[(&str, &str)]| -> Value {
        let answer = server.get_with(&path(id), head).await;
        let status = answer.status;
        let body = answer.json().await;
        assert_eq!(body["statusCode"], status);
        assert_eq!(body.as_object().unwrap().len(), 3);
        assert!(body["message"].is_string());
        body
    };
    assert_eq!(refused("42", &[]).await["error"], "Bad Request");
    let body = refused(NOBODY, &[("Last-Event-ID", "7")]).await;
    assert_eq!((&body["statusCode"], &body["error"]), (&json!(400), &json!("Bad Request")));
    let body = refused(NOBODY, &[]).await;
    assert_eq!((&body["statusCode"], &body["error"]), (&json!(404), &json!("Not Found")));
    server.stop().await;
}

#[tokio::test]
async fn steps_are_told_as_they_run_with_their_output_and_then_the_end() {
    let (one, two) = (Running::gate("one"), Running::gate("two"));
    let toml = format!(
        "[[pipeline]]\nname = 'works'\n\
         [[pipeline.steps]]\nname = 'prepare'\nphase = 'setup'\nrun = '''echo ready; {}'''\n\
         [[pipeline.steps]]\nname = 'work'\nrun = '''echo on; {}; echo done >&2'''\n\
         [[pipeline.steps]]\nname = 'check'\nphase = 'validation'\nrun = 'true'\n\
         [[pipeline.steps]]\nname = 'tidy'\nphase = 'cleanup'\nrun = 'true'\n",
        one.wait(),
        two.wait()
    );
    let server = Running::start(&toml).await;
    let id = server.run("works").await;
    let mut stream = events(&server, &id, &[]).await;
    let mut all = Vec::new();
    // Each line while the step that printed it still runs.
    for (line, gate) in [("ready\n", &one), ("on\n", &two)] {
        while all.last().is_none_or(|event: &Event| event.data["chunk"] != line) {
            all.push(stream.next().await.unwrap());
        }
        gate.open();
    }
    all.extend(stream.rest().await);
    let told = joined(&all);
    assert_eq!(
        names(&told),
        [
            "job.started",
            "step.started",
            "step.output",
            "step.completed",
            "step.started",
            "step.output",
            "step.completed",
            "step.started",
            "step.completed",
            "step.started",
            "step.completed",
            "job.completed",
            "stream.complete",
        ]
    );
    let data = |i: usize| &told[i].1;
    let started = json!({ "jobId": id, "status": "active", "duration_ms": null });
    assert_eq!(data(0), &started);
    let phases = [1, 4, 7, 9].map(|i| (data(i)["name"].clone(), data(i)["phase"].clone()));
    let expected =
        [("prepare", "setup"), ("work", "execution"), ("check", "validation"), ("tidy", "cleanup")];
    assert_eq!(phases, expected.map(|(name, phase)| (json!(name), json!(phase))));
    assert_eq!(data(5), &json!({ "stepId": data(4)["stepId"], "chunk": "on\ndone\n" }));
    assert_eq!((&data(6)["stepId"], &data(6)["status"]), (&data(4)["stepId"], &json!("completed")));
    assert!(data(6)["duration_ms"].is_u64() && data(6).as_object().unwrap().len() == 3);
    assert_eq!((&data(11)["jobId"], &data(11)["status"]), (&json!(id), &json!("completed")));
    assert!(data(11)["duration_ms"].is_u64());
    assert_eq!(data(12), &json!({ "jobId": id, "status": "completed" }));
    let ids: Vec<_> = all.iter().map(|event| event.id.as_deref().unwrap()).collect();
    assert_eq!((ids[0], ids[1], ids[2]), ("1.0", "2.0", "2.6"));
    assert_eq!(ids.last(), Some(&"end"));
    server.stop().await;
}

#[tokio::test]
async fn one_that_connects_late_gets_all_events_so_far() {
    let gate = Running::gate("gate");
    let server =
        Running::start(&pipeline("works", &["seq 1 5000", &format!("echo on; {}", gate.wait())]))
            .await;
    let id = server.run("works").await;
    let mut first = events(&server, &id, &[]).await;
    let mut all = Vec::new();
    while all.last().is_none_or(|event: &Event| event.data["chunk"] != "on\n") {
        all.push(first.next().await.unwrap());
    }
    let mut late = events(&server, &id, &[]).await;
    gate.open();
    all.extend(first.rest().await);
    let all = joined(&all);
    assert_eq!(joined(&late.rest().await), all);
    assert_eq!(joined(&events(&server, &id, &[]).await.rest().await), all);
    server.stop().await;
}

#[tokio::test]
async fn chunks_are_whole_lines_where_possible_and_at_most_16_kib() {
    let run = "seq 1 20000; head -c 40000 /dev/zero | tr '\\0' x; echo; printf 'a\\377b\\rc\\n'";
    let server = Running::start(&pipeline("prints", &[run])).await;
    let id = server.run_to_end("prints").await;
    let all = events(&server, &id, &[]).await.rest().await;
    let chunks: Vec<_> = all.iter().filter_map(|event| event.data["chunk"].as_str()).collect();
    assert!(chunks.iter().all(|chunk| chunk.len() <= 16 * 1024));
    assert!(chunks.iter().all(|chunk| chunk.ends_with('\n') || chunk.contains("xxx")));
    let mut expected: String = (1..=20000).map(|n| format!("{n}\n")).collect();
    expected += &format!("{}\na\u{fffd}b\rc\n", "x".repeat(40000));
    assert_eq!(output(&all), expected);
    server.stop().await;
}

#[tokio::test]
async fn lines_that_the_log_has_no_room_for_are_counted_where_they_are_missing() {
    let toml = pipeline("floods", &["seq 1 100000", "true"]).replacen(
        "[[pipeline.steps]]",
        "max_log_bytes = '64KiB'\n[[pipeline.steps]]",
        1,
    );
    let server = Running::start(&toml).await;
    let id = server.run("floods").await;
    let live = events(&server, &id, &[]).await.rest().await;
    let text = output(&live);
    let note = text.lines().find(|line| line.starts_with("[tailboard] ")).unwrap();
    let left_out: usize = note.split(' ').nth(1).unwrap().parse().unwrap();
    assert_eq!(note, format!("[tailboard] {left_out} lines left out"));
    assert_eq!(text.lines().count() - 1 + left_out, 100_000);
    let again = events(&server, &id, &[]).await.rest().await;
    assert_eq!(joined(&again), joined(&live));
    server.stop().await;
}

#[tokio::test]
async fn a_reconnect_goes_on_after_any_id_and_after_the_end_it_is_204() {
    let long = "head -c 70000 /dev/zero | tr '\\0' x; echo; seq 1 3000";
    let server = Running::start(&pipeline("prints", &["echo first", long, "exit 3"])).await;
    let id = server.run_to_end("prints").await;
    let all = events(&server, &id, &[]).await.rest().await;
    assert!(all.len() > 12, "{}", all.len());
    for (i, event) in all.iter().enumerate().take(all.len() - 1) {
        let head = [("Last-Event-ID", event.id.as_deref().unwrap())];
        let rest = events(&server, &id, &head).await.rest().await;
        assert_eq!(joined(&rest), joined(&all[i + 1..]), "{:?}", event.id);
    }
    // In the middle of a line, where no chunk ended here but one may elsewhere.
    let rest = events(&server, &id, &[("Last-Event-ID", "4.1006")]).await.rest().await;
    assert_eq!(output(&rest), output(&all)[1006..]);
    let answer = server.get_with(&path(&id), &[("Last-Event-ID", "end")]).await;
    assert_eq!(answer.status, 204);
    // A position that was never given out is beyond everything, but no later one is made of it.
    let rest = events(&server, &id, &[("Last-Event-ID", "99.99999999")]).await.rest().await;
    assert_eq!(names(&joined(&rest)), ["stream.complete"]);
    let rest = events(&server, &id, &[("Last-Event-ID", "1.99999999")]).await.rest().await;
    let known: Vec<_> = all.iter().map(|event| &event.id).collect();
    let last = |id: &Option<String>| Some(id.as_deref()?.split_once('.')?.1.to_owned());
    let end = known.iter().rev().find_map(|id| last(id));
    assert!(rest.iter().filter_map(|event| last(&event.id)).all(|at| Some(&at) == end.as_ref()));
    server.stop().await;
}

#[tokio::test]
async fn steps_that_did_not_complete_and_jobs_that_failed_or_were_cancelled_say_so() {
    let gate = Running::gate("gate");
    let toml = pipeline("fails", &["exit 3", "true"]) + &pipeline("waits", &[&gate.wait(), "true"]);
    let server = Running::start(&toml).await;
    let statuses = |all: &[Event]| -> Vec<Value> {
        let steps = all.iter().filter(|event| event.name == "step.completed");
        steps.map(|event| event.data["status"].clone()).collect()
    };
    let id = server.run_to_end("fails").await;
    let all = events(&server, &id, &[]).await.rest().await;
    assert_eq!(statuses(&all), ["failed", "skipped"]);
    assert_eq!(all[all.len() - 2].name, "job.failed");
    assert_eq!(all.last().unwrap().data["status"], "failed");

    let id = server.run("waits").await;
    let mut stream = events(&server, &id, &[]).await;
    stream.named("step.started").await;
    assert_eq!(server.cancel(&id).await.status, 202);
    let all = stream.rest().await;
    assert_eq!(statuses(&all), ["cancelled", "skipped"]);
    assert_eq!(all[all.len() - 2].name, "job.cancelled");
    assert_eq!(all.last().unwrap().data, json!({ "jobId": id, "status": "cancelled" }));
    server.stop().await;
}

#[tokio::test]
async fn each_attempt_is_told_with_its_own_output() {
    let toml = "[[pipeline]]\nname = 'flaky'\nretries = 1\nretry_delay = '10ms'\n\
        [[pipeline.steps]]\nname = 'try'\n\
        run = 'echo $TAILBOARD_ATTEMPT; [ $TAILBOARD_ATTEMPT = 2 ]'\n";
    let server = Running::start(toml).await;
    let id = server.run("flaky").await;
    let live = joined(&events(&server, &id, &[]).await.rest().await);
    assert_eq!(
        names(&live),
        [
            "job.started",
            "step.started",
            "step.output",
            "step.completed",
            "job.retrying",
            "job.started",
            "step.started",
            "step.output",
            "step.completed",
            "job.completed",
            "stream.complete",
        ]
    );
    assert_eq!((&live[2].1["chunk"], &live[7].1["chunk"]), (&json!("1\n"), &json!("2\n")));
    assert_eq!(live[7].1["stepId"], live[6].1["stepId"]);
    assert_ne!(live[2].1["stepId"], live[7].1["stepId"]);
    assert_eq!(joined(&events(&server, &id, &[]).await.rest().await), live);
    server.stop().await;
}

#[tokio::test]
async fn without_its_log_a_job_is_told_without_output_and_a_comment_says_so() {
    let server = Running::start(&pipeline("prints", &["echo one", "echo two"])).await;
    let id = server.run_to_end("prints").await;
    let dir = server.job_dir(&id);
    std::fs::remove_file(dir.join("log")).unwrap();
    std::fs::remove_file(dir.join("log.idx")).unwrap();
    let mut stream = events(&server, &id, &[]).await;
    let all = joined(&stream.rest().await);
    assert!(!names(&all).contains(&"step.output"));
    assert_eq!(names(&all)[names(&all).len() - 1], "stream.complete");
    assert!(stream.comments.iter().any(|comment| comment.contains("the log is no longer kept")));
    server.stop().await;
}

#[tokio::test]
async fn silence_is_filled_with_ping_comments_and_a_client_that_goes_frees_everything() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("waits", &[&gate.wait()])).await;
    let id = server.run("waits").await;
    let mut stream = events(&server, &id, &[]).await;
    let first = stream.first_bytes().await;
    assert!(first.starts_with("retry: ") && first.ends_with("\n:ok\n"), "{first}");
    stream.named("step.started").await;
    let mut raw = server.get(&path(&id)).await;
    let mut text = String::new();
    while !text.contains("\n: ping\n: ping\n") {
        text += std::str::from_utf8(&raw.piece().await.unwrap()).unwrap();
    }
    drop((raw, stream));
    server.no_streams().await;
    gate.open();
    server.stop().await;
}

#[tokio::test]
async fn a_job_that_is_deleted_in_mid_stream_ends_it_with_stream_error() {
    let server = Running::start(&pipeline("floods", &["seq 1 4000000"])).await;
    let id = server.run_to_end("floods").await;
    let mut stream = events(&server, &id, &[]).await;
    stream.named("step.output").await;
    let answer =
        client::send(server.address, "DELETE", &format!("/api/v1/jobs/{id}"), &[], b"").await;
    assert_eq!(answer.status, 204);
    let rest = stream.rest().await;
    let last = rest.last().unwrap();
    assert_eq!(
        (&*last.name, &last.data),
        ("stream_error", &json!({ "error": "Job no longer exists" }))
    );
    assert_eq!(server.get(&path(&id)).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_stream_ends_at_its_longest_and_the_client_resumes() {
    let gate = Running::gate("gate");
    let toml = pipeline("waits", &[&gate.wait()]);
    let server = Running::start_with(&toml, |streams| {
        assert_eq!(streams.longest, Duration::from_secs(3600));
        streams.longest = Duration::from_millis(300);
    })
    .await;
    let id = server.run("waits").await;
    let mut all = events(&server, &id, &[]).await.rest().await;
    assert_eq!(all.last().unwrap().name, "step.started");
    gate.open();
    server.over(&id).await;
    let position = all.last().unwrap().id.clone().unwrap();
    all.extend(events(&server, &id, &[("Last-Event-ID", &position)]).await.rest().await);
    assert_eq!(joined(&all), joined(&events(&server, &id, &[]).await.rest().await));
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
