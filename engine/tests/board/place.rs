//! The data directory: one server, the same directory, no newer store.

use crate::stand::{Stand, job_id};
use engine::store::{Store, StoreError};
use std::path::Path;

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn a_directory_has_one_server() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    let second = Store::open(dir.path());
    assert!(matches!(&second, Err(StoreError::Locked(_))), "{second:?}");
    assert!(second.unwrap_err().to_string().ends_with("is in use by another server"));
    stand.close();
    Store::open(dir.path()).unwrap();
}

#[tokio::test]
async fn a_copy_is_another_board_with_the_same_rows() {
    let (dir, twin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let stand = Stand::open(dir.path());
    assert!(!stand.store.is_copy());
    let job = stand.queue(1).await;
    let (epoch, install, head) = (stand.store.epoch(), stand.store.install_id(), stand.hub.head());
    stand.close();
    copy(dir.path(), twin.path());

    let original = Stand::open(dir.path());
    assert!(!original.store.is_copy());
    assert_eq!((original.store.epoch(), original.store.install_id()), (epoch, install));
    let copied = Stand::open(twin.path());
    assert!(copied.store.is_copy());
    assert_ne!(copied.store.epoch(), epoch);
    assert_ne!(copied.store.install_id(), install);
    assert!(copied.hub.head().seq >= head.seq, "revisions of rows are not ahead of the head");
    assert_eq!(copied.job(job), original.job(job));
    // No frame of the old epoch comes out of it.
    let reset = crate::stand::drain(&mut copied.subscribe(Some(head)));
    assert_eq!(reset.len(), 1);
    assert_eq!(reset[0].json()["reason"], "restarted");
    original.close();
    copied.close();
    assert!(!Stand::open(twin.path()).store.is_copy(), "from now on it is its own");
}

#[tokio::test]
async fn a_newer_store_is_refused_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    stand.queue(1).await;
    stand.close();
    let db = rusqlite::Connection::open(dir.path().join("tailboard.db")).unwrap();
    let known: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let refused = Store::open(dir.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }));
    assert_eq!(refused.to_string().lines().count(), 1);
    let db = rusqlite::Connection::open(dir.path().join("tailboard.db")).unwrap();
    db.pragma_update(None, "user_version", known).unwrap();
    drop(db);
    assert_eq!(Stand::open(dir.path()).job(job_id(1)).name, "hello");
}
