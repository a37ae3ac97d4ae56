//! A job's life with one server, from the request to the end.

use crate::house::{House, detail, log, over, run, until};
use engine::{Caller, CancelError, RunError, RunRequest};
use shared::{JobState, StepState, StoryKind};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_completes_and_its_story_names_every_step() {
    let mut house = House::new(1, &[]);
    house.settings.pipelines =
        vec![crate::house::pipeline("hello", &[("one", "echo 1"), ("two", "echo 2")])];
    let engine = house.open().await;
    let job = over(&engine, run(&engine, "hello").await).await;
    assert_eq!(job.job.state, JobState::Completed);
    assert_eq!(log(&engine, job.job.id).await, "1\n2\n");
    let kinds: Vec<_> = job.timeline.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds.first(), Some(&StoryKind::Queued));
    assert_eq!(kinds.last(), Some(&StoryKind::Ended));
    assert_eq!(kinds.iter().filter(|kind| **kind == StoryKind::StepEnded).count(), 2);
    let numbers: Vec<_> = job.timeline.iter().map(|entry| entry.n).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert!(job.log.closed);
    assert_eq!(job.log.lines, 2);
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_step_fails_the_job_and_skips_the_rest() {
    let mut house = House::new(1, &[]);
    house.settings.pipelines =
        vec![crate::house::pipeline("bad", &[("one", "exit 3"), ("two", "echo never")])];
    let engine = house.open().await;
    let job = over(&engine, run(&engine, "bad").await).await;
    assert_eq!(job.job.state, JobState::Failed);
    assert_eq!(job.job.exit_code, Some(3));
    let states: Vec<_> = job.steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [StepState::Failed, StepState::Skipped]);
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_jobs_run_than_there_are_slots() {
    let house = House::new(2, &[("hold", "while [ ! -e \"$HOLD\" ]; do sleep 0.01; done")]);
    let mut house = house;
    let hold = house.note("hold");
    house.settings.pipelines[0].env = [("HOLD".to_owned(), hold.display().to_string())].into();
    let engine = house.open().await;
    let mut jobs = Vec::new();
    for _ in 0..4 {
        jobs.push(run(&engine, "hold").await);
    }
    let caller = Caller::board();
    until("two run and two wait", async || {
        let queue = engine.queues(&caller).await.unwrap().items.into_iter().next()?;
        (queue.active == 2 && queue.depth == 2).then_some(())
    })
    .await;
    let waiting = detail(&engine, jobs[3]).await;
    assert_eq!(waiting.job.state, JobState::Queued);
    assert!(waiting.waiting.unwrap().contains("2 of 2 in use"));
    fs::write(hold, "").unwrap();
    for job in jobs {
        assert_eq!(over(&engine, job).await.job.state, JobState::Completed);
    }
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_job_is_cancelled_by_the_request_alone() {
    let house = House::new(0, &[("hello", "echo hello")]);
    let engine = house.open().await;
    let caller = Caller::board();
    let job = run(&engine, "hello").await;
    let cancelled = engine.cancel(&caller, job, Some("a mistake".into())).await.unwrap();
    assert_eq!(cancelled.state, JobState::Cancelled);
    assert_eq!(detail(&engine, job).await.cancel.unwrap().why.as_deref(), Some("a mistake"));
    let again = engine.cancel(&caller, job, None).await;
    assert!(matches!(again, Err(CancelError::Over(JobState::Cancelled))), "{again:?}");
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_leaves_no_process_and_its_cleanup_ran() {
    let mut house = House::new(1, &[]);
    let begun = house.note("begun");
    let mut pipeline = crate::house::pipeline(
        "long",
        &[
            ("work", &format!("setsid sleep 1000 & touch {}; sleep 1000", begun.display())),
            ("tidy", "echo tidied"),
        ],
    );
    pipeline.steps[1].phase = shared::Phase::Cleanup;
    house.settings.pipelines = vec![pipeline];
    let engine = house.open().await;
    let job = run(&engine, "long").await;
    until("the step runs", async || begun.exists().then_some(())).await;
    engine.cancel(&Caller::board(), job, None).await.unwrap();
    let ended = over(&engine, job).await;
    assert_eq!(ended.job.state, JobState::Cancelled);
    assert_eq!(log(&engine, job).await, "tidied\n");
    let left = crate::house::processes(&job.to_string());
    assert!(left.is_empty(), "{left:?}");
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_refused_by_name() {
    let house = House::new(1, &[("hello", "echo hello")]);
    let engine = house.open().await;
    let caller = Caller::board();
    let request = |pipeline: &str| RunRequest { pipeline: pipeline.into(), ..Default::default() };
    let unknown = engine.run(&caller, request("nonesuch")).await;
    assert!(matches!(&unknown, Err(RunError::UnknownPipeline(name)) if name == "nonesuch"));
    let params = [("depth".to_owned(), 3.into())].into();
    let unknown = engine.run(&caller, RunRequest { params, ..request("hello") }).await;
    assert!(matches!(&unknown, Err(RunError::Param(error)) if error.name == "depth"));
    engine.stop(false).await;
}
