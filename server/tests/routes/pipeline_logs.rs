//! Contract 4: `GET /v0/pipelines/{pipeline_name}/logs`.

use crate::{
    client::{self, Answer},
    running::{Running, pipeline},
};
use serde_json::json;
use std::fmt::Write;

/// A pipeline's log as it arrives.
struct Lines {
    answer: Answer,
    read: String,
}

impl Lines {
    async fn of(server: &Running, pipeline: &str) -> Self {
        let answer = server.get(&format!("/v0/pipelines/{pipeline}/logs")).await;
        assert_eq!(answer.status, 200);
        Self { answer, read: String::new() }
    }

    /// Of a pipeline that has run once, to the end.
    async fn after_a_run(server: &Running, pipeline: &str) -> (Self, String) {
        let end = format!("run {} completed", server.run_to_end(pipeline).await);
        // The end is told after it is committed.
        Self::of(server, pipeline).await.upto(&end).await;
        (Self::of(server, pipeline).await, end)
    }

    /// The next line; None at the end.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((line, rest)) = self.read.split_once('\n') {
                let line = line.to_owned();
                self.read = rest.to_owned();
                return Some(line);
            }
            match self.answer.piece().await {
                Some(piece) => self.read += std::str::from_utf8(&piece).unwrap(),
                None => {
                    assert_eq!(self.read, "", "the last line is whole");
                    return None;
                }
            }
        }
    }

    /// The lines to the end.
    async fn rest(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = self.next().await {
            lines.push(line);
        }
        lines
    }

    /// The lines up to one that ends like this.
    async fn upto(&mut self, end: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.next().await.unwrap_or_else(|| panic!("no {end:?} in {lines:?}"));
            let found = line.ends_with(end);
            lines.push(line);
            if found {
                return lines;
            }
        }
    }
}

const FRESH: &str = "Fresh start of pipeline logs";
const LAST: &str = "Logs have ended";

/// How many lines a notice of Tailboard's own says are missing.
fn missing(line: &str, why: &str) -> usize {
    let text = own(line);
    let (count, rest) = text.strip_prefix("WARN  ").unwrap().split_once(' ').unwrap();
    assert!(rest.starts_with(why), "{line}");
    count.parse().unwrap()
}

/// A line of Tailboard's own without its time.
fn own(line: &str) -> String {
    let (at, text) = line.strip_prefix("[tailboard] ").unwrap().split_once(' ').unwrap();
    assert!(at.len() == 24 && at.ends_with('Z'), "{line}");
    text.to_owned()
}

#[tokio::test]
async fn it_is_plain_text_with_these_headers_chunked_one_line_each() {
    let server = Running::start(&pipeline("hello", &["echo hello"])).await;
    let answer = server.get("/v0/pipelines/hello/logs").await;
    assert_eq!(answer.status, 200);
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("content-encoding", "identity"),
        ("x-accel-buffering", "no"),
        ("cache-control", "no-cache, no-transform"),
        ("transfer-encoding", "chunked"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let mut lines = Lines { answer, read: String::new() };
    assert_eq!(own(&lines.next().await.unwrap()), "INFO  Fresh start of pipeline logs");
    server.stop().await;
}

#[tokio::test]
async fn it_follows_stdout_and_stderr_of_every_run_with_lines_that_tell_runs_apart() {
    let run = "echo out; echo err >&2; printf 'no end'";
    let server = Running::start(&pipeline("prints", &[run])).await;
    let mut lines = Lines::of(&server, "prints").await;
    lines.upto(FRESH).await;
    for _ in 0..2 {
        let id = server.run("prints").await;
        assert_eq!(own(&lines.next().await.unwrap()), format!("INFO  run {id} started"));
        let printed = lines.upto(&format!("run {id} completed")).await;
        let mut text: Vec<_> = printed[..3].iter().map(String::as_str).collect();
        text.sort_unstable();
        assert_eq!(text, ["err", "no end", "out"]);
        assert_eq!((printed.len(), own(&printed[3])), (4, format!("INFO  run {id} completed")));
    }
    server.stop().await;
}

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
async fn parameters_it_does_not_know_are_ignored() {
    let server = Running::start(&pipeline("hello", &["true"])).await;
    assert_eq!(server.get("/v0/pipelines/hello/logs?_=1&follow=x").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn it_catches_up_with_the_last_50_000_lines_and_first_says_how_many_were_dropped() {
    let server = Running::start(&pipeline("counts", &["seq 1 60000"])).await;
    let (mut lines, end) = Lines::after_a_run(&server, "counts").await;
    let read = lines.upto(&end).await;
    assert_eq!(read.len(), 1 + 50_000);
    // Fresh start, started, and as many numbers as the last line takes room.
    assert_eq!(missing(&read[0], "lines dropped"), 2 + 10_000 + 1);
    assert_eq!((&*read[1], &*read[49_999]), ("10002", "60000"));
    server.stop().await;
}

#[tokio::test]
async fn it_catches_up_with_the_last_1_000_000_bytes() {
    let run = "yes $(printf '%099d' 0) | head -n 20000";
    let server = Running::start(&pipeline("long", &[run])).await;
    let (mut lines, end) = Lines::after_a_run(&server, "long").await;
    let read = lines.upto(&end).await;
    let bytes: usize = read[1..].iter().map(|line| line.len() + 1).sum();
    assert!((999_900..=1_000_000).contains(&bytes), "{bytes}");
    assert_eq!(missing(&read[0], "lines dropped"), 20_003 - (read.len() - 1));
    server.stop().await;
}

#[tokio::test]
async fn a_line_larger_than_the_whole_buffer_is_cut_and_never_empties_it() {
    let run = "echo before; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo after";
    let server = Running::start(&pipeline("wide", &[run])).await;
    let (mut lines, end) = Lines::after_a_run(&server, "wide").await;
    let read = lines.upto(&end).await;
    assert_eq!(&read[read.len() - 2], "after");
    assert!(read.iter().all(|line| line.len() <= 65_536), "pieces of a line are lines");
    assert!(read.len() > 10 && read.iter().map(|line| line.len() + 1).sum::<usize>() <= 1_000_100);
    server.stop().await;
}

#[tokio::test]
async fn lines_of_runs_at_the_same_time_are_whole() {
    let run = "for i in $(seq 1 3000); do echo \"out $TAILBOARD_JOB_ID\"; \
               echo \"err $TAILBOARD_JOB_ID\" >&2; done";
    let server = Running::start(&pipeline("both", &[run])).await;
    let mut lines = Lines::of(&server, "both").await;
    let ids = [server.run("both").await, server.run("both").await];
    let (mut read, mut over) = (Vec::new(), 0);
    while over < 2 {
        let line = lines.next().await.unwrap();
        over += usize::from(line.ends_with(" completed"));
        read.push(line);
    }
    for id in &ids {
        for stream in ["out", "err"] {
            let line = format!("{stream} {id}");
            assert_eq!(read.iter().filter(|read| **read == line).count(), 3000, "{line}");
        }
    }
    assert_eq!(read.len(), 1 + 4 + 4 * 3000, "and nothing else");
    server.stop().await;
}

#[tokio::test]
async fn a_run_that_is_tried_again_and_one_that_failed_say_so() {
    let toml = pipeline("fails", &["echo tries; exit 3"]);
    let toml = toml.replacen('\n', "\nretries = 1\nretry_delay = '1ms'\n", 1);
    let server = Running::start(&toml).await;
    let mut lines = Lines::of(&server, "fails").await;
    let id = server.run("fails").await;
    let mut read = lines.upto(&format!("run {id} started, attempt 2")).await;
    read.push(lines.next().await.unwrap());
    read.push(lines.next().await.unwrap());
    assert_eq!(read[1..3], [read[1].clone(), "tries".into()]);
    assert!(own(&read[3]).starts_with(&format!("WARN  run {id} failed in attempt 1 of 2: ")));
    assert_eq!(&read[5], "tries");
    assert!(own(&read[6]).starts_with(&format!("ERROR run {id} failed: ")), "{}", read[6]);
    server.stop().await;
}

#[tokio::test]
async fn a_secret_is_masked() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "TOKEN=swordfish\n").unwrap();
    let env = format!("\nenv_file = '{}'\n", file.path().display());
    let server =
        Running::start(&pipeline("tells", &["echo \"it is $TOKEN\""]).replacen('\n', &env, 1))
            .await;
    let id = server.run_to_end("tells").await;
    let read = Lines::of(&server, "tells").await.upto(&format!("run {id} completed")).await;
    assert_eq!(&read[2], "it is *********");
    server.stop().await;
}

#[tokio::test]
async fn a_reader_that_the_buffer_overtakes_is_told_and_goes_on() {
    let gate = Running::gate("gate");
    let run = format!("{}; yes $(printf '%099d' 0) | head -n 400000", gate.wait());
    let server = Running::start(&pipeline("floods", &[&run])).await;
    let mut lines = Lines::of(&server, "floods").await;
    lines.upto(FRESH).await;
    let id = server.run("floods").await;
    gate.open();
    server.over(&id).await;
    let read = lines.upto(&format!("run {id} completed")).await;
    let notices = read.iter().filter(|line| line.contains("reader too slow"));
    let skipped: usize = notices.clone().map(|line| missing(line, "lines skipped: reader")).sum();
    assert!(notices.count() > 0);
    let printed = read.iter().filter(|line| !line.starts_with("[tailboard]")).count();
    assert_eq!(printed + skipped, 400_000);
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
async fn lines_of_a_deleted_job_are_said_to_be_missing() {
    let server = Running::start(&pipeline("prints", &["seq 1 7"])).await;
    let id = server.run_to_end("prints").await;
    assert_eq!(server.delete(&format!("/api/v1/jobs/{id}")).await.status, 204);
    while server.job_dir(&id).exists() {
        tokio::task::yield_now().await;
    }
    let read = Lines::of(&server, "prints").await.upto(&format!("run {id} completed")).await;
    assert_eq!(read.len(), 4);
    assert_eq!(own(&read[2]), format!("WARN  7 lines of run {id} were deleted with it"));
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
