//! Streams over restarts.

use crate::stand::{CONNECTION, Frame, Stand, drain, job_id, until};
use engine::{
    hub::{Topic, frame},
    store::{Change, EVENTS_KEPT, Store},
};
use shared::{Epoch, EventId, event::name};

#[tokio::test]
async fn a_restart_is_a_resume_and_no_number_is_used_twice() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    let start = stand.hub.head();
    for n in 0..50 {
        stand.queue(n).await;
    }
    let middle = stand.job(job_id(20)).revision;
    let head = stand.hub.head();
    stand.close();

    let stand = Stand::open(dir.path());
    assert_eq!(stand.hub.head().epoch, head.epoch);
    assert!(stand.hub.head().seq >= head.seq, "no id that was given out is ahead of the head");
    let mut all = stand.subscribe(Some(start));
    let mut part = stand.subscribe(Some(EventId { seq: middle, ..start }));
    let mut none = stand.subscribe(Some(head));
    let fresh = stand.queue(50).await;
    let is_last = |frame: &Frame| frame.json()["id"] == fresh.to_string();
    let ids = |frames: Vec<Frame>| {
        assert!(frames.iter().all(|frame| frame.event == name::JOB_STATE), "{frames:?}");
        frames.into_iter().map(|frame| frame.json()["id"].clone()).collect::<Vec<_>>()
    };
    let expected = |from: u128| {
        (from..=50).map(|n| job_id(n).to_string().into()).collect::<Vec<serde_json::Value>>()
    };
    assert_eq!(ids(until(&mut all, is_last).await), expected(0));
    assert_eq!(ids(until(&mut part, is_last).await), expected(21));
    assert_eq!(ids(until(&mut none, is_last).await), expected(50));
    assert!(stand.job(fresh).revision > head.seq);
    stand.close();
}

#[tokio::test]
async fn an_id_of_another_epoch_or_ahead_of_the_head_is_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    stand.queue(1).await;
    let head = stand.hub.head();
    let ahead = EventId { seq: head.seq + 1, ..head };
    let other = EventId { epoch: Epoch(head.epoch.0 ^ 1), ..head };
    for since in [ahead, other] {
        let frames = drain(&mut stand.subscribe(Some(since)));
        assert_eq!(frames.len(), 1);
        assert_eq!((frames[0].event.as_str(), frames[0].id), (name::RESET, Some(head)));
        assert_eq!(frames[0].json()["reason"], "restarted");
    }
    stand.close();
}

#[tokio::test]
async fn history_is_kept_up_to_its_limit_over_a_restart_and_what_is_older_expired() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = Store::open(dir.path()).unwrap();
    let id = |seq| EventId { epoch: store.epoch(), seq };
    let event = |seq| Change::Event {
        seq,
        connection: CONNECTION,
        topic: Topic::Job as u8,
        frame: frame(Some(id(seq)), name::JOB_STATE, &seq),
    };
    let last = EVENTS_KEPT + 1_000;
    for first in (1..=last).step_by(4_096) {
        let events: Vec<_> = (first..=last.min(first + 4_095)).map(event).collect();
        writer.commit(&events, Some(last)).unwrap();
    }
    let head = id(last);
    drop((store, writer));

    let stand = Stand::open(dir.path());
    assert_eq!(stand.hub.head(), head);
    let floor = stand.store.floors().unwrap()[0].1;
    assert!((700..=1_000).contains(&floor), "{floor}");
    // These need all that there is, so they wait until it is there.
    let mut expired = stand.subscribe(Some(EventId { seq: floor - 1, ..head }));
    let mut oldest = stand.subscribe(Some(EventId { seq: floor + 300, ..head }));
    let frames = until(&mut expired, |frame| frame.event == name::RESET).await;
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].json()["reason"], "expired");
    let frames = until(&mut oldest, |frame| frame.id == Some(head)).await;
    assert!(frames.iter().map(|frame| frame.id.unwrap().seq).eq(floor + 301..=last));
    stand.close();
}
