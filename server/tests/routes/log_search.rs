//! Search in a job's log.

use crate::running::{Running, pipeline};
use serde_json::{Value, json};

const NOBODY: &str = "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1";

async fn search(server: &Running, id: &str, query: &str) -> Value {
    server.json(&format!("/api/v1/jobs/{id}/log/search?{query}")).await
}

/// A job that printed the numbers from 1 to 5,000, with a word in red at the end.
async fn with_log() -> (Running, String) {
    let run = "seq 1 5000; printf '\\033[31mEr\\033[1mror\\033[0m\\n'";
    let server = Running::start(&pipeline("prints", &[run])).await;
    let id = server.run_to_end("prints").await;
    (server, id)
}

#[tokio::test]
async fn a_search_tells_lines_and_counts_those_beyond_the_limit() {
    let (server, id) = with_log().await;
    let found = search(&server, &id, "q=99&limit=3").await;
    assert_eq!(found["lines"], json!([99, 199, 299]));
    assert_eq!((&found["count"], &found["next"]), (&json!(95), &json!(null)));
    assert_eq!((&found["total"], &found["closed"]), (&json!(5001), &json!(true)));
    assert!(found["as_of"].is_string());
    assert_eq!(found["marks"][0], 99);

    assert_eq!(search(&server, &id, "q=error").await["lines"], json!([5001]));
    assert_eq!(search(&server, &id, "q=error&case=match").await["lines"], json!([]));
    assert_eq!(search(&server, &id, "q=^4?7$&mode=regex").await["lines"], json!([7, 47]));
    assert_eq!(search(&server, &id, "q=%2B%26").await["count"], 0, "nothing but text");
    server.stop().await;
}

#[tokio::test]
async fn the_next_and_the_one_before_are_found_from_any_line() {
    let (server, id) = with_log().await;
    let next = search(&server, &id, "q=77&from=178&limit=1&first=true").await;
    assert_eq!((&next["lines"], &next["next"]), (&json!([277]), &json!(278)));
    assert_eq!(next["count"], 1, "it ended there");
    let before = search(&server, &id, "q=77&before=277&limit=1").await;
    assert_eq!((&before["lines"], &before["next"]), (&json!([177]), &json!(177)));
    let before = search(&server, &id, "q=77&before=77&limit=1").await;
    assert_eq!((&before["lines"], &before["next"]), (&json!([]), &json!(null)));
    let before = search(&server, &id, "q=77&before=400&limit=2").await;
    assert_eq!((&before["lines"], &before["count"]), (&json!([377, 277]), &json!(4)));
    server.stop().await;
}

#[tokio::test]
async fn a_search_that_is_not_understood_names_what_is_wrong() {
    let (server, id) = with_log().await;
    let long = format!("q={}", "x".repeat(257));
    for (query, field) in [
        ("", "q"),
        ("q=", "q"),
        (&*long, "q"),
        ("q=(a&mode=regex", "q"),
        ("q=a&mode=fuzzy", "mode"),
        ("q=a&case=upper", "case"),
        ("q=a&from=-1", "from"),
        ("q=a&from=1&before=2", "before"),
        ("q=a&limit=10001", "limit"),
        ("q=a&first=1", "first"),
        ("q=a&limit=0&first=true", "first"),
        ("q=a&colour=red", "colour"),
        ("q=a&q=b", "q"),
    ] {
        let answer = server.get(&format!("/api/v1/jobs/{id}/log/search?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        let problem = answer.json().await;
        assert_eq!(problem["field"], field, "{query}");
        if query.starts_with("q=(") {
            assert_eq!(problem["detail"], "it is no regular expression: unclosed group");
        }
    }
    assert_eq!(server.get(&format!("/api/v1/jobs/{NOBODY}/log/search?q=a")).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_search_goes_on_in_a_log_that_grows_and_leaves_out_unfinished_lines() {
    let gate = Running::gate("gate");
    let run = format!("seq 1 100; printf 'line 9'; {}; echo 9; seq 102 200", gate.wait());
    let server = Running::start(&pipeline("grows", &[&run])).await;
    let id = server.run("grows").await;
    let mut events = server.events(&format!("&log={id}"), &[]).await;
    while events.named("job:log").await.data["lines"] != 100 {}
    let found = search(&server, &id, "q=9").await;
    assert_eq!((&found["count"], &found["total"]), (&json!(19), &json!(100)));
    assert_eq!((&found["next"], &found["closed"]), (&json!(null), &json!(false)));
    assert_eq!(search(&server, &id, "q=9&from=101").await["lines"], json!([]));
    gate.open();
    while events.named("job:log").await.data["closed"] != true {}
    let found = search(&server, &id, "q=9&from=101&limit=2").await;
    assert_eq!((&found["lines"], &found["total"]), (&json!([101, 109]), &json!(200)));
    assert_eq!((&found["count"], &found["closed"]), (&json!(20), &json!(true)));
    server.stop().await;
}

#[tokio::test]
async fn a_job_without_a_log_has_nothing_to_find() {
    let gate = Running::gate("gate");
    let queue = "[[queue]]\nname = 'default'\nconcurrency = 1\n";
    let toml = format!("{queue}{}", pipeline("waits", &[&gate.wait()]));
    let server = Running::start(&toml).await;
    server.run("waits").await;
    let id = server.run("waits").await;
    let found = search(&server, &id, "q=a").await;
    assert_eq!((&found["count"], &found["total"]), (&json!(0), &json!(0)));
    assert_eq!((&found["next"], &found["closed"]), (&json!(null), &json!(false)));
    server.stop().await;
}
