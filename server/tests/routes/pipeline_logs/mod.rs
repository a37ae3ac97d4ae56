//! Contract 4: `GET /v0/pipelines/{pipeline_name}/logs`: what is in it here, how it [`ends`] and is refused there.

mod ends;

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
