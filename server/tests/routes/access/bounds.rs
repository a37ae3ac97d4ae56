//! How much one may have, and who says where one comes from.

use super::*;

/// The dashboard's stream, by these header lines.
async fn stream(server: &Running, head: &[(&str, &str)]) -> Answer {
    let path = format!("/api/events/stream?connectionId={}", server.connection().await);
    let answer = server.bare("GET", &path, head, "").await;
    assert_eq!(answer.status, 200);
    answer
}

#[tokio::test]
async fn past_its_streams_a_browser_is_told_to_come_again_and_a_script_429() {
    let server = Running::start("[limits]\nstreams_per_caller = 1\n").await;
    let ann = server.user("ann", "viewer").await;
    let first = stream(&server, &[("Cookie", &ann)]).await;
    let later = stream(&server, &[("Cookie", &ann)]).await;
    for name in ["content-type", "cache-control", "x-accel-buffering", "x-content-type-options"] {
        assert_eq!(later.header(name), first.header(name), "as any stream: {name}");
    }
    assert_eq!(later.header("x-accel-buffering"), "no");
    let later = later.text().await;
    let wait: u64 = later.strip_prefix("retry: ").unwrap().lines().next().unwrap().parse().unwrap();
    assert!((5_000..=15_000).contains(&wait), "{later}");
    assert_eq!(later, format!("retry: {wait}\n:later\n"));
    let (_, token) = server.key("tail", "viewer").await;
    let bearer = format!("Bearer {token}");
    let _open = stream(&server, &[("Authorization", &bearer)]).await;
    let path = format!("/api/events/stream?connectionId={}", server.connection().await);
    let refused = server.bare("GET", &path, &[("Authorization", &bearer)], "").await;
    assert_eq!(refused.status, 429);
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(refused.json().await["error"]["code"], "RATE_LIMITED");
    drop(first);
    server.stop().await;
}

#[tokio::test]
async fn all_of_one_address_share_its_streams_and_everybody_those_of_the_server() {
    for limit in ["streams_per_address", "streams"] {
        let server = Running::start(&format!("[limits]\n{limit} = 1\n")).await;
        let (ann, bob) = (server.user("ann", "viewer").await, server.user("bob", "viewer").await);
        let _first = stream(&server, &[("Cookie", &ann)]).await;
        let later = stream(&server, &[("Cookie", &bob)]).await.text().await;
        assert!(later.starts_with("retry: "), "{limit}: {later}");
        server.stop().await;
    }
}

/// What was refused of all that was asked, newest first: what it was, and why.
async fn refusals(server: &Running) -> Vec<(String, String)> {
    let audit = server.json("/api/v1/audit").await;
    let items = audit["items"].as_array().unwrap().iter();
    let refused = items.filter(|entry| entry["status"] == 429);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    refused.map(|entry| (text(&entry["target"]), text(&entry["detail"]))).collect()
}

#[tokio::test]
async fn a_refused_stream_names_the_bound_that_is_reached_and_so_does_the_audit_log() {
    let hello = crate::running::pipeline("hello", &["true"]);
    for limit in ["streams_per_caller", "streams_per_address", "streams"] {
        let server = Running::start(&format!("limits.{limit} = 1\n{hello}")).await;
        let job = server.run_to_end("hello").await;
        server.no_streams().await;
        let dashboard = format!("/api/events/stream?connectionId={}", server.connection().await);
        let _open = server.get(&dashboard).await;
        let told = format!("Too many streams are open: limits.{limit} = 1");
        let details = json!({ "limit": format!("limits.{limit}"), "value": 1 });
        let paths = [
            (dashboard.clone(), "/error/message"),
            (format!("/api/jobs/{job}/stream"), "/detail"),
            (format!("/api/jobs/{job}/logs"), "/detail"),
            (format!("/api/v1/executions/{job}/events"), "/detail"),
            ("/v0/pipelines/hello/logs".to_owned(), "/message"),
            (format!("/runner-jobs/{job}/events/stream"), "/message"),
        ];
        for (path, at) in &paths {
            let refused = server.get(path).await;
            assert_eq!((refused.status, refused.header("retry-after")), (429, "5"), "{path}");
            let body = refused.json().await;
            assert_eq!(body.pointer(at), Some(&json!(told)), "{path}: {body}");
            if let Some(room) = body.get("details").or_else(|| body.pointer("/error/details")) {
                assert_eq!(room, &details, "{path}");
            }
        }
        let ann = server.user("ann", "viewer").await;
        let mut expected = paths.to_vec();
        if limit != "streams_per_caller" {
            stream(&server, &[("Cookie", &ann)]).await;
            expected.push((dashboard, ""));
        }
        let path = |path: &str| path.split('?').next().unwrap().to_owned();
        let expected: Vec<_> =
            expected.iter().rev().map(|(asked, _)| (path(asked), told.clone())).collect();
        assert_eq!(refusals(&server).await, expected);
        server.stop().await;
    }
}

#[tokio::test]
async fn who_changes_too_much_in_a_minute_waits_and_others_do_not() {
    let server = Running::start("[limits]\nwrites_per_minute = 5\n").await;
    let (_, token) = server.key("loop", "operator").await;
    let bearer = format!("Bearer {token}");
    let head = [("Authorization", &*bearer), ("Content-Type", "application/json")];
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let answer = server.bare("POST", "/api/v1/executions", &head, "{\"pipeline\":\"x\"}").await;
        statuses.push((answer.status, answer.header("retry-after").to_owned()));
    }
    assert!(statuses[..5].iter().all(|(status, _)| *status == 400), "{statuses:?}");
    assert_eq!(statuses[5].0, 429);
    assert_eq!(statuses[5].1, "12");
    let told = "too many changes within a minute: limits.writes_per_minute = 5";
    let refused = server.bare("POST", "/api/v1/executions", &head, "{}").await.json().await;
    assert!(refused["detail"].as_str().unwrap().starts_with(told), "{refused}");
    assert_eq!(refusals(&server).await[0].1, told);
    assert_eq!(server.bare("GET", "/api/v1/jobs", &head[..1], "").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn who_has_asked_for_too_much_may_still_end_access() {
    let server = Running::start("[limits]\nwrites_per_minute = 10\n").await;
    let (key, _) = server.key("leaked", "viewer").await;
    let (form_key, _) = server.key("leaked-too", "viewer").await;
    let (ann, root) = (server.user("ann", "operator").await, server.user("root", "admin").await);
    let bob = server.user("bob", "viewer").await;
    let bobs = server.json("/api/v1/sessions").await["items"].as_array().unwrap().clone();
    let bobs = bobs.iter().find(|session| session["user"] == "bob").unwrap()["id"].clone();
    let session = format!("/api/v1/sessions/{}", bobs.as_str().unwrap());
    // All that may be asked for is.
    let admin = format!("Bearer {}", client::TOKEN);
    for credential in [("Cookie", &*ann), ("Cookie", &*root), ("Authorization", &*admin)] {
        let head = [("Content-Type", "application/json"), credential];
        let mut last = 0;
        for _ in 0..20 {
            last = server.bare("POST", "/api/v1/executions", &head, "{}").await.status;
        }
        assert_eq!(last, 429);
    }

    let call = async |method: &str, path: &str, body| server.call(method, path, body).await.status;
    assert_eq!(call("DELETE", &format!("/api/v1/keys/{key}"), json!({})).await, 204);
    assert_eq!(call("DELETE", &session, json!({})).await, 204);
    assert_eq!(server.bare("GET", "/api/v1/me", &[("Cookie", &bob)], "").await.status, 401);
    let off = json!({ "disabled": true });
    assert_eq!(call("PATCH", "/api/v1/users/bob", off).await, 200);
    assert_eq!(call("DELETE", "/api/v1/users/bob", json!({})).await, 204);
    assert_eq!(call("POST", "/api/v1/users", json!({})).await, 429, "all else waits");

    let form = async |path: &str, cookie: &str| server.form(path, cookie, "").await.status;
    assert_eq!(form("/settings/others/end", &ann).await, 303);
    assert_eq!(form(&format!("/settings/keys/{form_key}/revoke"), &root).await, 303);
    assert_eq!(server.form("/settings/users/ann/change", &root, "role=viewer").await.status, 303);
    assert_eq!(form("/settings/users", &root).await, 429, "all else waits");
    assert_eq!(form("/logout", &ann).await, 303);
    assert_eq!(server.bare("GET", "/api/v1/me", &[("Cookie", &ann)], "").await.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn only_a_trusted_proxy_says_where_somebody_comes_from_and_by_https() {
    let forwarded = [("X-Forwarded-For", "198.51.100.7"), ("X-Forwarded-Proto", "https")];
    for (toml, address, secure) in
        [("", "127.0.0.1", false), ("trusted_proxies = ['127.0.0.1']", "198.51.100.7", true)]
    {
        let server = Running::start(toml).await;
        server.user("ann", "viewer").await;
        let mut head = vec![("Content-Type", "application/x-www-form-urlencoded")];
        head.extend(forwarded);
        let form = format!("name=ann&password={PASSWORD}");
        let answer = server.bare("POST", "/login", &head, &form).await;
        let line = answer.header("set-cookie");
        assert_eq!(line.starts_with("__Host-tailboard_session="), secure, "{line}");
        assert_eq!(line.contains("; Secure"), secure, "{line}");
        let sessions = server.json("/api/v1/sessions").await;
        assert_eq!(sessions["items"][0]["address"], address);
        server.stop().await;
    }
}

#[tokio::test]
async fn the_public_name_is_answered_and_its_origin_may_change_things() {
    let server = Running::start("public_url = 'https://jobs.example.com'").await;
    let ann = server.user("ann", "operator").await;
    let https_cookie = ann.replace(
        &format!("tailboard_session_{}", server.address.port()),
        "__Host-tailboard_session",
    );
    let status = async |host: &str, origin: &str| {
        let text = format!(
            "POST /api/v1/executions HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nCookie: {https_cookie}\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        );
        client::raw(server.address, text.as_bytes()).await
    };
    assert!(ann.starts_with("__Host-"), "{ann}");
    let ours = status("jobs.example.com", "https://jobs.example.com").await;
    assert!(ours.starts_with("HTTP/1.1 400"), "{ours}");
    assert!(ours.contains("strict-transport-security"), "{ours}");
    for other in
        ["https://evil.example", "http://jobs.example.com", "https://jobs.example.com:8443"]
    {
        let answer = status("jobs.example.com", other).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{other}: {answer}");
    }
    let tunnel = status("localhost:9", "http://localhost:9").await;
    assert!(tunnel.starts_with("HTTP/1.1 400"), "{tunnel}");
    let rebound = status("evil.example", "https://evil.example").await;
    assert!(rebound.starts_with("HTTP/1.1 421"), "{rebound}");
    server.stop().await;
}
