//! Users, passwords, keys, and what is written down of it.

use super::*;

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_told_alike_and_too_many_have_to_wait() {
    let server = Running::start("").await;
    server.user("ann", "viewer").await;
    let mut bodies = Vec::new();
    for name in ["ann", "nobody"] {
        let answer = server.form("/login", "", &format!("name={name}&password=wrong")).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"));
        // New for each document.
        let policy = answer.header("content-security-policy").to_owned();
        let nonce =
            policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
        bodies.push(answer.text().await.replace(nonce, "NONCE").replace(name, "NAME"));
    }
    assert_eq!(bodies[0], bodies[1]);
    let mut last = server.form("/login", "", "name=ann&password=wrong").await;
    for _ in 0..10 {
        if last.status == 429 {
            break;
        }
        last = server.form("/login", "", "name=ann&password=wrong").await;
    }
    assert_eq!(last.status, 429);
    assert!(last.header("retry-after").parse::<u64>().unwrap() > 0);
    // The right one has to wait, too.
    let right = server.form("/login", "", &format!("name=ann&password={PASSWORD}")).await;
    assert_eq!(right.status, 429);
    server.stop().await;
}

#[tokio::test]
async fn a_name_that_is_taken_a_weak_password_and_unknown_fields_are_refused_by_name() {
    let server = Running::start("").await;
    server.user("ann", "viewer").await;
    let made = async |body: Value| {
        let answer = server.call("POST", "/api/v1/users", body).await;
        let status = answer.status;
        (status, answer.json().await)
    };
    let (status, said) = made(json!({ "name": "ANN", "role": "viewer" })).await;
    assert_eq!(status, 409, "{said}");
    let (status, said) =
        made(json!({ "name": "bob", "role": "viewer", "password": "short" })).await;
    assert_eq!((status, &said["field"]), (400, &json!("password")));
    for name in ["", " bob", "a:b", "a/b", "a\nb", "é", &"x".repeat(65)] {
        let (status, said) = made(json!({ "name": name, "role": "viewer" })).await;
        assert_eq!((status, &said["field"]), (400, &json!("name")), "{name:?}");
    }
    let (status, said) = made(json!({ "name": "bob", "role": "viewer", "admin": true })).await;
    assert_eq!((status, &said["field"]), (400, &json!("admin")));
    assert_eq!(made(json!({ "name": "bob", "role": "root" })).await.0, 400);
    server.stop().await;
}

#[tokio::test]
async fn the_last_admin_stays() {
    let server = Running::start("").await;
    let admin = server.user("ann", "admin").await;
    for change in [json!({ "role": "viewer" }), json!({ "disabled": true })] {
        let answer = server.call("PATCH", "/api/v1/users/ann", change).await;
        assert_eq!(answer.status, 409);
    }
    assert_eq!(server.call("DELETE", "/api/v1/users/ann", json!({})).await.status, 409);
    let me = server.bare("GET", "/api/v1/me", &[("Cookie", &admin)], "").await;
    assert_eq!(me.status, 200, "nothing of it was done");
    server.user("bob", "admin").await;
    assert_eq!(server.call("DELETE", "/api/v1/users/ann", json!({})).await.status, 204);
    let me = server.bare("GET", "/api/v1/me", &[("Cookie", &admin)], "").await;
    assert_eq!(me.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn the_key_without_which_no_admin_gets_in_stays_and_says_what_to_do() {
    let server = Running::start("").await;
    let keys = server.json("/api/v1/keys").await;
    let path = format!("/api/v1/keys/{}", keys["items"][0]["id"].as_str().unwrap());
    let last = server.call("DELETE", &path, json!({})).await;
    assert_eq!(last.status, 409);
    let said = last.json().await["detail"].as_str().unwrap().to_owned();
    assert!(
        said.contains("make another one with the role admin, or an admin with a password"),
        "{said}"
    );
    let root = server.user("root", "admin").await;
    assert_eq!(server.call("DELETE", &path, json!({})).await.status, 204);
    let me = server.bare("GET", "/api/v1/me", &[("Cookie", &root)], "").await;
    assert_eq!(me.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn one_changes_ones_own_password_by_the_one_before_and_other_sessions_end() {
    let server = Running::start("").await;
    let first = server.user("ann", "viewer").await;
    let second = server.signed_in("ann").await;
    let change = async |body: Value| {
        let head = [("Content-Type", "application/json"), ("Cookie", &*first)];
        server.bare("POST", "/api/v1/me/password", &head, &body.to_string()).await
    };
    let answer = change(json!({ "current": "wrong", "password": "another-good-one" })).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json().await["field"], "current");
    assert_eq!(
        change(json!({ "current": PASSWORD, "password": "another-good-one" })).await.status,
        204
    );
    let status = async |cookie: &str| {
        server.bare("GET", "/api/v1/me", &[("Cookie", cookie)], "").await.status
    };
    assert_eq!((status(&first).await, status(&second).await), (200, 401));
    let old = server.form("/login", "", &format!("name=ann&password={PASSWORD}")).await;
    assert_eq!(old.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn one_ends_ones_own_sessions_and_only_an_admin_those_of_others() {
    let server = Running::start("").await;
    let (ann, bob) = (server.user("ann", "operator").await, server.user("bob", "viewer").await);
    let seen = async |cookie: &str| {
        let answer = server.bare("GET", "/api/v1/sessions", &[("Cookie", cookie)], "").await;
        answer.json().await["items"].as_array().unwrap().clone()
    };
    let (anns, bobs) = (seen(&ann).await, seen(&bob).await);
    assert_eq!((anns.len(), bobs.len()), (1, 1));
    assert!(anns[0]["user"] == "ann" && anns[0]["current"] == true);
    let path = format!("/api/v1/sessions/{}", bobs[0]["id"].as_str().unwrap());
    let by_ann = server.bare("DELETE", &path, &[("Cookie", &ann)], "").await;
    assert_eq!(by_ann.status, 404, "what is not hers is not there");
    let all = server.json("/api/v1/sessions").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    assert_eq!(server.call("DELETE", &path, json!({})).await.status, 204);
    assert_eq!(server.bare("GET", "/api/v1/me", &[("Cookie", &bob)], "").await.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn runs_are_written_down_with_pipeline_and_job_whether_a_page_or_a_script_asked() {
    let server = Running::start(&crate::running::pipeline("hello", &["true"])).await;
    let ann = server.user("ann", "operator").await;
    let written = async |action: &str| {
        let log = server.json(&format!("/api/v1/audit?caller=ann&action={action}")).await;
        let rows = log["items"].as_array().unwrap().iter();
        let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let rows = rows.map(|row| (text(row, "target"), text(row, "detail")));
        rows.collect::<Vec<_>>()
    };
    let job = |answer: &Answer| answer.header("location").rsplit('/').next().unwrap().to_owned();
    let run = |id: &str| ("hello".to_owned(), format!("job {id}"));

    let head = [("Content-Type", "application/json"), ("Cookie", &*ann)];
    let body = json!({ "pipeline": "hello" }).to_string();
    let by_script = job(&server.bare("POST", "/api/v1/executions", &head, &body).await);
    let by_page = job(&server.form("/pipelines/hello/run", &ann, "").await);
    assert_eq!(written("pipeline.run").await, [run(&by_page), run(&by_script)]);

    server.over(&by_page).await;
    let again = job(&server.form(&format!("/jobs/{by_page}/retry"), &ann, "").await);
    assert_eq!(written("job.retry").await, [run(&again)]);

    server.over(&by_script).await;
    server.over(&again).await;
    let selected = format!(
        "act=delete&id={by_script}&id={by_page}&id={}",
        "00000000-0000-7000-8000-000000000000"
    );
    assert_eq!(server.form("/jobs/selected", &ann, &selected).await.status, 200);
    let mut deleted: Vec<_> = written("job.delete").await.into_iter().map(|row| row.0).collect();
    deleted.sort();
    assert_eq!(deleted, [format!("/jobs/{by_script}"), format!("/jobs/{by_page}")]);
    let said = &written("jobs.act").await[0].1;
    assert!(said.starts_with("2 deleted; 1 not: "), "{said}");
    server.stop().await;
}

#[tokio::test]
async fn what_is_done_and_refused_is_written_down_with_who_and_without_secrets() {
    let server = Running::start(&crate::running::pipeline("hello", &["echo hi"])).await;
    let ann = server.user("ann", "viewer").await;
    let (_, token) = server.key("deploy", "operator").await;
    let job = server.run_to_end("hello").await;
    let run = json!({ "pipeline": "hello" }).to_string();
    let head = [("Content-Type", "application/json"), ("Cookie", &*ann)];
    assert_eq!(server.bare("POST", "/api/v1/executions", &head, &run).await.status, 403);
    let path = format!("/api/v1/jobs/{job}/log/download");
    assert_eq!(server.bare("GET", &path, &[("Cookie", &ann)], "").await.status, 200);
    assert_eq!(server.bare("GET", "/api/v1/jobs", &[], "").await.status, 401);
    server.form("/login", "", "name=ann&password=wrong-password").await;
    server.form("/logout", &ann, "").await;
    let log = server.json("/api/v1/audit?limit=200").await;
    let text = log.to_string();
    for secret in [&*token, PASSWORD, "wrong-password", client::TOKEN] {
        assert!(!text.contains(secret), "{secret}");
    }
    let rows = log["items"].as_array().unwrap();
    let has = |action: &str, caller: Value, status: u16| {
        let same = |row: &&Value| {
            row["action"] == action && row["caller"] == caller && row["status"] == status
        };
        assert!(rows.iter().any(|row| same(&row)), "{action} {caller} {status} in {text}");
    };
    has("user.create", json!("key:bootstrap"), 201);
    has("key.create", json!("key:bootstrap"), 201);
    has("sign-in", json!("ann"), 303);
    has("pipeline.run", json!("key:bootstrap"), 202);
    has("pipeline.run", json!("ann"), 403);
    has("log.download", json!("ann"), 200);
    has("GET without access", Value::Null, 401);
    has("sign-in", Value::Null, 401);
    has("sign-out", json!("ann"), 303);
    let ids: Vec<_> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "newest first");
    let of_ann = server.json("/api/v1/audit?caller=ann&action=sign-in").await;
    assert_eq!(of_ann["items"].as_array().unwrap().len(), 1);
    let page = server.json("/api/v1/audit?limit=2").await;
    let next = server.json(&format!("/api/v1/audit?limit=2&before={}", page["next"])).await;
    assert_eq!(next["items"][0]["id"].as_i64(), Some(page["items"][1]["id"].as_i64().unwrap() - 1));
    server.stop().await;
}
