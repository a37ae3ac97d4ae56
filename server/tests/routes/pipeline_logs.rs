//! Contract 4: `GET /v0/pipelines/{pipeline_name}/logs`.

use crate::{
    client::Answer,
    running::{Running, pipeline},
};
use serde_json::json;

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
    lines.upto("Fresh start of pipeline logs").await;
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
