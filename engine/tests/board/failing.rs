//! A store that takes no commits.

use crate::stand::{CONNECTION, Stand, connection, eventually, new_job, until};
use engine::Observation;
use shared::{Freshness, event::name};

#[tokio::test]
async fn while_the_store_cannot_write_all_is_stale_and_afterwards_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    stand.send(connection(Freshness::Live)).await.unwrap();
    let live = stand.board.connections()[0].clone();
    let mut events = stand.subscribe(None);
    let head = stand.hub.head();
    assert_eq!(stand.board.writable(), Ok(()));

    // Another process holds the store's lock.
    let intruder = rusqlite::Connection::open(dir.path().join("tailboard.db")).unwrap();
    intruder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ack = stand.board.try_send(Observation::Queued(Box::new(new_job(1)))).unwrap();
    let frames = until(&mut events, |frame| frame.event == name::CONNECTION_STATE).await;
    let [frame] = &frames[..] else { panic!("{frames:?}") };
    assert_eq!(frame.id, None);
    assert_eq!(frame.json()["freshness"], "stale");
    assert_eq!(frame.json()["reason"], "the store cannot write");
    assert_eq!(stand.board.connections()[0].freshness, Freshness::Stale);
    assert!(stand.board.writable().unwrap_err().contains("locked"));
    assert_eq!(stand.hub.head(), head, "what is not committed is not published");
    // Who comes now hears of it too.
    let mut late = stand.subscribe(Some(head));
    until(&mut late, |frame| frame.json()["id"] == CONNECTION.to_string()).await;

    intruder.execute_batch("ROLLBACK").unwrap();
    assert!(ack.await.unwrap().changed);
    eventually(|| stand.board.writable().is_ok()).await;
    let frames = until(&mut events, |frame| frame.json()["freshness"] == "live").await;
    assert_eq!(frames[0].event, name::JOB_STATE);
    let row = stand.board.connections()[0].clone();
    assert!(row.revision > live.revision);
    assert_eq!(row.freshness, Freshness::Live);
    stand.close();
}
