//! Sessions and keys: how they begin, and all the ways in which they end.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use access::{Access, AccessError, Settings, sessions::From};
use engine::Caller;
use shared::{
    Role,
    access::{NewKey, NewUser, UserChange},
};
use std::{os::unix::fs::PermissionsExt, time::Duration};
use tempfile::TempDir;

const PASSWORD: &str = "correct-horse-battery";

fn open(dir: &TempDir, settings: Settings) -> Access {
    Access::open(dir.path(), settings).unwrap()
}

async fn user(access: &Access, name: &str, role: Role) {
    let (name, password) = (name.to_owned(), Some(PASSWORD.to_owned()));
    access.add_user(NewUser { name, role, password }).await.unwrap();
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
    access.change_user("ann", change(true)).await.unwrap();
    ends(&caller).await;
    assert!(matches!(sign_in(&access, "ann").await, Err(AccessError::SignIn)));
    access.change_user("ann", change(false)).await.unwrap();
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
    access.change_user("ann", UserChange { password, ..UserChange::default() }).await.unwrap();
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
