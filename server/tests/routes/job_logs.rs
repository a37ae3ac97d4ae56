//! Contract 2: `GET /api/jobs/{job_id}/logs`.

use crate::{
    events::{Event, Events},
    running::{Running, pipeline},
};
use serde_json::{Value, json};

const NOBODY: &str = "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1";

async fn logs(server: &Running, id: &str, query: &str, head: &[(&str, &str)]) -> Events {
    Events::of(server.get_with(&format!("/api/jobs/{id}/logs?{query}"), head).await)
}

/// (number, text, initial) of each line.
fn lines(events: &[Event]) -> Vec<(u64, String, bool)> {
    let lines = events.iter().filter(|event| event.name == "log");
    lines
        .map(|event| {
            let data = &event.data;
            let n = data["line_number"].as_u64().unwrap();
            assert_eq!(event.id, Some(n.to_string()));
            (n, data["line"].as_str().unwrap().to_owned(), data["initial"].as_bool().unwrap())
        })
        .collect()
}

fn assert_complete(events: &[Event]) {
    let last = events.last().unwrap();
    assert_eq!((last.name.as_str(), last.id.as_deref()), ("log_complete", Some("end")));
    assert!(last.data["message"].is_string());
}

#[tokio::test]
async fn parameters_out_of_range_are_refused_before_the_job_is_looked_up() {
    let server = Running::start("").await;
    let tail = "tail_lines must be between 0 and 1000";
    for (query, detail) in [
        ("tail_lines=1001", tail),
        ("tail_lines=-1", tail),
        ("tail_lines=NaN", tail),
        ("tail_lines=1.5", tail),
        ("follow=maybe", "follow must be true or false"),
        ("format=csv", "format must be events or text"),
        ("format=text&timestamps=maybe", "timestamps must be true or false"),
        ("format=text&follow=true", "format=text has the lines so far: follow must be false"),
    ] {
        let answer = server.get(&format!("/api/jobs/{NOBODY}/logs?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.json().await, json!({ "detail": detail }));
    }
    server.stop().await;
}

#[tokio::test]
async fn the_last_lines_come_with_their_real_numbers_and_blank_lines_count() {
    let run = r"printf 'one\n\nthree\nfour\n\n'";
    let server = Running::start(&pipeline("prints", &[run])).await;
    let id = server.run_to_end("prints").await;
    let events = logs(&server, &id, "follow=false&tail_lines=4", &[]).await.rest().await;
    let expected = [(2, "", true), (3, "three", true), (4, "four", true), (5, "", true)];
    assert_eq!(lines(&events), expected.map(|(n, line, initial)| (n, line.to_owned(), initial)));
    assert!(events[0].data["timestamp"].as_str().unwrap().ends_with('Z'));
    assert_complete(&events);
    for (tail, count) in [("0", 0), ("1000", 5)] {
        // As Python writes it.
        let query = format!("follow=False&tail_lines={tail}");
        let events = logs(&server, &id, &query, &[]).await.rest().await;
        assert_eq!(lines(&events).len(), count);
        assert_complete(&events);
    }
    server.stop().await;
}

#[tokio::test]
async fn new_lines_follow_the_tail_and_the_stream_ends_with_the_log() {
    let (one, two) = (Running::gate("one"), Running::gate("two"));
    let steps = [
        format!("seq 1 3; {}; seq 4 5; {}; seq 6 2000", one.wait(), two.wait()),
        "echo last".into(),
    ];
    let server = Running::start(&pipeline("counts", &[&steps[0], &steps[1]])).await;
    let id = server.run("counts").await;
    // From before the first line on: the stream of a job that has no log yet waits for it.
    let mut events = logs(&server, &id, "", &[]).await;
    let mut told = Vec::new();
    while told.len() < 3 {
        told.push(events.named("log").await);
    }
    // Opened in the middle: a tail, then what is new.
    let mut middle = logs(&server, &id, "tail_lines=2", &[]).await;
    let mut from_middle = vec![middle.named("log").await, middle.named("log").await];
    one.open();
    while told.len() < 5 {
        told.push(events.named("log").await);
    }
    two.open();
    told.extend(events.rest().await);
    from_middle.extend(middle.rest().await);

    assert_complete(&told);
    let lines_told = lines(&told);
    let texts: Vec<_> = lines_told.iter().map(|(_, text, _)| text.clone()).collect();
    let expected: Vec<_> = (1..=2000).map(|n| n.to_string()).chain(["last".to_owned()]).collect();
    assert_eq!(texts, expected);
    assert!(lines_told.iter().map(|(n, ..)| *n).eq(1..=2001));

    let middle = lines(&from_middle);
    assert_eq!(middle[..2], [(2, "2".to_owned(), true), (3, "3".to_owned(), true)]);
    assert!(middle[2..].iter().map(|(n, ..)| *n).eq(4..=2001));
    assert!(middle[2..].iter().all(|(_, _, initial)| !initial));
    server.stop().await;
}

#[tokio::test]
async fn a_reconnect_goes_on_after_its_id_and_never_repeats_the_tail() {
    let server = Running::start(&pipeline("counts", &["seq 1 500"])).await;
    let id = server.run_to_end("counts").await;
    for after in [0_u64, 17, 499, 500, 600] {
        let head = [("Last-Event-ID", &*after.to_string())];
        let events = logs(&server, &id, "tail_lines=10", &head).await.rest().await;
        let lines = lines(&events);
        assert!(lines.iter().map(|(n, ..)| *n).eq(after + 1..=500), "{after}");
        assert!(lines.iter().all(|(_, _, initial)| !initial));
        assert_complete(&events);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_half_written_line_is_not_sent_until_it_is_complete_or_the_log_closes() {
    let (one, two) = (Running::gate("one"), Running::gate("two"));
    let run = format!(
        r"echo whole; printf half; {}; echo ' done'; printf rest; {}",
        one.wait(),
        two.wait()
    );
    let server = Running::start(&pipeline("halves", &[&run])).await;
    let id = server.run("halves").await;
    let mut events = logs(&server, &id, "", &[]).await;
    assert_eq!(events.named("log").await.data["line"], "whole");
    let now = logs(&server, &id, "follow=false", &[]).await.rest().await;
    assert_eq!(lines(&now), [(1, "whole".to_owned(), true)]);
    one.open();
    assert_eq!(events.named("log").await.data["line"], "half done");
    two.open();
    let rest = events.rest().await;
    assert_eq!(lines(&rest), [(3, "rest".to_owned(), false)]);
    assert_complete(&rest);
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_utf8_is_replaced_on_the_stream_and_stays_in_the_download() {
    let run = r"printf 'a\377b\0c\rd\n'";
    let server = Running::start(&pipeline("bytes", &[run])).await;
    let id = server.run_to_end("bytes").await;
    let events = logs(&server, &id, "follow=false", &[]).await.rest().await;
    assert_eq!(lines(&events)[0].1, "a\u{fffd}b\0c\rd");
    let bytes = server.get(&format!("/api/jobs/{id}/logs/static")).await.bytes().await;
    assert_eq!(bytes, b"a\xffb\0c\rd\n");
    server.stop().await;
}

#[tokio::test]
async fn a_log_that_cannot_be_read_for_a_moment_ends_the_stream_but_is_not_complete() {
    const LINES: u64 = 300_000;
    let server = Running::start(&pipeline("counts", &[&format!("seq 1 {LINES}")])).await;
    let id = server.run_to_end("counts").await;
    let mut events = logs(&server, &id, "", &[("Last-Event-ID", "0")]).await;
    assert_eq!(events.named("log").await.data["line"], "1");
    // What the client has not asked for yet cannot be read any more.
    let index = server.job_dir(&id).join("log.idx");
    let aside = index.with_extension("aside");
    std::fs::rename(&index, &aside).unwrap();
    std::fs::create_dir(&index).unwrap();
    let mut told = events.rest().await;
    // Where the reader has to wait for the files.
    told.retain(|event| event.name != "heartbeat");
    assert!(told.iter().all(|event| event.name == "log"), "{:?}", told.last());
    std::fs::remove_dir(&index).unwrap();
    std::fs::rename(&aside, &index).unwrap();
    let last = told.last().unwrap().id.clone().unwrap();
    let rest = logs(&server, &id, "", &[("Last-Event-ID", &last)]).await.rest().await;
    assert_complete(&rest);
    assert_eq!(rest[0].data["line_number"], last.parse::<u64>().unwrap() + 1);
    assert_eq!(rest[rest.len() - 2].data["line_number"], LINES);
    server.stop().await;
}

#[tokio::test]
async fn as_text_each_line_is_one_line_so_their_count_says_where_to_go_on() {
    // An unfinished line of a step, one that is cut, and lines that are left out are lines, too.
    let long = "printf '%070000d' 0; echo; printf 'no end'";
    let toml = pipeline("odd", &[r"printf 'a\377b\n\nc\r\nopen'", long, "seq 1 20000"]);
    let toml = toml.replacen("name", "max_log_bytes = '75KB'\nname", 1);
    let server = Running::start(&toml).await;
    let id = server.run_to_end("odd").await;
    let from = [("Last-Event-ID", "0")];
    let events = lines(&logs(&server, &id, "", &from).await.rest().await);
    assert!(events.iter().any(|(_, text, _)| text.contains("lines left out")));
    let text = async |after: usize, query: &str| {
        let path = format!("/api/jobs/{id}/logs?format=text&{query}");
        let answer = server.get_with(&path, &[("Last-Event-ID", &*after.to_string())]).await;
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        answer.text().await
    };
    for after in [0, 1, 5, events.len() - 1, events.len(), events.len() + 7] {
        let rest = &events[after.min(events.len())..];
        let expected: String = rest.iter().map(|(_, line, _)| format!("{line}\n")).collect();
        assert!(text(after, "").await == expected, "{after}");
        let timed = text(after, "timestamps=true").await;
        let timed = timed.split_terminator('\n').map(|line| line.split_at(25));
        assert!(timed.clone().map(|(_, line)| line).eq(rest.iter().map(|(_, line, _)| line)));
        for (at, line) in timed {
            let is_known = !line.contains("lines left out");
            assert_eq!(at.trim_end().parse::<shared::Timestamp>().is_ok(), is_known, "{at}{line}");
        }
    }
    let tail = server.get(&format!("/api/jobs/{id}/logs?format=text&tail_lines=3")).await;
    assert_eq!(tail.text().await.lines().count(), 3);
    server.stop().await;
}

#[tokio::test]
async fn a_job_that_never_ran_has_no_log() {
    let gate = Running::gate("gate");
    let toml = format!(
        "[[queue]]\nname = 'default'\nconcurrency = 1\n{}",
        pipeline("waits", &[&gate.wait()])
    );
    let server = Running::start(&toml).await;
    server.run("waits").await;
    let id = server.run("waits").await;
    let refused = async |path: &str| -> Value {
        let answer = server.get(&format!("/api/jobs/{id}/{path}")).await;
        assert_eq!(answer.status, 404, "{path}");
        answer.json().await
    };
    let detail = json!({ "detail": format!("Log file not found for job: {id}") });
    for path in ["logs?follow=false", "logs/static", "logs/info"] {
        assert_eq!(refused(path).await, detail);
    }
    // One that may still have a log is waited for; when that can be no more, the stream ends.
    let mut waiting = logs(&server, &id, "", &[]).await;
    waiting.first_bytes().await;
    assert_eq!(server.cancel(&id).await.status, 202);
    assert_complete(&waiting.rest().await);
    assert_eq!(refused("logs").await, detail);
    server.stop().await;
}
