//! What is deleted by itself, and what is not.

use crate::stand::{Stand, at, claim, job_id, new_job, run};
use engine::{
    Observation, Retention,
    observation::{Exit, LogMark, RunChange},
    retention::sweep,
    store::JobsQuery,
};
use shared::{JobState, Timestamp};
use std::{sync::Mutex, time::Duration};

const DAY: u64 = 86_400;

/// Job `n` ended `n` days after the first moment, with a log of 1,000 bytes; every third one failed.
async fn filled(stand: &Stand, count: u128) {
    for n in 0..count {
        let id = job_id(n);
        stand.send(Observation::Queued(Box::new(new_job(n)))).await.unwrap();
        stand.send(claim(id, 1)).await.unwrap();
        let state = if n % 3 == 0 { JobState::Failed } else { JobState::Completed };
        let end = RunChange::Ended {
            state,
            at: day(n as u64),
            duration_ms: Some(1),
            exit: Exit::default(),
            error: None,
            mark: LogMark { offset: 1_000, lines: 1 },
            retry_at: None,
        };
        stand.send(run(id, 1, Some(10), vec![end])).await.unwrap();
    }
    // One that runs is never past anything.
    stand.send(Observation::Queued(Box::new(new_job(900)))).await.unwrap();
    stand.send(claim(job_id(900), 1)).await.unwrap();
}

fn day(n: u64) -> Timestamp {
    Timestamp(at(0).0 + (n * DAY * 1000) as i64)
}

fn for_ever() -> Retention {
    Retention { completed: None, failed: None, jobs: u64::MAX, log_bytes: u64::MAX }
}

/// Numbers of the jobs that are left.
async fn left(stand: &Stand, kept: Retention) -> Vec<u128> {
    let told = Mutex::new(Vec::new());
    let removed = |job| told.lock().unwrap().push(job);
    let gone = sweep((&stand.board, &stand.store), kept, day(30), &removed, &Default::default())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(told.lock().unwrap().len(), gone);
    let query = JobsQuery { limit: 200, ..JobsQuery::default() };
    let mut left: Vec<_> = stand
        .store
        .jobs(&stand.caller, &query)
        .unwrap()
        .items
        .iter()
        .map(|job| job.id.0.as_u128() - 1_000)
        .collect();
    left.sort_unstable();
    left
}

#[tokio::test]
async fn what_is_older_than_its_age_goes_and_failures_stay_longer() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    filled(&stand, 12).await;
    let days = |n| Some(Duration::from_secs(n * DAY));
    let kept = Retention { completed: days(20), failed: days(25), ..for_ever() };
    assert_eq!(left(&stand, kept).await, [6, 9, 10, 11, 900]);
    stand.close();
}

#[tokio::test]
async fn of_too_many_the_oldest_go_and_failures_last() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    filled(&stand, 12).await;
    assert_eq!(left(&stand, Retention { jobs: 6, ..for_ever() }).await, [0, 3, 6, 9, 10, 11, 900]);
    assert_eq!(left(&stand, Retention { jobs: 1, ..for_ever() }).await, [9, 900]);
    stand.close();
}

#[tokio::test]
async fn logs_that_are_too_large_together_make_the_oldest_go() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    filled(&stand, 6).await;
    assert_eq!(left(&stand, Retention { log_bytes: 3_000, ..for_ever() }).await, [0, 3, 5, 900]);
    assert_eq!(left(&stand, for_ever()).await, [0, 3, 5, 900]);
    stand.close();
}
