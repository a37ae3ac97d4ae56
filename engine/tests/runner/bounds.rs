//! How many runs of a pipeline go on at a time, over queues, reloads and restarts.

use crate::house::{House, detail, gate, over, pipeline, run, until, waits};
use engine::{Definition, QueueDef, Retry};
use shared::JobState;
use std::time::Duration;

fn one_at_a_time(name: &str, step: &str) -> Definition {
    Definition { max_concurrent: Some(1), ..pipeline(name, &[("step", step)]) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_has_as_many_runs_at_a_time_as_it_may_and_holds_nobody_up() {
    let mut house = House::new(3, &[]);
    let (wait, open) = gate(&house, "gate");
    let mut bounded = pipeline("bounded", &[("step", &wait)]);
    bounded.max_concurrent = Some(1);
    house.settings.pipelines = vec![bounded, pipeline("free", &[("step", "true")])];
    let engine = house.open().await;
    let first = run(&engine, "bounded").await;
    let second = run(&engine, "bounded").await;
    assert_eq!(over(&engine, run(&engine, "free").await).await.job.state, JobState::Completed);
    waits(&engine, second, "max_concurrent = 1").await;
    assert_eq!(detail(&engine, first).await.job.state, JobState::Active);
    open();
    over(&engine, second).await;
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_that_is_taken_away_keeps_its_bound_until_its_last_job_is_over() {
    let mut house = House::new(3, &[("free", "true")]);
    let without = house.settings.clone();
    let (wait, open) = gate(&house, "gate");
    let (alone, met) = (house.note("alone"), house.note("met"));
    let (alone, together) = (alone.display(), met.display());
    // Each fails once, and says if it was not alone.
    let step = format!(
        "mkdir {alone} || touch {together}; {wait}; sleep 0.02; rmdir {alone}; \
         test $TAILBOARD_ATTEMPT = 2"
    );
    let retry = Retry { retries: 1, delay: Duration::ZERO, max_delay: Duration::ZERO };
    house.settings.pipelines.push(Definition { retry, ..one_at_a_time("bounded", &step) });
    let engine = house.open().await;
    let mut jobs = Vec::new();
    for _ in 0..6 {
        jobs.push(run(&engine, "bounded").await);
    }
    engine.reload(without.clone());
    // Once something else ran, what could run with the first does.
    over(&engine, run(&engine, "free").await).await;
    waits(&engine, jobs[5], "bounded has 1 run going on (max_concurrent = 1)").await;
    engine.stop(false).await;
    drop(engine);
    house.settings = without;
    let engine = house.open().await;
    waits(&engine, jobs[5], "bounded has 1 run going on (max_concurrent = 1)").await;
    open();
    for job in jobs {
        let job = over(&engine, job).await.job;
        assert_eq!((job.state, job.attempt), (JobState::Completed, 2));
    }
    assert!(!met.exists(), "two ran together");
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_a_pipeline_that_is_moved_to_another_queue_count_in_both() {
    let mut house = House::new(2, &[("free", "true")]);
    house.settings.queues.push(QueueDef { name: "other".into(), concurrency: 2 });
    let (wait, open) = gate(&house, "first");
    let (wait_too, open_too) = gate(&house, "second");
    let mut settings = house.settings.clone();
    house.settings.pipelines.push(one_at_a_time("bounded", &wait));
    house.settings.pipelines[1].queue = "other".into();
    let engine = house.open().await;
    let first = run(&engine, "bounded").await;
    until("the first runs", async || {
        (detail(&engine, first).await.job.state == JobState::Active).then_some(())
    })
    .await;
    settings.pipelines.push(one_at_a_time("bounded", &wait_too));
    engine.reload(settings.clone());
    let second = run(&engine, "bounded").await;
    over(&engine, run(&engine, "free").await).await;
    waits(&engine, second, "bounded has 1 run going on (max_concurrent = 1)").await;
    settings.pipelines[1].max_concurrent = Some(2);
    engine.reload(settings.clone());
    until("both run", async || {
        (detail(&engine, second).await.job.state == JobState::Active).then_some(())
    })
    .await;
    let ran = house.note("ran");
    settings.pipelines[1] = one_at_a_time("bounded", &format!("touch {}", ran.display()));
    settings.pipelines[1].queue = "other".into();
    engine.reload(settings);
    let third = run(&engine, "bounded").await;
    waits(&engine, third, "bounded has 2 runs going on (max_concurrent = 1)").await;
    open();
    over(&engine, first).await;
    waits(&engine, third, "bounded has 1 run going on (max_concurrent = 1)").await;
    open_too();
    // The end of the one in `default` lets it run in `other`, which nothing else moves to look.
    until("the third ran", async || ran.exists().then_some(())).await;
    assert_eq!(over(&engine, third).await.job.state, JobState::Completed);
    engine.stop(false).await;
}
