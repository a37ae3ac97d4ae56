//! What a client may send to do harm, and that it does none.

use super::*;
use crate::running::pipeline;
use std::time::Duration;

/// The status line's code of a request written byte by byte.
async fn status(server: &Running, head: &str) -> u16 {
    let request = format!(
        "{head}\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        server.address,
        client::TOKEN
    );
    let answer = client::raw(server.address, request.as_bytes()).await;
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn no_spelling_of_a_path_leads_out_of_logs_or_site() {
    let server = Running::start(&pipeline("hello", &["echo hi"])).await;
    let id = server.run_to_end("hello").await;
    let up = [
        "..",
        "%2e%2e",
        ".%2e",
        "%2e.",
        "..%2f..",
        "..%5c..",
        "..\\..",
        "%00",
        "%252e%252e",
        "//etc",
    ];
    for up in up {
        for target in [
            format!("/pkg/{up}/{up}/etc/passwd"),
            format!("/pkg/0/{up}/{up}/etc/passwd"),
            format!("/api/jobs/{up}/logs/static"),
            format!("/api/jobs/{id}%2f{up}/logs/static"),
            format!("/api/jobs/{up}%2f{id}/logs/static"),
            format!("/api/v1/jobs/{up}/log"),
            format!("/api/v1/jobs/{up}/log/download"),
            format!("/api/v1/jobs/{id}/log/{up}"),
            format!("/v0/pipelines/{up}/logs"),
            format!("/runner-jobs/{up}/events/stream"),
            format!("/{up}/{up}/etc/passwd"),
        ] {
            let status = status(&server, &format!("GET {target} HTTP/1.1")).await;
            assert!((300..500).contains(&status), "{target}: {status}");
        }
    }
    for target in ["/etc/passwd", "http://127.0.0.1/../../etc/passwd"] {
        let status = status(&server, &format!("GET {target} HTTP/1.1")).await;
        assert!((300..500).contains(&status), "{target}: {status}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_log_that_was_made_a_link_is_not_followed_out_of_the_data_directory() {
    let server = Running::start(&pipeline("hello", &["echo hi"])).await;
    let id = server.run_to_end("hello").await;
    let log = server.job_dir(&id).join("log");
    std::fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &log).unwrap();
    for path in [
        format!("/api/jobs/{id}/logs/static"),
        format!("/api/v1/jobs/{id}/log/download"),
        format!("/api/v1/jobs/{id}/log?from=1&count=10"),
    ] {
        let answer = server.get(&path).await;
        let status = answer.status;
        let text = String::from_utf8_lossy(&answer.bytes().await).into_owned();
        assert!(!text.contains("root:"), "{path}: {status} {text}");
    }
    server.stop().await;
}

#[tokio::test]
async fn oversized_heads_queries_and_bodies_are_refused_and_the_server_goes_on() {
    let server = Running::start("").await;
    let connection = server.connection().await;
    let head = format!(
        "GET /api/events/stream?connectionId={connection} HTTP/1.1\r\nLast-Event-ID: {}",
        "1".repeat(1 << 20)
    );
    assert!([400, 431].contains(&status(&server, &head).await));
    let many: String = (0..10_000).map(|n| format!("p{n}=1&")).collect();
    for path in ["/api/v1/jobs", "/api/events/stream", "/jobs"] {
        let code = status(&server, &format!("GET {path}?{many} HTTP/1.1")).await;
        assert!((400..500).contains(&code), "{path}: {code}");
    }
    let json = [("Content-Type", "application/json")];
    let deep = format!("{{\"pipeline\":{}1{}}}", "[".repeat(30_000), "]".repeat(30_000));
    for body in ["{".repeat(70_000), deep, format!("{{\"pipeline\":\"{}\"}}", "x".repeat(1 << 20))]
    {
        let path = "/api/v1/executions";
        let answer = client::send(server.address, "POST", path, &json, body.as_bytes()).await;
        assert!([400, 413].contains(&answer.status), "{}", answer.status);
    }
    assert_eq!(server.get("/api/v1/me").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn cursors_positions_and_numbers_that_mean_nothing_are_a_400_that_names_them() {
    let server = Running::start(&pipeline("hello", &["echo hi"])).await;
    let id = server.run_to_end("hello").await;
    for (path, field) in [
        ("/api/v1/jobs?cursor=-1".to_owned(), "cursor"),
        ("/api/v1/jobs?cursor=%00".to_owned(), "cursor"),
        (format!("/api/v1/jobs?cursor={}", "A".repeat(9_000)), "cursor"),
        ("/api/v1/jobs?limit=-5".to_owned(), "limit"),
        ("/api/v1/jobs?limit=99999999999999999999".to_owned(), "limit"),
        (format!("/api/v1/jobs/{id}/log?from=99999999999999999999"), "from"),
        (format!("/api/v1/jobs/{id}/log?count=-1"), "count"),
        ("/api/v1/audit?before=-1".to_owned(), "before"),
        ("/api/v1/audit?limit=100000".to_owned(), "limit"),
    ] {
        let answer = server.get(&path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert_eq!(answer.json().await["field"], field, "{path}");
    }
    let page = server.json("/api/v1/jobs?limit=1").await;
    if let Some(cursor) = page["next_cursor"].as_str() {
        let other = server.get(&format!("/api/v1/jobs?state=failed&cursor={cursor}")).await;
        assert_eq!(other.status, 400, "another filter's cursor");
    }
    let connection = server.connection().await;
    for id in ["-1", "ffffffff-99999999999999999999", "0-0-0", "x", "ffffffff--1"] {
        let path = format!("/api/events/stream?connectionId={connection}");
        let answer = server.get_with(&path, &[("Last-Event-ID", id)]).await;
        assert_eq!(answer.status, 400, "{id}");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_expression_that_would_blow_up_is_refused_or_answered_in_time() {
    let line = "printf 'a%.0s' $(seq 1 20000)";
    let server = Running::start(&pipeline("hello", &[line])).await;
    let id = server.run_to_end("hello").await;
    for pattern in ["(a%2B)%2B%24", "(a|a)*b", "(a{1,1000}){1,1000}", "%5B"] {
        let path = format!("/api/v1/jobs/{id}/log/search?q={pattern}&mode=regex");
        let answer =
            tokio::time::timeout(Duration::from_secs(20), server.get(&path)).await.unwrap();
        assert!([200, 400].contains(&answer.status), "{pattern}: {}", answer.status);
    }
    server.stop().await;
}

#[tokio::test]
async fn readers_that_never_read_hold_up_nobody() {
    let server = Running::start(&pipeline("flood", &["seq 1 100000"])).await;
    let id = server.run_to_end("flood").await;
    let mut stuck = Vec::new();
    for _ in 0..10 {
        for path in
            [format!("/api/jobs/{id}/logs/static"), format!("/runner-jobs/{id}/events/stream")]
        {
            stuck.push(server.get(&path).await);
        }
    }
    let whole = server.get(&format!("/api/jobs/{id}/logs/static")).await.bytes().await;
    assert_eq!(whole.iter().filter(|byte| **byte == b'\n').count(), 100_000);
    assert_eq!(server.get("/api/v1/jobs").await.status, 200);
    drop(stuck);
    server.stop().await;
}

#[tokio::test]
async fn what_is_answered_to_somebody_is_kept_by_nobody_on_the_way() {
    let server = Running::start("").await;
    for path in ["/api/v1/jobs", "/api/v1/me", "/metrics", "/login"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(
            answer.header("content-security-policy").contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "not by http: {path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_was_asked_for_is_done_and_written_down_though_nobody_waits_for_the_answer() {
    let server = Running::start(&pipeline("hello", &["true"])).await;
    let body = "{\"pipeline\":\"hello\"}";
    for _ in 0..20 {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let request = format!(
            "POST /api/v1/executions HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            server.address,
            client::TOKEN,
            body.len()
        );
        tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    }
    // Every run that there is has its entry; the last of them may be on their way.
    let same = async {
        loop {
            let jobs =
                server.json("/api/v1/jobs?limit=100").await["items"].as_array().unwrap().len();
            let log = server.json("/api/v1/audit?action=pipeline.run&limit=100").await;
            let log = log["items"].as_array().unwrap().clone();
            if jobs > 0 && log.len() == jobs {
                assert!(log.iter().all(|entry| entry["target"] == "hello"), "{log:?}");
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(client::PATIENCE, same).await.expect("as many entries as runs");
    server.stop().await;
}

#[tokio::test]
async fn a_download_breaks_off_when_the_access_of_its_reader_ends() {
    let server = Running::start(&pipeline("flood", &["seq 1 3000000"])).await;
    let id = server.run_to_end("flood").await;
    let (key, token) = server.key("reader", "viewer").await;
    let bearer = format!("Bearer {token}");
    let path = format!("/api/jobs/{id}/logs/static");
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {bearer}\r\n\r\n",
        server.address
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
    let mut first = [0; 4096];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut first).await.unwrap();
    assert_eq!(server.call("DELETE", &format!("/api/v1/keys/{key}"), json!({})).await.status, 204);
    let mut rest = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest);
    // Broken off by the server, in good order or not: what matters is that it is not whole.
    let _ = tokio::time::timeout(client::PATIENCE, read).await.expect("an end in time");
    let whole = server.get(&path).await.bytes().await.len();
    assert!(first.len() + rest.len() < whole, "{} of {whole}", first.len() + rest.len());
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_is_not_waited_for() {
    let server = Running::start("").await;
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /login HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 1000\r\nConnection: close\r\n\r\nn",
        server.address
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
    let begun = tokio::time::Instant::now();
    let mut answer = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await;
    assert!(begun.elapsed() < Duration::from_secs(61), "{:?}", begun.elapsed());
    server.stop().await;
}

#[tokio::test]
async fn a_socket_of_a_browser_says_whose_page_opens_it() {
    let server = Running::start("").await;
    let ann = server.user("ann", "viewer").await;
    let path = "/runner-jobs/00000000-0000-7000-8000-000000000000/events/ws";
    let upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Cookie", &*ann)];
    let status = async |more: &[(&str, &str)]| {
        let head = [&upgrade, more].concat();
        server.bare("GET", path, &head, "").await.status
    };
    let (ours, same) = (format!("http://{}", server.address), ("Sec-Fetch-Site", "same-origin"));
    let ours = ("Origin", &*ours);
    // Of what is let through it is looked whether it can be a socket, which this one cannot.
    let through = status(&[ours]).await;
    assert!(![403, 421].contains(&through), "{through}");
    assert_eq!(status(&[ours, same]).await, through);
    for other in ["http://elsewhere.example", "http://localhost:1", "null", ""] {
        let other = ("Origin", other);
        for refused in [&[other][..], &[other, same], &[ours, other, same], &[other, ours, same]] {
            assert_eq!(status(refused).await, 403, "{refused:?}");
        }
    }
    assert_eq!(status(&[]).await, 403, "nothing is said");
    assert_eq!(status(&[same]).await, 403, "the origin is not said");
    assert_eq!(status(&[ours, ("Sec-Fetch-Site", "cross-site")]).await, 403);
    server.stop().await;
}
