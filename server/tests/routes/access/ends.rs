//! Every stream ends with the access of whoever opened it.

use super::{rules, *};
use crate::running::pipeline;
use shared::{Role, Timestamp};
use std::time::Duration;

/// How soon a stream ends.
const SOON: Duration = Duration::from_secs(5);

/// All streams of one caller, of a job that runs.
struct Open(Vec<(String, Answer)>);

impl Open {
    async fn by(server: &Running, job: &str, credential: (&str, &str)) -> Self {
        let mut open = Vec::new();
        for path in server.streams_of(job).await {
            let mut answer = server.bare("GET", &path, &[credential], "").await;
            assert_eq!(answer.status, 200, "{path}");
            assert!(answer.piece().await.is_some(), "{path}");
            open.push((path, answer));
        }
        Self(open)
    }

    /// Whether each of them ends so soon from now.
    async fn ends_within(self, time: Duration, why: &str) {
        let until = tokio::time::Instant::now() + time;
        for (path, mut answer) in self.0 {
            let rest = async { while answer.piece().await.is_some() {} };
            let ended = tokio::time::timeout_at(until, rest).await;
            ended.unwrap_or_else(|_| panic!("{path} goes on after {why}"));
        }
    }

    /// Whether each of them still has something to say; the log of a pipeline that is silent has not.
    async fn go_on(&mut self) {
        for (path, answer) in self.0.iter_mut().filter(|(path, _)| !path.starts_with("/v0/")) {
            assert!(answer.piece().await.is_some(), "{path}");
        }
    }
}

#[tokio::test]
async fn streams_end_with_sign_out_revocation_another_role_and_disabling() {
    let gate = Running::gate("gate");
    let server = Running::start(&pipeline("waits", &[&gate.wait()])).await;
    let job = server.run("waits").await;
    let by_cookie = async |cookie: &str| Open::by(&server, &job, ("Cookie", cookie)).await;
    let (key, token) = server.key("tail", "viewer").await;
    let by_key = Open::by(&server, &job, ("Authorization", &format!("Bearer {token}"))).await;
    let ann = server.user("ann", "viewer").await;
    let signed_in = by_cookie(&ann).await;
    let bob = server.user("bob", "viewer").await;
    let promoted = by_cookie(&bob).await;
    let disabled = by_cookie(&server.user("cleo", "viewer").await).await;
    let mut stays = by_cookie(&server.user("dan", "viewer").await).await;

    server.call("DELETE", &format!("/api/v1/keys/{key}"), json!({})).await;
    by_key.ends_within(SOON, "the key was revoked").await;
    server.form("/logout", &ann, "").await;
    signed_in.ends_within(SOON, "sign-out").await;
    server.call("PATCH", "/api/v1/users/bob", json!({ "role": "operator" })).await;
    promoted.ends_within(SOON, "another role").await;
    server.call("PATCH", "/api/v1/users/cleo", json!({ "disabled": true })).await;
    disabled.ends_within(SOON, "the user was disabled").await;
    stays.go_on().await;
    assert!(server.streams.count() >= stays.0.len(), "nobody else's ends");
    let me = server.bare("GET", "/api/v1/me", &[("Cookie", &bob)], "").await;
    assert_eq!(me.json().await["role"], "operator", "another role is no sign-out");
    gate.open();
    server.stop().await;
}

#[tokio::test]
async fn streams_end_when_the_key_or_token_that_opened_them_expires() {
    let gate = Running::gate("gate");
    let dir = tempfile::tempdir().unwrap();
    let (issuer, signs) = rules::issuer(dir.path());
    let server = Running::start(&format!("{}{issuer}", pipeline("waits", &[&gate.wait()]))).await;
    let job = server.run("waits").await;
    // Long enough to open them all on a machine that has much to do.
    let lives = Duration::from_secs(4);
    let until = Timestamp(Timestamp::now().0 + lives.as_millis() as i64);
    let key = json!({ "name": "short", "role": "viewer", "until": until });
    let key = server.call("POST", "/api/v1/keys", key).await.json().await["token"].clone();
    let key = format!("Bearer {}", key.as_str().unwrap());
    let token = rules::token(&signs, Role::Viewer, lives.as_secs() as i64);
    let by_key = Open::by(&server, &job, ("Authorization", &key)).await;
    let by_token = Open::by(&server, &job, ("Authorization", &token)).await;
    by_key.ends_within(lives + SOON, "the key was over").await;
    by_token.ends_within(SOON, "the token was over").await;
    for credential in [&key, &token] {
        let late = server.bare("GET", "/api/v1/me", &[("Authorization", credential)], "").await;
        assert_eq!(late.status, 401);
    }
    gate.open();
    server.stop().await;
}
