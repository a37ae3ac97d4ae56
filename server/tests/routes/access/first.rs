//! The first admin.

use super::*;
use engine::Caller;
use shared::{Role, access::NewKey};

#[tokio::test]
async fn while_nobody_has_access_the_printed_code_makes_the_first_admin_once() {
    let server = Running::start_without_access("").await;
    let code = server.access.setup_code().unwrap().to_owned();
    assert_eq!(code.len(), 32, "128 bits");
    for path in ["/", "/api/v1/jobs", "/api/events/stream", "/metrics"] {
        assert_eq!(server.bare("GET", path, &[], "").await.status, 401, "{path}");
    }
    let wrong = server.form("/setup", "", &format!("code={}", "0".repeat(32))).await;
    assert_eq!(wrong.status, 401);
    let answer = server.form("/setup", "", &format!("code={code}")).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    let line = answer.header("set-cookie").to_owned();
    assert!(line.starts_with(&format!("tailboard_session_{}=", server.address.port())), "{line}");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(line.contains(part), "{line}");
    }
    let cookie = cookie(&answer);
    let me = server.bare("GET", "/api/v1/me", &[("Cookie", &cookie)], "").await.json().await;
    assert_eq!((&me["name"], &me["role"]), (&json!("owner"), &json!("admin")));
    assert_eq!(server.form("/setup", "", &format!("code={code}")).await.status, 401);
    assert!(server.access.setup_code().is_none());
    server.stop().await;
}

#[tokio::test]
async fn when_nobody_has_access_any_more_the_sign_in_says_to_start_again() {
    let server = Running::start_without_access("").await;
    let link = server.bare("GET", "/login", &[], "").await;
    assert_eq!((link.status, link.header("www-authenticate")), (401, "Bearer"));
    assert!(link.text().await.contains("It printed a link"));
    let board = Caller::board();
    let new = NewKey { name: "ci".to_owned(), role: Role::Viewer, until: None };
    let made = server.access.add_key(&board, new).await.unwrap();
    server.access.revoke_key(&board, made.key.id).await.unwrap();
    let again = server.bare("GET", "/login", &[], "").await;
    assert_eq!(again.status, 401);
    let again = again.text().await;
    assert!(again.contains("Start it again") && !again.contains("It printed a link"), "{again}");
    server.stop().await;
}

#[tokio::test]
async fn two_clicks_at_the_same_moment_make_one_admin() {
    let server = Running::start_without_access("").await;
    let body = format!("code={}", server.access.setup_code().unwrap());
    let (a, b) = tokio::join!(server.form("/setup", "", &body), server.form("/setup", "", &body));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 303);
    assert!([401, 409].contains(&statuses[1]), "{statuses:?}");
    assert_eq!(server.access.users().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_first_key_from_the_environment_leaves_no_link_and_is_made_once() {
    let server = Running::start("").await;
    assert!(server.access.setup_code().is_none());
    assert!(!server.access.bootstrap(&client::TOKEN.replace('0', "1")).await.unwrap());
    for weak in ["", "tb_", "tb_short", "secret", "tb_0123456789abcdef0123456789abcde\n"] {
        assert!(server.access.bootstrap(weak).await.is_err(), "{weak:?}");
    }
    assert_eq!(server.access.keys().len(), 1);
    server.stop().await;
}
