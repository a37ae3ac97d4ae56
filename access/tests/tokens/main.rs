//! Tokens of a configured issuer: which are believed, and that no others are. [`fetched`]: where the keys come from.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod fetched;

use access::{
    Access, Settings,
    token::{Algorithm, Issuer, KeySource},
};
use jsonwebtoken::{EncodingKey, Header, encode, jwk::Jwk};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use serde_json::{Value, json};
use shared::{Role, Timestamp, access::Via};
use std::collections::BTreeMap;
use tempfile::TempDir;

const ISSUER: &str = "https://id.example.com/";

fn ed() -> EncodingKey {
    // PKCS#8, version 1: this header and the 32 bytes of the key.
    let mut der = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20\
        ................................";
    getrandom::fill(&mut der[16..]).unwrap();
    EncodingKey::from_ed_der(&der)
}

fn ec() -> EncodingKey {
    let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let made = EcdsaKeyPair::generate_pkcs8(kind, &SystemRandom::new()).unwrap();
    EncodingKey::from_ec_der(made.as_ref())
}

fn listed(key: &EncodingKey, algorithm: Algorithm, kid: &str) -> Value {
    let mut jwk = Jwk::from_encoding_key(key, algorithm).unwrap();
    jwk.common.key_id = Some(kid.to_owned());
    serde_json::to_value(jwk).unwrap()
}

fn claims() -> Value {
    let now = Timestamp::now().0 / 1000;
    json!({ "iss": ISSUER, "aud": "tailboard", "sub": "ann", "exp": now + 60, "role": "operator" })
}

/// The claims with one of them another, or without it.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => claims.as_object_mut().unwrap().remove(name),
        value => claims.as_object_mut().unwrap().insert(name.to_owned(), value),
    };
    claims
}

fn signed(key: &EncodingKey, algorithm: Algorithm, kid: &str, claims: &Value) -> String {
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(algorithm) };
    encode(&header, claims, key).unwrap()
}

fn open(keys: KeySource, roles: &[(&str, Role)]) -> (Access, TempDir) {
    let issuer = Issuer {
        issuer: ISSUER.to_owned(),
        audience: "tailboard".to_owned(),
        keys,
        algorithms: vec![Algorithm::EdDSA, Algorithm::ES256],
        role_claim: "role".to_owned(),
        roles: roles
            .iter()
            .map(|(word, role)| ((*word).to_owned(), *role))
            .collect::<BTreeMap<_, _>>(),
    };
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { issuer: Some(issuer), ..Settings::default() };
    (Access::open(dir.path(), settings).unwrap(), dir)
}

/// An access that believes this key, called `a`.
fn believing(key: &EncodingKey, algorithm: Algorithm) -> (Access, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keys.json");
    std::fs::write(&file, json!({ "keys": [listed(key, algorithm, "a")] }).to_string()).unwrap();
    open(KeySource::File(file), &[])
}

#[tokio::test]
async fn a_token_of_the_issuer_is_who_it_says_until_it_expires() {
    for (key, algorithm) in [(ed(), Algorithm::EdDSA), (ec(), Algorithm::ES256)] {
        let (access, _dir) = believing(&key, algorithm);
        let claims = claims();
        let caller = access.bearer(&signed(&key, algorithm, "a", &claims)).await.unwrap();
        assert_eq!(
            (&*caller.name, caller.role, caller.via),
            ("token:ann", Role::Operator, Via::Token)
        );
        assert_eq!(caller.until, claims["exp"].as_i64().map(|exp| Timestamp(exp * 1000)));
    }
}

#[tokio::test]
async fn what_a_token_opened_ends_when_it_expires() {
    let key = ed();
    let (access, _dir) = believing(&key, Algorithm::EdDSA);
    access.sweep();
    let soon = with("exp", json!(Timestamp::now().0 / 1000 + 2));
    let token = signed(&key, Algorithm::EdDSA, "a", &soon);
    let caller = access.bearer(&token).await.unwrap();
    let again = access.bearer(&token).await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(10), caller.ended.cancelled())
        .await
        .unwrap();
    assert!(again.ended.is_cancelled(), "one token, one end");
    assert!(access.bearer(&token).await.is_none());
}

#[tokio::test]
async fn claims_that_are_missing_wrong_or_of_another_type_are_refused() {
    let key = ed();
    let (access, _dir) = believing(&key, Algorithm::EdDSA);
    let now = Timestamp::now().0 / 1000;
    for (name, value) in [
        ("iss", Value::Null),
        ("iss", json!("https://evil.example/")),
        ("iss", json!(7)),
        ("aud", Value::Null),
        ("aud", json!("another")),
        ("aud", json!({ "tailboard": true })),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!("a\nb")),
        ("sub", json!(["ann"])),
        ("exp", Value::Null),
        ("exp", json!(now - 1)),
        ("exp", json!("tomorrow")),
        ("exp", json!(-1)),
        ("nbf", json!(now + 3600)),
        ("nbf", json!("now")),
        ("iat", json!("now")),
        ("role", Value::Null),
        ("role", json!("root")),
        ("role", json!({ "admin": true })),
        ("role", json!(["admin", 1])),
        ("role", json!([])),
    ] {
        let token = signed(&key, Algorithm::EdDSA, "a", &with(name, value.clone()));
        assert!(access.bearer(&token).await.is_none(), "{name} = {value}");
    }
    let several = with("aud", json!(["another", "tailboard"]));
    assert!(access.bearer(&signed(&key, Algorithm::EdDSA, "a", &several)).await.is_some());
}

#[tokio::test]
async fn the_times_of_a_token_need_not_be_whole_seconds() {
    let key = ed();
    let (access, _dir) = believing(&key, Algorithm::EdDSA);
    let now = Timestamp::now().0 as f64 / 1000.0;
    for (name, value) in [("exp", now + 60.25), ("nbf", now - 0.5), ("iat", now + 0.5)] {
        let token = signed(&key, Algorithm::EdDSA, "a", &with(name, json!(value)));
        let caller = access.bearer(&token).await.unwrap();
        let exp =
            if name == "exp" { Timestamp((value * 1000.0) as i64) } else { caller.until.unwrap() };
        assert_eq!(caller.until, Some(exp));
    }
    let over = with("exp", json!(now - 0.1));
    assert!(access.bearer(&signed(&key, Algorithm::EdDSA, "a", &over)).await.is_none());
}

#[tokio::test]
async fn another_key_another_algorithm_and_none_are_refused() {
    let key = ed();
    let (access, _dir) = believing(&key, Algorithm::EdDSA);
    let good = signed(&key, Algorithm::EdDSA, "a", &claims());
    assert!(access.bearer(&signed(&ed(), Algorithm::EdDSA, "a", &claims())).await.is_none());
    assert!(access.bearer(&signed(&key, Algorithm::EdDSA, "b", &claims())).await.is_none());
    assert!(access.bearer(&signed(&ec(), Algorithm::ES256, "a", &claims())).await.is_none());
    // Signed with what everybody knows, the public key.
    let public = listed(&key, Algorithm::EdDSA, "a").to_string();
    let secret = EncodingKey::from_secret(public.as_bytes());
    assert!(access.bearer(&signed(&secret, Algorithm::HS256, "a", &claims())).await.is_none());
    let parts: Vec<&str> = good.split('.').collect();
    for none in [
        // {"alg":"none"}
        format!("eyJhbGciOiJub25lIn0.{}.", parts[1]),
        format!("eyJhbGciOiJub25lIn0.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], parts[2].replace(|c: char| c.is_uppercase(), "A")),
        "..".to_owned(),
        format!("{good}{}", "A".repeat(10_000)),
    ] {
        assert!(access.bearer(&none).await.is_none(), "{none}");
    }
    assert!(access.bearer(&good).await.is_some());
}

#[tokio::test]
async fn the_highest_role_of_the_words_that_are_configured_counts() {
    let key = ed();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keys.json");
    let set = json!({ "keys": [listed(&key, Algorithm::EdDSA, "a")] });
    std::fs::write(&file, set.to_string()).unwrap();
    let (access, _dir) =
        open(KeySource::File(file), &[("ops", Role::Operator), ("board", Role::Admin)]);
    let role = async |claim: Value| {
        let token = signed(&key, Algorithm::EdDSA, "a", &with("role", claim));
        access.bearer(&token).await.map(|caller| caller.role)
    };
    assert_eq!(role(json!("ops")).await, Some(Role::Operator));
    assert_eq!(role(json!(["ops", "board", "football"])).await, Some(Role::Admin));
    assert_eq!(role(json!("admin")).await, None, "the names of roles mean nothing then");
}
