//! What is deleted by itself: jobs that are over, by age, number and the size of their logs.
//!
//! At most 200 jobs a second: their events must not wash out what a stream may still resume over.

use crate::{
    Observation, Retention,
    board::Board,
    runner::{blocking, pause},
    store::{Store, StoreError},
};
use shared::{ConnectionId, JobId, Timestamp};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(60);
/// Jobs deleted at a time, and the pause after that.
const BATCH: usize = 20;
const BREATH: Duration = Duration::from_millis(100);

/// Looks every minute, until it is `ending`. `kept` is asked each time; `removed`
/// is told of each job whose rows are gone.
pub async fn keep(
    board: Board,
    store: Store,
    kept: impl Fn() -> Retention,
    removed: impl Fn(JobId),
    ending: CancellationToken,
) {
    while pause(PAUSE, &ending).await {
        match sweep((&board, &store), kept(), Timestamp::now(), &removed, &ending).await {
            Ok(Some(0)) => {}
            Ok(Some(count)) => tracing::info!(count, "jobs past their retention were deleted"),
            Ok(None) => return,
            Err(error) => tracing::warn!(%error, "what is past its retention cannot be told"),
        }
    }
}

/// Deletes what is past its time now, and says how much that was. None: the board has ended.
///
/// # Errors
/// When the store cannot be read.
pub async fn sweep(
    (board, store): (&Board, &Store),
    kept: Retention,
    now: Timestamp,
    removed: &impl Fn(JobId),
    ending: &CancellationToken,
) -> Result<Option<usize>, StoreError> {
    let mut count = 0;
    loop {
        let (reader, rules) = (store.clone(), kept.clone());
        let past = blocking(move || reader.past_retention(&rules, now, BATCH)).await?;
        if past.is_empty() {
            return Ok(Some(count));
        }
        let Some(gone) = delete(board, &past, removed).await else { return Ok(None) };
        if gone == 0 {
            // Somebody else deletes them.
            return Ok(Some(count));
        }
        count += gone;
        if !pause(BREATH, ending).await {
            return Ok(Some(count));
        }
    }
}

async fn delete(
    board: &Board,
    past: &[(JobId, ConnectionId)],
    removed: &impl Fn(JobId),
) -> Option<usize> {
    let mut acks = Vec::with_capacity(past.len());
    for (job, connection) in past {
        let deleted = Observation::Deleted { job: *job, connection: *connection };
        acks.push((*job, board.send(deleted).await.ok()?));
    }
    let mut gone = 0;
    for (job, ack) in acks {
        if ack.await.is_ok() {
            removed(job);
            gone += 1;
        }
    }
    Some(gone)
}
