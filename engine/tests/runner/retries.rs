//! Failed and lost attempts, and the ones after them.

use crate::house::{House, detail, log, over, run, until};
use engine::{Caller, OnLost, Retry};
use shared::{JobState, StoryKind, Timestamp};
use std::{fs, time::Duration};

fn soon(retries: u32) -> Retry {
    let delay = Duration::from_millis(20);
    Retry { retries, delay, max_delay: Duration::from_millis(40) }
}

/// Fails until it was run `times` times.
fn flaky(house: &mut House, times: u32, retry: Retry) {
    let count = house.note("count");
    let count = count.display();
    let step = format!(
        "test ! -e left; touch left; echo x >> {count}; echo try $TAILBOARD_ATTEMPT; \
         test $(wc -l < {count}) -ge {times}"
    );
    let mut pipeline = crate::house::pipeline("flaky", &[("step", &step)]);
    pipeline.retry = retry;
    house.settings.pipelines = vec![pipeline];
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_attempt_is_followed_by_another_in_a_fresh_directory_and_one_log() {
    let mut house = House::new(1, &[]);
    flaky(&mut house, 3, soon(5));
    let engine = house.open().await;
    let job = over(&engine, run(&engine, "flaky").await).await;
    assert_eq!(job.job.state, JobState::Completed, "{:?}", job.job.error);
    assert_eq!((job.job.attempt, job.job.max_attempts), (3, 6));
    assert_eq!(job.job.run_at, None);
    assert_eq!(log(&engine, job.job.id).await, "try 1\ntry 2\ntry 3\n");
    let states: Vec<_> = job.attempts.iter().map(|attempt| attempt.state).collect();
    assert_eq!(states, [JobState::Failed, JobState::Failed, JobState::Completed]);
    let retrying = job.timeline.iter().filter(|entry| entry.kind == StoryKind::Retrying);
    assert_eq!(retrying.count(), 2);
    let lines = engine.log_window(&Caller::board(), job.job.id, 1, 10).await.unwrap().unwrap();
    let attempts: Vec<_> = lines.lines.iter().map(|line| line.attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_is_tried_again_counts_as_no_ended_and_no_failed_job() {
    let mut house = House::new(1, &[]);
    flaky(&mut house, 4, soon(5));
    let before = Timestamp::now();
    let engine = house.open().await;
    let caller = Caller::board();
    over(&engine, run(&engine, "flaky").await).await;
    let worker = until("the worker says that a job ended", async || {
        let workers = engine.overview(&caller).await.unwrap().workers;
        workers.into_iter().find(|worker| worker.processed > 0)
    })
    .await;
    assert_eq!((worker.processed, worker.failed), (1, 0));
    assert!(worker.since.is_some_and(|since| since >= before && since <= worker.seen_at));
    let queue = until("the queue says that a job ended", async || {
        let queues = engine.overview(&caller).await.unwrap().queues;
        queues.into_iter().find(|queue| queue.rate_per_min > 0.0)
    })
    .await;
    assert_eq!((queue.rate_per_min, queue.failed_per_min), (1.0, 0.0));
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_failure_is_the_end() {
    let mut house = House::new(1, &[]);
    flaky(&mut house, 9, soon(1));
    let engine = house.open().await;
    let job = over(&engine, run(&engine, "flaky").await).await;
    assert_eq!((job.job.state, job.job.attempt), (JobState::Failed, 2));
    assert_eq!(job.timeline.last().unwrap().kind, StoryKind::Ended);
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_was_waited_for_is_made_by_the_next_server() {
    let mut house = House::new(1, &[]);
    flaky(&mut house, 2, Retry { delay: Duration::from_secs(2), ..soon(1) });
    house.settings.pipelines[0].retry.max_delay = Duration::from_secs(2);
    let engine = house.open().await;
    let id = run(&engine, "flaky").await;
    let waiting = until("it waits for another attempt", async || {
        let found = detail(&engine, id).await;
        (found.job.state == JobState::Retrying).then_some(found)
    })
    .await;
    assert!(waiting.job.run_at.unwrap() > waiting.job.created_at);
    assert!(waiting.waiting.unwrap().starts_with("attempt 2 of 2 begins at "));
    assert_eq!(waiting.job.exit_code, Some(1), "what the last one failed of");
    engine.stop(false).await;
    drop(engine);
    let engine = house.open().await;
    let job = over(&engine, id).await;
    assert_eq!((job.job.state, job.job.attempt), (JobState::Completed, 2));
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_for_another_attempt_can_be_cancelled() {
    let mut house = House::new(1, &[]);
    let hour = Duration::from_secs(3600);
    flaky(&mut house, 9, Retry { retries: 3, delay: hour, max_delay: hour });
    let engine = house.open().await;
    let id = run(&engine, "flaky").await;
    until("it waits for another attempt", async || {
        (detail(&engine, id).await.job.state == JobState::Retrying).then_some(())
    })
    .await;
    let job = engine.cancel(&Caller::board(), id, None).await.unwrap();
    assert_eq!(job.state, JobState::Cancelled);
    assert_eq!(detail(&engine, id).await.log.lines, 1, "what was printed is still there");
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_asked_to_be_cancelled_is_not_tried_again() {
    let mut house = House::new(1, &[]);
    let begun = house.note("begun");
    let step = format!("trap 'exit 7' TERM; touch {}; sleep 1000 & wait", begun.display());
    let mut pipeline = crate::house::pipeline("stubborn", &[("step", &step)]);
    pipeline.retry = soon(5);
    house.settings.pipelines = vec![pipeline];
    let engine = house.open().await;
    let id = run(&engine, "stubborn").await;
    until("the step runs", async || begun.exists().then_some(())).await;
    engine.cancel(&Caller::board(), id, None).await.unwrap();
    let job = over(&engine, id).await;
    assert_eq!((job.job.state, job.job.attempt), (JobState::Cancelled, 1));
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_run_is_tried_again_if_its_pipeline_says_so() {
    let mut house = House::new(1, &[]);
    let pids = house.note("pids");
    let step =
        format!("echo $PPID >> {0}; test $(wc -l < {0}) -ge 2 || exec sleep 1000", pids.display());
    let mut pipeline = crate::house::pipeline("lost", &[("step", &step)]);
    pipeline.on_lost = OnLost::Retry;
    pipeline.retry = soon(0);
    house.settings.pipelines = vec![pipeline];
    let engine = house.open().await;
    let id = run(&engine, "lost").await;
    let executor = until("the step runs", async || {
        fs::read_to_string(&pids).ok().filter(|text| text.ends_with('\n'))
    })
    .await;
    let killed = std::process::Command::new("kill").args(["-KILL", executor.trim()]).status();
    assert!(killed.unwrap().success());
    let job = over(&engine, id).await;
    assert_eq!((job.job.state, job.job.attempt), (JobState::Completed, 2));
    assert_eq!(job.job.max_attempts, 2, "one more than the retries allow");
    let lost = &job.attempts[0];
    let (from, to) = (lost.started_at.unwrap(), lost.finished_at.unwrap());
    assert_eq!(lost.duration_ms, Some(to.since(from)));
    assert!(job.earlier[0].duration_ms.is_some());
    let kinds: Vec<_> = job.timeline.iter().map(|entry| entry.kind).collect();
    let lost = kinds.iter().position(|kind| *kind == StoryKind::Lost).unwrap();
    assert!(kinds[lost..].contains(&StoryKind::Retrying));
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_that_fails_again_and_again_needs_attention_and_the_last_hour_shows_it() {
    let house = House::new(1, &[("bad", "exit 1"), ("good", "true")]);
    let engine = house.open().await;
    let caller = Caller::board();
    for pipeline in ["good", "bad", "bad", "bad"] {
        over(&engine, run(&engine, pipeline).await).await;
    }
    let overview = engine.overview(&caller).await.unwrap();
    assert_eq!(overview.attention.len(), 1);
    assert_eq!(overview.attention[0].kind, shared::page::AttentionKind::Failing);
    assert_eq!(overview.attention[0].name.as_deref(), Some("bad"));
    assert_eq!(overview.activity.len(), 60);
    let ended: Vec<_> = overview.activity.iter().map(|m| (m.completed, m.failed)).collect();
    assert_eq!(ended.iter().map(|(completed, _)| completed).sum::<u32>(), 1);
    assert_eq!(ended.iter().map(|(_, failed)| failed).sum::<u32>(), 3);
    let pipelines = engine.pipelines(&caller).await.unwrap().pipelines;
    let rates: Vec<_> = pipelines.iter().map(|p| (p.completed, p.failed)).collect();
    assert_eq!(rates, [(0, 3), (1, 0)]);
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_job_that_is_tried_again_and_again_is_a_storm_too() {
    let mut house = House::new(1, &[]);
    flaky(&mut house, 11, soon(20));
    let before = Timestamp::now();
    let engine = house.open().await;
    let caller = Caller::board();
    let id = run(&engine, "flaky").await;
    over(&engine, id).await;
    let storms = engine.overview(&caller).await.unwrap().attention;
    assert_eq!(storms.len(), 1, "{storms:?}");
    assert_eq!(storms[0].kind, shared::page::AttentionKind::RetryStorm);
    assert_eq!((storms[0].name.as_deref(), storms[0].job), (Some("flaky"), Some(id)));
    assert!(storms[0].since.is_some_and(|since| since >= before));
    assert_eq!(storms[0].text, "1 job of flaky was tried again 10 times in the last hour");
    engine.stop(false).await;
}
