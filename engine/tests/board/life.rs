//! A job's life: what becomes of each observation, in rows, story and events.

use crate::stand::{Stand, at, claim, drain, job_id, mark, new_job, run, until, worker};
use engine::{
    Observation,
    board::Refused,
    observation::{Exit, RunChange},
};
use shared::{CancelRequest, JobState, StepId, StepState, StoryKind, event::name};

fn step_started(ordinal: u32, ms: i64) -> RunChange {
    RunChange::StepStarted { ordinal, at: at(ms), mark: mark(u64::from(ordinal)) }
}

fn step_ended(ordinal: u32, state: StepState, ms: i64) -> RunChange {
    let exit = Exit { code: Some(0), signal: None };
    let (duration_ms, error, mark) = (Some(5), None, mark(u64::from(ordinal) + 1));
    RunChange::StepEnded { ordinal, state, at: at(ms), duration_ms, exit, error, mark }
}

fn ended(state: JobState, error: Option<&str>) -> RunChange {
    let exit = Exit { code: Some(3), signal: None };
    let error = error.map(str::to_owned);
    RunChange::Ended {
        state,
        at: at(400),
        duration_ms: Some(290),
        exit,
        error,
        mark: mark(2),
        retry_at: None,
    }
}

fn cancel(why: Option<&str>) -> CancelRequest {
    CancelRequest { by: "owner".to_owned(), at: at(300), why: why.map(str::to_owned) }
}

#[tokio::test]
async fn a_run_from_queued_to_completed_is_told_in_rows_story_and_events() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    let mut events = stand.subscribe(None);
    let job = stand.queue(1).await;
    stand.claim(job).await.unwrap();
    assert!(stand.run(job, 10, vec![RunChange::Started { at: at(110), mark: mark(0) }]).await);
    let steps = vec![
        step_started(0, 120),
        step_ended(0, StepState::Completed, 130),
        step_started(1, 140),
        step_ended(1, StepState::Completed, 150),
    ];
    assert!(stand.run(job, 20, steps).await);
    assert!(stand.run(job, 30, vec![ended(JobState::Completed, None)]).await);

    let found = stand.store.job_detail(&stand.caller, job).unwrap().unwrap();
    assert_eq!(found.job.state, JobState::Completed);
    assert_eq!((found.job.steps_done, found.job.steps_total), (2, 2));
    assert_eq!((found.job.started_at, found.job.finished_at), (Some(at(100)), Some(at(400))));
    assert_eq!((found.job.duration_ms, found.job.exit_code), (Some(290), Some(3)));
    assert_eq!(found.params["who"], "world");
    assert_eq!(found.created_by, "owner");
    assert_eq!(found.attempts[0].started_at, Some(at(110)));
    assert_eq!(found.attempts[0].state, JobState::Completed);
    let step = &found.steps[1];
    assert_eq!(
        (step.id, step.log_line, step.log_line_end),
        (StepId::of(job, 1, 1), Some(1), Some(2))
    );
    let kinds: Vec<_> = found.story.iter().map(|entry| (entry.n, entry.kind)).collect();
    use StoryKind::{Ended, Queued, Started, StepEnded, StepStarted};
    let expected = [Queued, Started, StepStarted, StepEnded, StepStarted, StepEnded, Ended];
    assert_eq!(kinds, (1..).zip(expected).collect::<Vec<_>>());

    let frames = until(&mut events, |frame| frame.json()["state"] == "completed").await;
    let states: Vec<_> = frames
        .iter()
        .filter(|frame| frame.event == name::JOB_STATE)
        .map(|frame| (frame.json()["previousState"].clone(), frame.json()["state"].clone()))
        .collect();
    let null = serde_json::Value::Null;
    assert_eq!(
        states,
        [
            (null, "queued".into()),
            ("queued".into(), "active".into()),
            ("active".into(), "completed".into())
        ]
    );
    let last = frames.last().unwrap();
    assert_eq!(last.id.unwrap().seq, found.job.revision, "a revision is the number of its event");
    stand.close();
}

#[tokio::test]
async fn what_was_applied_before_or_comes_too_late_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    let job = stand.queue(1).await;
    let again = Observation::Queued(Box::new(new_job(1)));
    assert!(!stand.send(again.clone()).await.unwrap().changed);
    assert!(!stand.run(job, 10, vec![step_started(0, 120)]).await, "it was not claimed");
    assert!(stand.claim(job).await.unwrap().changed);
    assert!(!stand.claim(job).await.unwrap().changed);
    assert_eq!(stand.send(claim(job, 2)).await, Err(Refused::OtherAttempt));
    assert!(stand.run(job, 10, vec![step_started(0, 120)]).await);
    assert!(!stand.run(job, 10, vec![step_ended(0, StepState::Failed, 130)]).await);
    assert!(
        !stand
            .send(run(job, 2, Some(99), vec![ended(JobState::Failed, None)]))
            .await
            .unwrap()
            .changed
    );
    assert!(stand.run(job, 20, vec![ended(JobState::Completed, None)]).await);
    assert!(!stand.run(job, 30, vec![ended(JobState::Failed, None)]).await);
    assert_eq!(stand.claim(job).await, Err(Refused::Over(JobState::Completed)));
    assert_eq!(stand.claim(job_id(9)).await, Err(Refused::UnknownJob));
    let row = stand.job(job);
    stand.close();

    // The same of a job that only the store remembers.
    let stand = Stand::open(dir.path());
    assert!(!stand.send(again).await.unwrap().changed);
    assert!(!stand.run(job, 40, vec![ended(JobState::Failed, None)]).await);
    let request = Observation::CancelRequested { job, request: cancel(None) };
    assert_eq!(stand.send(request).await, Err(Refused::Over(JobState::Completed)));
    assert_eq!(stand.job(job), row);
    stand.close();
}

#[tokio::test]
async fn a_waiting_job_is_cancelled_by_the_request_alone() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    let job = stand.queue(1).await;
    let request = Observation::CancelRequested { job, request: cancel(Some("wrong one")) };
    let applied = stand.send(request).await.unwrap();
    assert_eq!(applied.job.unwrap().state, JobState::Cancelled);
    assert_eq!(stand.claim(job).await, Err(Refused::Over(JobState::Cancelled)));
    let found = stand.store.job_detail(&stand.caller, job).unwrap().unwrap();
    assert_eq!(found.cancel, Some(cancel(Some("wrong one"))));
    assert!(found.steps.iter().all(|step| step.state == StepState::Skipped));
    assert_eq!(found.story[1].detail.as_deref(), Some("owner: wrong one"));
    assert!(stand.store.unfinished().unwrap().is_empty());
    stand.close();
}

#[tokio::test]
async fn of_an_active_job_a_cancel_is_a_request_and_the_end_decides() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    let (job, other) = (stand.queue(1).await, stand.queue(2).await);
    for job in [job, other] {
        stand.claim(job).await.unwrap();
        stand.run(job, 10, vec![step_started(0, 120)]).await;
        let request = Observation::CancelRequested { job, request: cancel(None) };
        assert!(stand.send(request.clone()).await.unwrap().changed);
        let again = stand.send(request).await.unwrap();
        assert!(!again.changed);
        let asked = again.job.map(|row| (row.id, row.state));
        assert_eq!(asked, Some((job, JobState::Active)), "who asks again is not refused");
    }
    let unfinished = stand.store.unfinished().unwrap();
    assert_eq!(unfinished[0].cancel, Some(cancel(None)));
    assert_eq!(
        (unfinished[0].boot_id.as_deref(), unfinished[0].journal_position),
        (Some("boot"), 10)
    );
    stand.run(job, 20, vec![ended(JobState::Completed, None)]).await;
    stand.run(other, 20, vec![ended(JobState::Cancelled, None)]).await;
    assert_eq!(stand.job(job).state, JobState::Completed);
    assert_eq!(stand.job(other).state, JobState::Cancelled);
    let steps = stand.store.job_detail(&stand.caller, other).unwrap().unwrap().steps;
    assert_eq!(steps[0].state, StepState::Cancelled);
    assert_eq!(steps[1].state, StepState::Skipped);
    stand.close();
}

#[tokio::test]
async fn a_job_that_is_deleted_is_not_there_for_what_comes_in_the_same_commit() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    let mut events = stand.subscribe(None);
    for n in 1..=50 {
        let job = stand.queue(n).await;
        let connection = new_job(n).connection;
        let all = [
            Observation::CancelRequested { job, request: cancel(None) },
            Observation::Deleted { job, connection },
            claim(job, 1),
        ];
        // One after the other without a pause: mostly one commit.
        let acks = all.map(|one| stand.board.try_send(one).unwrap());
        let mut outcomes = Vec::new();
        for ack in acks {
            outcomes.push(ack.await.map(|applied| applied.changed));
        }
        assert_eq!(outcomes, [Ok(true), Ok(true), Err(Refused::UnknownJob)]);
    }
    let told = drain(&mut events);
    assert!(told.iter().all(|frame| !frame.data.contains("active")), "a claim was told");
    stand.close();
}

#[tokio::test]
async fn a_lost_job_is_failed_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    let job = stand.queue(1).await;
    stand.claim(job).await.unwrap();
    stand.run(job, 10, vec![step_started(0, 120)]).await;
    let lost =
        RunChange::Lost { at: at(200), reason: "é".repeat(600), mark: mark(1), retry_at: None };
    stand.send(run(job, 1, None, vec![lost])).await.unwrap();
    let found = stand.store.job_detail(&stand.caller, job).unwrap().unwrap();
    assert_eq!(found.job.state, JobState::Failed);
    let error = found.job.error.unwrap();
    assert!(error.starts_with("lost: é"));
    assert_eq!(error.chars().count(), 500, "an error is cut");
    assert_eq!(found.job.duration_ms, Some(100), "by the wall clock, for want of a better one");
    let states: Vec<_> = found.steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [StepState::Failed, StepState::Skipped]);
    stand.close();
}

#[tokio::test]
async fn of_a_flood_of_progress_a_few_events_come_and_the_last_value_always_does() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    let job = stand.queue(1).await;
    stand.claim(job).await.unwrap();
    let mut events = stand.subscribe(Some(stand.hub.head()));
    let begun = std::time::Instant::now();
    for percent in 1..=100_u8 {
        let progress = Some(f32::from(percent));
        let flood = Observation::Progress { job, attempt: 1, progress, step: None };
        stand.send(flood).await.unwrap();
    }
    let frames = until(&mut events, |frame| frame.json()["progress"] == 100.0).await;
    let allowed = 2 + begun.elapsed().as_millis() as usize / 250;
    assert!(frames.len() <= allowed, "{} events, {allowed} allowed", frames.len());
    assert_eq!(stand.job(job).progress, Some(100.0));
    assert_eq!(stand.job(job).revision, frames.last().unwrap().id.unwrap().seq);

    // A value that is still held back when the job ends is dropped: the end says it all.
    let held = Observation::Progress { job, attempt: 1, progress: Some(50.0), step: None };
    stand.send(held).await.unwrap();
    stand.run(job, 10, vec![ended(JobState::Completed, None)]).await;
    stand.send(worker(1)).await.unwrap();
    let frames = until(&mut events, |frame| frame.event == name::WORKER_STATE).await;
    let rest: Vec<_> = frames.iter().map(|frame| frame.event.as_str()).collect();
    assert!(rest.ends_with(&[name::JOB_STATE, name::WORKER_STATE]), "{rest:?}");
    assert_eq!(drain(&mut events), []);
    stand.close();
}

#[tokio::test]
async fn a_watch_is_woken_by_its_job_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    let (job, other) = (stand.queue(1).await, stand.queue(2).await);
    let mut watch = stand.hub.watch_job(&stand.caller, job);
    assert_eq!(stand.hub.open(), 1);
    stand.claim(other).await.unwrap();
    tokio::select! {
        biased;
        () = watch.changed() => panic!("that was another job"),
        () = std::future::ready(()) => {}
    }
    stand.claim(job).await.unwrap();
    watch.changed().await;
    // Not an event, but whoever shows the job has to know.
    let delayed = Observation::StartDelayed {
        job,
        attempt: 1,
        reason: "no process to be had".to_owned(),
        at: at(120),
    };
    stand.send(delayed).await.unwrap();
    watch.changed().await;
    let delay = stand.store.job_detail(&stand.caller, job).unwrap().unwrap().delay;
    assert_eq!(delay.as_deref(), Some("no process to be had"));
    stand.run(job, 10, vec![RunChange::Started { at: at(130), mark: mark(0) }]).await;
    assert_eq!(stand.store.job_detail(&stand.caller, job).unwrap().unwrap().delay, None);
    drop(watch);
    assert_eq!(stand.hub.open(), 0);
    stand.close();
}
