//! Events of a connection switched off and on again.

use crate::stand::{CONNECTION, Stand, claim, connection, drain, job_id, queue, until, worker};
use engine::{Observation, board::Applied};
use shared::{EventId, Freshness, JobState, Timestamp, event::name};
use std::{future::poll_fn, pin::pin, task::Poll};

async fn switch(stand: &Stand, on: bool) -> Applied {
    let (connection, by, at) = (CONNECTION, "ada".to_owned(), Timestamp(7));
    stand.send(Observation::EventsSwitched { connection, on, by, at }).await.unwrap()
}

/// A board whose one connection is live.
async fn stand(dir: &std::path::Path) -> Stand {
    let stand = Stand::open(dir);
    stand.send(connection(Freshness::Live)).await.unwrap();
    stand
}

#[tokio::test]
async fn while_events_are_off_rows_go_on_and_nothing_is_told_but_that() {
    let dir = tempfile::tempdir().unwrap();
    let stand = stand(dir.path()).await;
    let id = stand.queue(1).await;
    let mut events = stand.subscribe(None);
    let mut watch = stand.hub.watch_job(&stand.caller, id);

    assert!(switch(&stand, false).await.changed);
    assert!(!switch(&stand, false).await.changed, "they are off already");
    let frames = drain(&mut events);
    let [told] = &frames[..] else { panic!("{frames:?}") };
    assert_eq!(told.event, name::CONNECTION_STATE);
    assert_eq!(told.json()["freshness"], "events_off");
    assert_eq!(told.json()["reason"], "switched off by ada");
    let row = stand.board.connections()[0].clone();
    assert_eq!((row.freshness, row.since), (Freshness::EventsOff, Timestamp(7)));

    let head = stand.hub.head();
    stand.claim(id).await.unwrap();
    stand.queue(2).await;
    stand.send(worker(1)).await.unwrap();
    stand.send(queue(3)).await.unwrap();
    assert_eq!(stand.job(id).state, JobState::Active);
    assert_eq!(stand.board.workers()[0].active_jobs, 1);
    assert_eq!(stand.board.queues()[0].depth, 3);
    assert_eq!(drain(&mut events), []);
    assert_eq!((events.moved(), stand.hub.head()), (None, head));
    let mut woken = pin!(watch.changed());
    let woken = poll_fn(|cx| Poll::Ready(woken.as_mut().poll(cx).is_ready())).await;
    assert!(!woken, "who watches a job of it reads the store");
    // What its source says of itself does not switch them on.
    stand.send(connection(Freshness::Unreachable)).await.unwrap();
    assert_eq!(stand.board.connections()[0].freshness, Freshness::EventsOff);
    stand.close();
}

#[tokio::test]
async fn on_again_every_stream_is_told_of_the_gap_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let stand = stand(dir.path()).await;
    stand.queue(1).await;
    let old = stand.hub.head();
    let mut open = stand.subscribe(None);
    switch(&stand, false).await;
    drain(&mut open);
    // Of events that are off nothing is missed by who does not miss any; a reset comes all the same.
    let mut late = stand.subscribe(None);
    stand.queue(2).await;
    assert!(switch(&stand, true).await.changed);
    let head = stand.hub.head();
    let mut resumed = stand.subscribe(Some(old));
    for events in [&mut open, &mut late, &mut resumed] {
        let frames = drain(events);
        let reset = frames.last().unwrap();
        assert_eq!((reset.event.as_str(), reset.id), (name::RESET, Some(head)));
        assert_eq!(reset.json()["reason"], "gap");
        let live = &frames[frames.len() - 2];
        assert_eq!(live.event, name::CONNECTION_STATE);
        assert_eq!((&live.json()["freshness"], live.id), (&"live".into(), None));
    }
    let fresh = stand.queue(3).await;
    for events in [&mut open, &mut late, &mut resumed, &mut stand.subscribe(Some(head))] {
        let frames = until(events, |frame| frame.event == name::JOB_STATE).await;
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].json()["id"], fresh.to_string());
    }
    let row = stand.board.connections()[0].clone();
    assert_eq!((row.freshness, row.reason), (Freshness::Live, None));
    stand.close();
}

#[tokio::test]
async fn off_and_the_gap_after_it_outlast_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let before = stand(dir.path()).await;
    let start = before.hub.head();
    before.queue(1).await;
    let told = before.hub.head();
    switch(&before, false).await;
    before.queue(2).await;
    before.close();

    let stand = stand(dir.path()).await;
    assert_eq!(stand.board.connections()[0].freshness, Freshness::EventsOff);
    stand.send(claim(job_id(2), 1)).await.unwrap();
    let mut resumed = stand.subscribe(Some(start));
    let frames = until(&mut resumed, |frame| frame.event == name::CONNECTION_STATE).await;
    let jobs: Vec<_> = frames.iter().filter(|frame| frame.event == name::JOB_STATE).collect();
    let [job] = &jobs[..] else { panic!("{frames:?}") };
    assert_eq!((job.id, &job.json()["id"]), (Some(told), &job_id(1).to_string().into()));
    switch(&stand, true).await;
    let on = stand.hub.head();
    stand.queue(3).await;
    stand.close();

    let stand = Stand::open(dir.path());
    assert_eq!(stand.store.floors().unwrap(), [(CONNECTION, on.seq)]);
    for position in [start, told, EventId { seq: on.seq - 1, ..on }] {
        let frames = until(&mut stand.subscribe(Some(position)), |f| f.event == name::RESET).await;
        assert_eq!(frames.len(), 1, "{frames:?}");
    }
    let frames = until(&mut stand.subscribe(Some(on)), |f| f.event == name::JOB_STATE).await;
    assert_eq!(frames[0].json()["id"], job_id(3).to_string());
    stand.close();
}
