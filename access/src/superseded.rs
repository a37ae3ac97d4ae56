//! What was checked and does not hold any more when its turn to act has come.

#![allow(clippy::unwrap_used)]

use crate::{Access, AccessError, Settings, sessions::From};
use engine::Caller;
use rusqlite::params;
use shared::{
    Role,
    access::{NewUser, UserChange},
};
use tempfile::TempDir;

const OLD: &str = "correct-horse-battery";
const OWN: &str = "what-ann-wants-to-have";

/// A board with the admin `root` and with `ann`.
async fn open() -> (Access, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let access = Access::open(dir.path(), Settings::default()).unwrap();
    for (name, role) in [("root", Role::Admin), ("ann", Role::Admin)] {
        let new = NewUser { name: name.to_owned(), role, password: Some(OLD.to_owned()) };
        access.add_user(&Caller::board(), new).await.unwrap();
    }
    (access, dir)
}

/// A password from an admin; its hash was made before, so it waits for no turn.
async fn reset(access: &Access, hash: &str) {
    let hash = hash.to_owned();
    let reset = move |tx: &rusqlite::Transaction<'_>| {
        tx.execute("UPDATE users SET password = ? WHERE name = 'ann'", params![hash])?;
        tx.execute("DELETE FROM sessions", [])?;
        Ok(())
    };
    access.change(reset).await.unwrap();
}

fn disabled(disabled: bool) -> UserChange {
    UserChange { disabled: Some(disabled), ..UserChange::default() }
}

/// What `ask` leads to, if `meanwhile` is done while it waits for its turn.
async fn overtaken<T: Send + 'static>(
    access: &Access,
    ask: impl Future<Output = Result<T, AccessError>> + Send + 'static,
    meanwhile: impl AsyncFnOnce(),
) -> Result<T, AccessError> {
    let turns = access.0.passwords.hold().await;
    let asked = tokio::spawn(ask);
    access.0.passwords.awaited().await;
    meanwhile().await;
    drop(turns);
    asked.await.unwrap()
}

#[tokio::test]
async fn a_password_that_was_right_when_it_was_checked_lets_nobody_in_who_is_not_to_get_in_since() {
    let (access, _dir) = open().await;
    let board = Caller::board();
    let sign_in = || {
        let access = access.clone();
        async move { access.sign_in("ann", OLD.to_owned(), From::default()).await.map(|_| ()) }
    };
    let refused = |tried| assert!(matches!(tried, Err(AccessError::SignIn)), "{tried:?}");
    overtaken(&access, sign_in(), async || ()).await.unwrap();

    let old = access.live().user("ann").unwrap().password.clone().unwrap();
    let new = access.0.passwords.hash(OWN.to_owned(), "ann").await.unwrap();
    refused(overtaken(&access, sign_in(), async || reset(&access, &new).await).await);

    reset(&access, &old).await;
    let disable = async || drop(access.change_user(&board, "ann", disabled(true)).await.unwrap());
    refused(overtaken(&access, sign_in(), disable).await);

    access.change_user(&board, "ann", disabled(false)).await.unwrap();
    let remove = async || access.delete_user(&board, "ann").await.unwrap();
    refused(overtaken(&access, sign_in(), remove).await);
    assert!(access.live().sessions.is_empty());
}

#[tokio::test]
async fn ones_own_new_password_takes_the_place_of_the_one_that_was_checked_and_of_no_other() {
    let (access, _dir) = open().await;
    let signed_in = async || {
        let signed_in = access.sign_in("ann", OLD.to_owned(), From::default()).await;
        signed_in.unwrap().caller.credential
    };
    let change = |keep| {
        let (access, current) = (access.clone(), Some(OLD.to_owned()));
        async move { access.set_password("ann", current, OWN.to_owned(), keep).await }
    };
    let of_ann = || access.live().user("ann").unwrap().password.clone().unwrap();
    let others = access.0.passwords.hash(OWN.to_owned(), "ann").await.unwrap();
    // By another of her browsers, whose change leaves this one signed in if it came from there.
    let another = async || {
        let hash = others.clone();
        let replace = move |tx: &rusqlite::Transaction<'_>| {
            tx.execute("UPDATE users SET password = ? WHERE name = 'ann'", params![hash])?;
            Ok(())
        };
        access.change(replace).await.unwrap();
    };
    let ann = signed_in().await;
    let tried = overtaken(&access, change(ann), another).await;
    assert!(matches!(tried, Err(AccessError::Invalid { field: "current", .. })), "{tried:?}");
    assert_eq!(of_ann(), others);

    let back = access.0.passwords.hash(OLD.to_owned(), "ann").await.unwrap();
    reset(&access, &back).await;
    let ann = signed_in().await;
    let tried = overtaken(&access, change(ann), async || reset(&access, &others).await).await;
    assert!(matches!(tried, Err(AccessError::Ended)), "{tried:?}");
    assert_eq!(of_ann(), others);
}

#[tokio::test]
async fn what_an_admin_asked_for_is_not_done_when_its_access_has_ended_before_its_turn() {
    let (access, _dir) = open().await;
    let ann = access.sign_in("ann", OLD.to_owned(), From::default()).await.unwrap().caller;
    let password = Some(OWN.to_owned());
    let new = NewUser { name: "late".to_owned(), role: Role::Admin, password: password.clone() };
    let (own, by) = (access.clone(), ann.clone());
    let add = async move { own.add_user(&by, new).await };
    let end = async || drop(access.end_session(&ann, ann.credential).await.unwrap());
    let tried = overtaken(&access, add, end).await;
    assert!(matches!(tried, Err(AccessError::Ended)), "{tried:?}");

    let change = UserChange { password, ..UserChange::default() };
    let tried = access.change_user(&ann, "root", change).await;
    assert!(matches!(tried, Err(AccessError::Ended)), "{tried:?}");
    assert!(access.user("late").is_err());
    access.sign_in("root", OLD.to_owned(), From::default()).await.unwrap();
}
