//! Contract 2: `…/logs/static` and `…/logs/info`.

use crate::{
    client::{self, Answer},
    running::{Running, pipeline},
};
use flate2::read::GzDecoder;
use serde_json::json;
use std::io::Read;

/// A server, a job whose log is over, and the log.
async fn with_log() -> (Running, String, Vec<u8>) {
    let server = Running::start(&pipeline("prints", &["seq 1 100000; printf unfinished"])).await;
    let id = server.run_to_end("prints").await;
    let mut log: Vec<u8> = (1..=100_000).flat_map(|n| format!("{n}\n").into_bytes()).collect();
    log.extend(b"unfinished");
    (server, id, log)
}

async fn download(server: &Running, id: &str, head: &[(&str, &str)]) -> Answer {
    server.get_with(&format!("/api/jobs/{id}/logs/static"), head).await
}

#[tokio::test]
async fn a_download_is_exactly_the_bytes_of_the_log() {
    let (server, id, log) = with_log().await;
    let answer = download(&server, &id, &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert_eq!(answer.header("content-length"), log.len().to_string());
    let name = format!("attachment; filename=\"tailboard-{id}.log\"");
    assert_eq!(answer.header("content-disposition"), name);
    assert!(answer.bytes().await == log);
    server.stop().await;
}

#[tokio::test]
async fn head_says_the_same_and_sends_nothing() {
    let (server, id, log) = with_log().await;
    let path = format!("/api/jobs/{id}/logs/static");
    let answer = client::send(server.address, "HEAD", &path, &[], b"").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-length"), log.len().to_string());
    assert!(answer.header("etag").starts_with('"'));
    assert!(answer.bytes().await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_range_is_a_piece_of_the_same_bytes() {
    let (server, id, log) = with_log().await;
    let len = log.len();
    let tag = download(&server, &id, &[]).await.header("etag").to_owned();
    for (range, from, to) in [
        ("bytes=0-0".to_owned(), 0, 1),
        ("bytes=1000-200000".to_owned(), 1000, 200_001),
        (format!("bytes={}-", len - 5), len - 5, len),
        ("bytes=-7".to_owned(), len - 7, len),
    ] {
        let answer = download(&server, &id, &[("Range", &range), ("If-Range", &tag)]).await;
        assert_eq!(answer.status, 206, "{range}");
        let content = format!("bytes {from}-{}/{len}", to - 1);
        assert_eq!(answer.header("content-range"), content);
        assert!(answer.bytes().await == log[from..to], "{range}");
    }
    let answer = download(&server, &id, &[("Range", &format!("bytes={len}-"))]).await;
    assert_eq!((answer.status, answer.header("content-range")), (416, &*format!("bytes */{len}")));
    assert!(answer.json().await["detail"].is_string());
    // A range of another version is the whole of this one.
    let answer = download(&server, &id, &[("Range", "bytes=0-0"), ("If-Range", "\"x\"")]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-length"), len.to_string());
    server.stop().await;
}

#[tokio::test]
async fn what_the_client_has_already_is_not_sent_again() {
    let (server, id, _) = with_log().await;
    let tag = download(&server, &id, &[]).await.header("etag").to_owned();
    let answer = download(&server, &id, &[("If-None-Match", &tag)]).await;
    assert_eq!((answer.status, answer.header("etag")), (304, tag.as_str()));
    server.stop().await;
}

#[tokio::test]
async fn a_compressed_download_is_the_same_log_without_ranges() {
    let (server, id, log) = with_log().await;
    let path = format!("/api/jobs/{id}/logs/static?gzip=1");
    let answer = server.get_with(&path, &[("Range", "bytes=0-0")]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("accept-ranges"), "none");
    assert_eq!(answer.header("content-type"), "application/gzip");
    let compressed = answer.bytes().await;
    assert!(compressed.len() < log.len());
    let mut bytes = Vec::new();
    GzDecoder::new(compressed.as_slice()).read_to_end(&mut bytes).unwrap();
    assert!(bytes == log);
    assert_eq!(server.get(&format!("/api/jobs/{id}/logs/static?gzip=perhaps")).await.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn a_download_for_people_is_the_same_bytes_under_a_name_that_says_whose() {
    let (server, id, log) = with_log().await;
    let path = format!("/api/v1/jobs/{id}/log/download");
    let name = format!("attachment; filename=\"prints-{}.log", &id[28..]);
    let plain = server.get(&path).await;
    assert_eq!(plain.header("content-disposition"), format!("{name}\""));
    assert!(plain.bytes().await == log);
    let part = server.get_with(&format!("{path}?format=text"), &[("Range", "bytes=2-3")]).await;
    assert_eq!((part.status, part.bytes().await), (206, b"2\n".to_vec()));

    let compressed = server.get(&format!("{path}?format=gzip")).await;
    assert_eq!(compressed.header("content-type"), "application/gzip");
    assert_eq!(compressed.header("content-disposition"), format!("{name}.gz\""));
    let mut bytes = Vec::new();
    GzDecoder::new(compressed.bytes().await.as_slice()).read_to_end(&mut bytes).unwrap();
    assert!(bytes == log);

    for (query, field) in [("format=zip", "format"), ("gzip=1", "gzip")] {
        let answer = server.get(&format!("{path}?{query}")).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json().await["field"], field);
    }
    let beyond = server.get_with(&path, &[("Range", "bytes=9999999-")]).await;
    assert_eq!((beyond.status, beyond.header("content-type")), (416, "application/problem+json"));
    let nobody = "/api/v1/jobs/0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1/log/download?format=gzip";
    assert_eq!(server.get(nobody).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_log_that_grows_is_sent_up_to_the_length_it_had() {
    let gate = Running::gate("gate");
    let run = format!("seq 1 1000; {}; seq 1001 200000", gate.wait());
    let server = Running::start(&pipeline("grows", &[&run])).await;
    let id = server.run("grows").await;
    let mut events = server.events(&format!("&log={id}"), &[]).await;
    while events.named("job:log").await.data["lines"] != 1000 {}
    let early = download(&server, &id, &[]).await;
    gate.open();
    while events.named("job:log").await.data["closed"] != true {}
    let tag = early.header("etag").to_owned();
    let early = early.bytes().await;
    let first: Vec<u8> = (1..=1000).flat_map(|n| format!("{n}\n").into_bytes()).collect();
    assert!(early == first);
    let whole = download(&server, &id, &[]).await;
    assert_ne!(whole.header("etag"), tag, "more bytes are another version");
    assert_eq!(whole.bytes().await.len(), 1_288_895);
    server.stop().await;
}

#[tokio::test]
async fn the_info_says_what_a_download_would_give() {
    let (server, id, log) = with_log().await;
    let mut info = server.json(&format!("/api/jobs/{id}/logs/info")).await;
    let modified = info["last_modified"].take();
    assert!(modified.as_str().unwrap().ends_with('Z'), "{modified}");
    let expected = json!({
        "job_id": id,
        "log_file": format!("tailboard-{id}.log"),
        "size_bytes": log.len(),
        "lines": 100_001,
        "last_modified": null,
    });
    assert_eq!(info, expected);
    server.stop().await;
}
