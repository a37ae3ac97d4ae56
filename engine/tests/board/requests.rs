//! Requests with a key: for how long they are answered with the same job.

use crate::stand::{Stand, at, job_id, new_job};
use engine::{
    Observation,
    board::Refused,
    observation::{NewJob, RequestKey},
};
use shared::{JobId, Timestamp};
use uuid::Uuid;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Job `n`, asked for with this key, so long after the first moment.
fn asked(n: u128, key: &str, after_ms: i64) -> NewJob {
    let key = RequestKey { caller: "ann".into(), key: key.into(), request: Uuid::from_u128(7) };
    let created_at = Timestamp(at(0).0 + after_ms);
    NewJob { key: Some(key), created_at, ..new_job(n) }
}

/// Which job answers, and whether it was made for this.
async fn answer(stand: &Stand, new: NewJob) -> Result<(JobId, bool), Refused> {
    let applied = stand.send(Observation::Queued(Box::new(new))).await?;
    Ok((applied.job.unwrap().id, applied.changed))
}

#[tokio::test]
async fn a_key_is_answered_with_the_same_job_for_24_hours_and_is_a_new_one_after_that() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    assert_eq!(answer(&stand, asked(1, "k", 0)).await, Ok((job_id(1), true)));
    assert_eq!(answer(&stand, asked(2, "k", DAY_MS - 1)).await, Ok((job_id(1), false)));
    let mut other = asked(3, "k", DAY_MS - 1);
    other.key.as_mut().unwrap().request = Uuid::from_u128(8);
    assert_eq!(answer(&stand, other).await, Err(Refused::KeyReused));
    assert_eq!(answer(&stand, asked(4, "k", DAY_MS)).await, Ok((job_id(4), true)));
    // Its day begins with the job that it made last.
    assert_eq!(answer(&stand, asked(5, "k", 2 * DAY_MS - 1)).await, Ok((job_id(4), false)));
    stand.close();
}

#[tokio::test]
async fn keys_past_their_day_are_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    for n in 0..20 {
        answer(&stand, asked(n, &format!("old {n}"), n as i64)).await.unwrap();
    }
    for n in 20..22 {
        answer(&stand, asked(n, &format!("new {n}"), 2 * DAY_MS)).await.unwrap();
    }
    stand.close();
    let db = rusqlite::Connection::open(dir.path().join("tailboard.db")).unwrap();
    let mut query = db.prepare("SELECT key FROM request_keys ORDER BY key").unwrap();
    let kept: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().flatten().collect();
    assert_eq!(kept, ["new 20", "new 21"]);
}
