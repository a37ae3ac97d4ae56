//! Every route with every kind of caller.

use super::*;
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use server::{auth::Rule, served};
use shared::Role;
use std::path::Path;

/// A path of the table that leads somewhere, or to what is not there.
fn concrete(path: &str) -> String {
    let none = "00000000-0000-7000-8000-000000000000";
    let path = path.replace("{name}", "none").replace("{*path}", "none").replace("{hash}", "0");
    let path = path.replace("{connection}", none).replace("{n}", "1");
    ["{id}", "{job_id}", "{execution_id}"].iter().fold(path, |path, id| path.replace(id, none))
}

/// An issuer whose tokens are believed: its part of the configuration, and what it signs with.
pub(super) fn issuer(dir: &Path) -> (String, EncodingKey) {
    // PKCS#8, version 1: this header and the 32 bytes of the key.
    let mut der = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20\
        ................................";
    getrandom::fill(&mut der[16..]).unwrap();
    let key = EncodingKey::from_ed_der(&der);
    let listed = Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap();
    let file = dir.join("keys.json");
    std::fs::write(&file, json!({ "keys": [listed] }).to_string()).unwrap();
    let toml = format!(
        "[access.jwt]\nissuer = 'us'\naudience = 'board'\nalgorithms = ['EdDSA']\nkey_file = '{}'\n",
        file.display()
    );
    (toml, key)
}

/// A token for this role that is over, or begins to be, so many seconds from now.
pub(super) fn token(key: &EncodingKey, role: Role, seconds: i64) -> String {
    let exp = shared::Timestamp::now().0 / 1000 + seconds;
    let claims = json!({ "iss": "us", "aud": "board", "sub": "x", "role": role, "exp": exp });
    let token = jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, key);
    format!("Bearer {}", token.unwrap())
}

#[tokio::test]
async fn every_route_lets_in_whom_its_rule_names_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let (toml, issuer) = issuer(dir.path());
    // Without it, pipelines are edited by nobody.
    let server = Running::start(&format!("allow_pipeline_editing = true\n{toml}")).await;
    let (revoked_id, revoked) = server.key("revoked", "admin").await;
    let gone = server.call("DELETE", &format!("/api/v1/keys/{revoked_id}"), json!({})).await;
    assert_eq!(gone.status, 204);
    let ended = server.user("ended", "admin").await;
    assert_eq!(server.form("/logout", &ended, "").await.status, 303);
    let mut callers = vec![
        ("nobody", None, String::new()),
        ("a key that is none", None, "Bearer tb_ffffffffffffffffffffffffffffffff".to_owned()),
        ("a revoked key", None, format!("Bearer {revoked}")),
        ("a key with another scheme", None, format!("Basic {}", client::TOKEN)),
        ("an ended session", None, ended),
        ("a token that is over", None, token(&issuer, Role::Admin, -1)),
    ];
    for role in Role::ALL {
        let (_, token) = server.key(role.as_str(), role.as_str()).await;
        callers.push((role.as_str(), Some(role), format!("Bearer {token}")));
        callers.push(("a token", Some(role), self::token(&issuer, role, 600)));
        callers.push((
            "session",
            Some(role),
            server.user(&format!("u-{}", role.as_str()), role.as_str()).await,
        ));
    }
    let table = served::table();
    assert!(table.len() > 50, "the table is of all routes");
    for route in &table {
        let path = concrete(&route.path);
        for (who, role, credential) in &callers {
            // Its own session would be over for those after it.
            if path == "/logout" && role.is_some() {
                continue;
            }
            let name =
                if credential.contains("tailboard_session") { "Cookie" } else { "Authorization" };
            let mut head = vec![("Content-Type", "application/json")];
            head.extend((!credential.is_empty()).then_some((name, credential.as_str())));
            let answer = server.bare(route.method.as_str(), &path, &head, "").await;
            let said = format!("{} {path} by {who} ({role:?}): {}", route.method, answer.status);
            match (route.rule, role) {
                (Rule::Open, _) => assert_ne!(answer.status, 403, "{said}"),
                (_, None) => {
                    assert_eq!(answer.status, 401, "{said}");
                    assert_eq!(answer.header("www-authenticate"), "Bearer", "{said}");
                }
                (rule, Some(role)) if *role < rule.role().unwrap() => {
                    assert_eq!(answer.status, 403, "{said}");
                }
                _ => assert!(answer.status != 401 && answer.status != 403, "{said}"),
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_route_is_closed_too() {
    let server = Running::start("").await;
    for path in ["/", "/jobs", "/nothing", "/api/v1/nothing", "/api/nothing", "/api/docs", "//jobs"]
    {
        let answer = server.bare("GET", path, &[], "").await;
        assert_eq!(answer.status, 401, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn each_contract_refuses_in_its_own_words() {
    let server = Running::start("").await;
    let none = "00000000-0000-7000-8000-000000000000";
    let said = async |path: &str| {
        let answer = server.bare("GET", path, &[], "").await;
        assert_eq!(answer.status, 401, "{path}");
        answer.json().await
    };
    assert_eq!(said("/api/events/stream").await["error"]["code"], "UNAUTHORIZED");
    assert!(said(&format!("/api/jobs/{none}/stream")).await["detail"].is_string());
    let execution = said(&format!("/api/v1/executions/{none}/events")).await;
    assert!(execution["error_code"] == "unauthorized" && execution["timestamp"].is_string());
    assert_eq!(said("/v0/pipelines/x/logs").await["error_code"], "Unauthorized");
    let runner = said(&format!("/runner-jobs/{none}/events/stream")).await;
    assert!(runner["statusCode"] == 401 && runner["error"] == "Unauthorized");
    let api = server.bare("GET", "/api/v1/jobs", &[], "").await;
    assert_eq!(api.header("content-type"), "application/problem+json");
    server.stop().await;
}

#[tokio::test]
async fn what_another_site_asks_for_is_refused_in_the_words_of_its_contract_too() {
    let server = Running::start("").await;
    let none = "00000000-0000-7000-8000-000000000000";
    let socket = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Origin", "https://evil.example"),
        ("Cookie", "a=b"),
    ];
    let path = format!("/runner-jobs/{none}/events/ws");
    // Of another site, and of a browser that does not say of which.
    for head in [&socket[..], &[socket[0], socket[1], socket[3]]] {
        let answer = server.bare("GET", &path, head, "").await;
        assert_eq!((answer.status, answer.header("content-type")), (403, "application/json"));
        let said = answer.json().await;
        assert_eq!((&said["statusCode"], &said["error"]), (&json!(403), &json!("Forbidden")));
        assert!(said["message"].is_string(), "{said}");
    }
    let misdirected = async |path: &str| {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
        let answer = client::raw(server.address, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str::<Value>(body).unwrap()
    };
    assert_eq!(misdirected("/api/events/stream").await["error"]["code"], "MISDIRECTED");
    assert!(misdirected(&format!("/api/jobs/{none}/stream")).await["detail"].is_string());
    let execution = misdirected(&format!("/api/v1/executions/{none}/events")).await;
    assert_eq!(execution["error_code"], "misdirected");
    assert_eq!(misdirected("/v0/pipelines/x/logs").await["error_code"], "Misdirected");
    assert_eq!(misdirected(&path).await["statusCode"], 421);
    assert_eq!(misdirected("/api/v1/jobs").await["status"], 421);
    server.stop().await;
}

#[tokio::test]
async fn a_page_leads_to_the_sign_in_and_from_there_back_to_itself_but_never_to_another_site() {
    let server = Running::start("").await;
    let user = json!({ "name": "ann", "role": "viewer", "password": PASSWORD });
    server.call("POST", "/api/v1/users", user).await;
    let page = [("Accept", "text/html,*/*")];
    let answer = server.bare("GET", "/jobs?state=failed", &page, "").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/login?next=/jobs%3Fstate%3Dfailed")
    );
    for (next, to) in [
        ("/jobs%3Fstate%3Dfailed", "/jobs?state=failed"),
        ("//evil.example", "/"),
        ("/%5Cevil.example", "/"),
        ("https://evil.example", "/"),
        ("", "/"),
    ] {
        let form = format!("name=ann&password={PASSWORD}&next={next}");
        let answer = server.form("/login", "", &form).await;
        assert_eq!((answer.status, answer.header("location")), (303, to), "{next}");
    }
    server.stop().await;
}
