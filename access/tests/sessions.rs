//! Sessions and keys: how they begin, and all the ways in which they end.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use access::{Access, AccessError, Settings, audit::AuditQuery, sessions::From};
use engine::Caller;
use shared::{
    Role, Timestamp,
    access::{KeyMade, NewKey, NewUser, UserChange},
};
use std::{os::unix::fs::PermissionsExt, sync::atomic::Ordering, time::Duration};
use tempfile::TempDir;

const PASSWORD: &str = "correct-horse-battery";

fn open(dir: &TempDir, settings: Settings) -> Access {
    Access::open(dir.path(), settings).unwrap()
}

async fn user(access: &Access, name: &str, role: Role) {
    let (name, password) = (name.to_owned(), Some(PASSWORD.to_owned()));
    access.add_user(&Caller::board(), NewUser { name, role, password }).await.unwrap();
}

async fn sign_in(access: &Access, name: &str) -> Result<(Caller, String), AccessError> {
    let signed_in = access.sign_in(name, PASSWORD.to_owned(), From::default()).await?;
    Ok((signed_in.caller, signed_in.secret))
}

async fn ends(caller: &Caller) {
    let ended = tokio::time::timeout(Duration::from_secs(5), caller.ended.cancelled());
    ended.await.expect("an end within 5 s");
}

#[tokio::test]
async fn a_session_that_is_not_used_ends_and_one_that_is_goes_on_to_its_longest() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        session_idle: Duration::from_secs(2),
        session_longest: Duration::from_secs(4),
        ..Settings::default()
    };
    let access = open(&dir, settings);
    access.sweep();
    user(&access, "ann", Role::Viewer).await;
    let (idle, idle_secret) = sign_in(&access, "ann").await.unwrap();
    let (used, used_secret) = sign_in(&access, "ann").await.unwrap();
    ends(&idle).await;
    assert!(access.session(&idle_secret).is_none());
    let begun = std::time::Instant::now();
    loop {
        used.touch();
        if used.ended.is_cancelled() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "it has a longest");
        tokio::task::yield_now().await;
    }
    assert!(access.session(&used_secret).is_none());
}

#[tokio::test]
async fn sessions_and_keys_are_known_after_a_restart_and_no_secret_is_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, Settings::default());
    user(&access, "ann", Role::Operator).await;
    let (_, cookie) = sign_in(&access, "ann").await.unwrap();
    let new = NewKey { name: "deploy".to_owned(), role: Role::Viewer, until: None };
    let made = access.add_key(&Caller::board(), new).await.unwrap();
    access.close().await;
    drop(access);
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let path = file.unwrap().path();
        // The files beside it go away when the last thread has closed it.
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let mode = path.metadata().map(|file| file.permissions().mode());
        assert_eq!(mode.unwrap_or(0) & 0o077, 0, "{path:?} is its owner's alone");
        for secret in [&*cookie, &*made.token, PASSWORD] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
        }
    }
    let access = open(&dir, Settings::default());
    assert_eq!(&*access.session(&cookie).unwrap().name, "ann");
    assert_eq!(&*access.bearer(&made.token).await.unwrap().name, "key:deploy");
    assert!(access.bearer(&cookie).await.is_none(), "a cookie is no key");
    assert!(access.session(&made.token).is_none(), "a key is no cookie");
}

#[tokio::test]
async fn when_a_session_was_used_is_written_down_later_if_it_could_not_be_at_first() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, Settings::default());
    user(&access, "ann", Role::Viewer).await;
    let (caller, _) = sign_in(&access, "ann").await.unwrap();
    let db = rusqlite::Connection::open(dir.path().join("access.db")).unwrap();
    let stored =
        || -> i64 { db.query_row("SELECT used_at FROM sessions", [], |row| row.get(0)).unwrap() };
    let begun = stored();
    let broken = "CREATE TRIGGER broken BEFORE UPDATE ON sessions BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    db.execute_batch(broken).unwrap();
    let later = caller.used.fetch_add(1_000, Ordering::Relaxed) + 1_000;
    access.close().await;
    assert_eq!(stored(), begun);
    db.execute_batch("DROP TRIGGER broken").unwrap();
    access.close().await;
    assert_eq!(stored(), later);
}

#[tokio::test]
async fn a_user_has_so_many_sessions_and_the_one_longest_not_used_gives_way() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, Settings::default());
    user(&access, "ann", Role::Viewer).await;
    let (first, _) = sign_in(&access, "ann").await.unwrap();
    let mut last = None;
    for _ in 0..50 {
        last = Some(sign_in(&access, "ann").await.unwrap().0);
    }
    assert!(first.ended.is_cancelled());
    assert!(!last.unwrap().ended.is_cancelled());
}

#[tokio::test]
async fn who_is_disabled_cannot_sign_in_and_gets_no_other_answer_than_for_a_wrong_password() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, Settings::default());
    user(&access, "root", Role::Admin).await;
    user(&access, "ann", Role::Viewer).await;
    let (caller, _) = sign_in(&access, "ann").await.unwrap();
    let change = |disabled| UserChange { disabled: Some(disabled), ..UserChange::default() };
    access.change_user(&Caller::board(), "ann", change(true)).await.unwrap();
    ends(&caller).await;
    assert!(matches!(sign_in(&access, "ann").await, Err(AccessError::SignIn)));
    access.change_user(&Caller::board(), "ann", change(false)).await.unwrap();
    assert!(sign_in(&access, "ann").await.is_ok());
}

#[tokio::test]
async fn a_new_password_from_an_admin_ends_every_session() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, Settings::default());
    user(&access, "root", Role::Admin).await;
    user(&access, "ann", Role::Viewer).await;
    let (caller, _) = sign_in(&access, "ann").await.unwrap();
    let password = Some("another-good-password".to_owned());
    access
        .change_user(&Caller::board(), "ann", UserChange { password, ..UserChange::default() })
        .await
        .unwrap();
    ends(&caller).await;
    assert!(sign_in(&access, "ann").await.is_err());
}

#[tokio::test]
async fn a_newer_store_is_refused_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(&dir, Settings::default()));
    let db = rusqlite::Connection::open(dir.path().join("access.db")).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let error = Access::open(dir.path(), Settings::default()).err().unwrap().to_string();
    assert!(error.contains("newer version (schema 99"), "{error}");
    assert!(!error.contains('\n'));
}

/// A sign-in with this password, from this address.
async fn tries(
    access: &Access,
    name: &str,
    password: &str,
    address: &str,
) -> Result<(), AccessError> {
    let from = From { address: address.to_owned(), ..From::default() };
    access.sign_in(name, password.to_owned(), from).await.map(|_| ())
}

#[tokio::test]
async fn who_has_used_up_its_own_attempts_uses_up_nobody_elses() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, Settings::default());
    user(&access, "ann", Role::Viewer).await;
    for n in 0..30 {
        let wrong = tries(&access, if n < 10 { "bob" } else { "ann" }, "wrong", "192.0.2.1").await;
        assert_eq!(matches!(wrong, Err(AccessError::TooMany(_))), n >= 10, "{n}");
    }
    tries(&access, "ann", PASSWORD, "192.0.2.2").await.unwrap();
}

#[tokio::test]
async fn strangers_do_not_lock_a_user_out_of_where_it_is_signed_in() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, Settings::default());
    user(&access, "ann", Role::Viewer).await;
    tries(&access, "ann", PASSWORD, "192.0.2.9").await.unwrap();
    for n in 0..20 {
        let _ = tries(&access, "ann", "wrong", &format!("198.51.100.{n}")).await;
    }
    assert!(matches!(
        tries(&access, "ann", PASSWORD, "203.0.113.1").await,
        Err(AccessError::TooMany(_))
    ));
    tries(&access, "ann", PASSWORD, "192.0.2.9").await.unwrap();
}

#[tokio::test]
async fn a_network_of_one_host_counts_as_one_place() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, Settings::default());
    for n in 0..10 {
        let _ = tries(&access, &format!("u{n}"), "wrong", &format!("2001:db8::{n}")).await;
    }
    let last = tries(&access, "u", "wrong", "2001:db8::ffff").await;
    assert!(matches!(last, Err(AccessError::TooMany(_))));
    assert!(matches!(
        tries(&access, "u", "wrong", "2001:db8:1::1").await,
        Err(AccessError::SignIn)
    ));
}

#[tokio::test]
async fn a_new_session_takes_the_place_of_the_one_that_the_browser_had() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, Settings::default());
    user(&access, "ann", Role::Viewer).await;
    let (before, secret) = sign_in(&access, "ann").await.unwrap();
    let from = From { session: Some(before.credential), ..From::default() };
    access.sign_in("ann", PASSWORD.to_owned(), from).await.unwrap();
    ends(&before).await;
    assert!(access.session(&secret).is_none());
}

#[tokio::test]
async fn there_is_always_an_admin_and_one_who_can_sign_in_if_there_was() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, Settings::default());
    let new = |name: &str| NewUser { name: name.to_owned(), role: Role::Admin, password: None };
    access.add_user(&Caller::board(), new("owner")).await.unwrap();
    assert!(matches!(
        access.delete_user(&Caller::board(), "owner").await,
        Err(AccessError::Conflict(_))
    ));
    user(&access, "root", Role::Admin).await;
    assert!(matches!(
        access.delete_user(&Caller::board(), "root").await,
        Err(AccessError::Conflict(_))
    ));
    access.delete_user(&Caller::board(), "owner").await.unwrap();
    assert!(matches!(
        access.delete_user(&Caller::board(), "root").await,
        Err(AccessError::Conflict(_))
    ));
}

/// An admin's key that works for so long, or until it is revoked.
async fn key(access: &Access, name: &str, role: Role, for_ms: Option<i64>) -> KeyMade {
    let until = for_ms.map(|ms| Timestamp(Timestamp::now().0 + ms));
    access.add_key(&Caller::board(), NewKey { name: name.to_owned(), role, until }).await.unwrap()
}

/// Makes all keys expire.
fn expire_keys(dir: &TempDir) {
    let db = rusqlite::Connection::open(dir.path().join("access.db")).unwrap();
    db.execute("UPDATE keys SET until = 1", []).unwrap();
}

#[tokio::test]
async fn keys_that_have_expired_are_no_way_in_and_the_next_start_has_a_link_again() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, Settings::default());
    key(&access, "ci", Role::Admin, Some(60_000)).await;
    assert!(access.has_anyone() && access.has_credential() && access.setup_code().is_none());
    drop(access);
    expire_keys(&dir);
    let access = open(&dir, Settings::default());
    assert!(!access.has_anyone() && !access.has_credential());
    let code = access.setup_code().unwrap().to_owned();
    access.set_up(&code, From::default()).await.unwrap();
    assert!(access.has_anyone() && access.setup_code().is_none());
}

#[tokio::test]
async fn a_code_is_void_for_good_once_anybody_had_access() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, Settings::default());
    let code = access.setup_code().unwrap().to_owned();
    let made = key(&access, "short", Role::Viewer, None).await;
    access.revoke_key(&Caller::board(), made.key.id).await.unwrap();
    assert!(!access.has_anyone() && access.setup_code().is_none());
    assert!(access.set_up(&code, From::default()).await.is_err());
    drop(access);
    assert!(open(&dir, Settings::default()).setup_code().is_some_and(|new| new != code));
}

#[tokio::test]
async fn the_key_without_which_no_admin_gets_in_is_not_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, Settings::default());
    let board = Caller::board();
    let kept = async |made: &KeyMade| {
        let tried = access.revoke_key(&board, made.key.id).await;
        let said = tried.unwrap_err().to_string();
        assert!(said.contains("make another one with the role admin"), "{said}");
        assert!(access.key(&made.token).is_some());
    };
    let first = key(&access, "first", Role::Admin, None).await;
    kept(&first).await;
    key(&access, "reads", Role::Viewer, None).await;
    kept(&first).await;
    let new = NewUser { name: "owner".to_owned(), role: Role::Admin, password: None };
    access.add_user(&board, new).await.unwrap();
    kept(&first).await;
    let second = key(&access, "second", Role::Admin, None).await;
    access.revoke_key(&board, first.key.id).await.unwrap();
    kept(&second).await;
    user(&access, "root", Role::Admin).await;
    access.revoke_key(&board, second.key.id).await.unwrap();
    assert!(access.key(&second.token).is_none());
}

#[tokio::test]
async fn a_first_key_from_the_environment_is_written_down_and_comes_back_by_no_restart() {
    let dir = tempfile::tempdir().unwrap();
    let access = open(&dir, Settings::default());
    let token = format!("tb_{}", "0".repeat(32));
    assert!(access.bootstrap(&token).await.unwrap());
    let log = access.audit_log(AuditQuery::default()).await.unwrap().items;
    let entry = &log[0];
    assert_eq!(
        (&*entry.action, &*entry.target, &*entry.address, entry.detail.as_deref()),
        ("key.create", "bootstrap", "environment", Some("admin"))
    );
    let other = key(&access, "other", Role::Admin, Some(60_000)).await;
    let id = access.keys().iter().find(|key| key.name == "bootstrap").unwrap().id;
    access.revoke_key(&Caller::board(), id).await.unwrap();
    drop((access, other));
    expire_keys(&dir);
    let access = open(&dir, Settings::default());
    assert!(!access.bootstrap(&token).await.unwrap());
    assert!(access.key(&token).is_none() && access.setup_code().is_some());
}
