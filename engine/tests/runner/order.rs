//! Which job is taken when: priority, time, pause.

use crate::house::{House, gate, over, pipeline, run, until, waits};
use engine::{Caller, Engine, QueueDef, RunRequest};
use shared::{Job, JobId, JobState, Timestamp};
use std::fs;

async fn asked(engine: &Engine, request: RunRequest) -> Job {
    engine.run(&Caller::board(), request).await.unwrap()
}

fn request(pipeline: &str) -> RunRequest {
    RunRequest { pipeline: pipeline.to_owned(), ..RunRequest::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_highest_priority_runs_first_and_each_knows_its_place() {
    let mut house = House::new(1, &[]);
    let (wait, open) = gate(&house, "gate");
    let order = house.note("order");
    let says = format!("echo $TAILBOARD_JOB_ID >> {}", order.display());
    house.settings.pipelines =
        vec![pipeline("blocks", &[("step", &wait)]), pipeline("says", &[("step", &says)])];
    let engine = house.open().await;
    run(&engine, "blocks").await;
    let mut expected = Vec::new();
    for priority in [0, 0, 10] {
        let job = asked(&engine, RunRequest { priority: Some(priority), ..request("says") }).await;
        expected.push(job.id);
    }
    waits(&engine, expected[2], "no free slot in queue default: 1 of 1 in use, it is the next")
        .await;
    waits(&engine, expected[1], "2 jobs are before it").await;
    expected.rotate_right(1);
    open();
    for id in &expected {
        over(&engine, *id).await;
    }
    let ran: Vec<JobId> =
        fs::read_to_string(&order).unwrap().lines().map(|id| id.parse().unwrap()).collect();
    assert_eq!(ran, expected);
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_asked_for_later_waits_for_its_time_over_a_restart() {
    let house = House::new(1, &[("hello", "true")]);
    let engine = house.open().await;
    let now = Timestamp::now();
    let hour = asked(
        &engine,
        RunRequest { run_at: Some(Timestamp(now.0 + 3_600_000)), ..request("hello") },
    );
    let hour = hour.await;
    assert_eq!(hour.state, JobState::Scheduled);
    waits(&engine, hour.id, "scheduled for ").await;
    let at = Timestamp(now.0 + 1_000);
    let soon = asked(&engine, RunRequest { run_at: Some(at), ..request("hello") }).await;
    engine.stop(false).await;
    drop(engine);
    let engine = house.open().await;
    let ran = over(&engine, soon.id).await;
    assert_eq!(ran.job.state, JobState::Completed);
    assert!(ran.job.started_at.unwrap() >= at);
    let cancelled = engine.cancel(&Caller::board(), hour.id, None).await.unwrap();
    assert_eq!(cancelled.state, JobState::Cancelled);
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_queue_claims_nothing_until_it_goes_on_over_restarts_too() {
    let house = House::new(1, &[("hello", "true")]);
    let engine = house.open().await;
    let caller = Caller::board();
    let connection = engine.connections(&caller).await.unwrap().items[0].id;
    until("the queue is known", async || {
        (!engine.queues(&caller).await.unwrap().items.is_empty()).then_some(())
    })
    .await;
    assert!(engine.pause_queue(&caller, connection, "nonesuch").await.is_err());
    assert!(engine.pause_queue(&caller, connection, "default").await.unwrap().paused);
    let id = run(&engine, "hello").await;
    waits(&engine, id, "queue default is paused by ").await;
    engine.stop(false).await;
    drop(engine);
    let engine = house.open().await;
    waits(&engine, id, "queue default is paused by ").await;
    until("its row says so", async || {
        engine.queues(&caller).await.unwrap().items.first()?.paused.then_some(())
    })
    .await;
    assert!(!engine.resume_queue(&caller, connection, "default").await.unwrap().paused);
    assert_eq!(over(&engine, id).await.job.state, JobState::Completed);
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_queue_that_leaves_the_configuration_and_comes_back_is_still_paused() {
    let mut house = House::new(1, &[("hello", "true")]);
    let without = house.settings.clone();
    house.settings.queues.push(QueueDef { name: "other".into(), concurrency: 1 });
    house.settings.pipelines[0].queue = "other".into();
    let engine = house.open().await;
    let caller = Caller::board();
    let connection = engine.connections(&caller).await.unwrap().items[0].id;
    let other = async |engine: &Engine| {
        let queues = engine.queues(&caller).await.unwrap().items;
        queues.into_iter().find(|queue| queue.name == "other")
    };
    until("the queue is known", async || other(&engine).await).await;
    engine.pause_queue(&caller, connection, "other").await.unwrap();
    engine.reload(without);
    until("the queue is gone", async || other(&engine).await.is_none().then_some(())).await;
    engine.reload(house.settings.clone());
    let back = until("the queue is back", async || other(&engine).await).await;
    assert!(back.paused);
    let id = run(&engine, "hello").await;
    waits(&engine, id, "queue other is paused by ").await;
    engine.stop(false).await;
    drop(engine);
    let engine = house.open().await;
    waits(&engine, id, "queue other is paused by ").await;
    until("the queue is known", async || other(&engine).await).await;
    engine.resume_queue(&caller, connection, "other").await.unwrap();
    assert_eq!(over(&engine, id).await.job.state, JobState::Completed);
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_starts_while_the_disk_is_nearly_full() {
    let mut house = House::new(1, &[("hello", "true")]);
    house.settings.min_free_disk = u64::MAX;
    let engine = house.open().await;
    let id = run(&engine, "hello").await;
    waits(&engine, id, "min_free_disk").await;
    assert!(engine.ready().unwrap_err().starts_with("disk low"));
    engine.stop(false).await;
    drop(engine);
    house.settings.min_free_disk = 0;
    let engine = house.open().await;
    over(&engine, id).await;
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_changes_queues_and_pipelines_and_what_is_queued_runs_as_it_was() {
    let mut house = House::new(1, &[("old", "echo old"), ("same", "true")]);
    let (wait, open) = gate(&house, "gate");
    house.settings.pipelines.push(pipeline("blocks", &[("step", &wait)]));
    let other = QueueDef { name: "other".into(), concurrency: 1 };
    house.settings.queues.push(other);
    let engine = house.open().await;
    let caller = Caller::board();
    run(&engine, "blocks").await;
    let queued = run(&engine, "old").await;
    let mut settings = house.settings.clone();
    settings.queues = vec![QueueDef { name: "default".into(), concurrency: 2 }];
    settings.pipelines[0].steps[0].run = "echo new".into();
    settings.pipelines.remove(2);
    settings.pipelines.push(pipeline("new", &[("step", "true")]));
    let reloaded = engine.reload(settings);
    assert_eq!(reloaded.added, ["new"]);
    assert_eq!(reloaded.changed, ["old"]);
    assert_eq!(reloaded.removed, ["blocks"]);
    // The second slot takes it at once.
    over(&engine, queued).await;
    assert_eq!(crate::house::log(&engine, queued).await, "old\n");
    let again = over(&engine, run(&engine, "old").await).await;
    assert_eq!(crate::house::log(&engine, again.job.id).await, "new\n");
    until("the queue that was removed is gone", async || {
        let queues = engine.queues(&caller).await.unwrap().items;
        queues.iter().all(|queue| queue.name != "other").then_some(())
    })
    .await;
    open();
    engine.stop(false).await;
}
