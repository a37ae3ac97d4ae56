//! The scheduler's loop: sleeps until something is due.

use super::{
    context::{Context, blocking},
    pause,
    scheduler::{Scheduler, SchedulerError},
};
use crate::{Settings, board::Refused};
use shared::{Job, Timestamp};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The wall clock may be set, or the machine may sleep: it is looked at this often.
const CLOCK: Duration = Duration::from_secs(10);
/// Pause after an error, which is the store's: the board's line says so to everybody.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs until the runner ends.
pub async fn keep(
    context: Arc<Context>,
    mut settings: watch::Receiver<Arc<Settings>>,
    enqueue: impl Fn(&Job),
    ending: CancellationToken,
) {
    let mut scheduler = loop {
        let (parts, connection) =
            ((context.board.clone(), context.store.clone()), context.connection);
        let pipelines = settings.borrow_and_update().pipelines.clone();
        let now = Timestamp::now();
        match blocking(move || Scheduler::new(parts, connection, &pipelines, now)).await {
            Ok(scheduler) => break scheduler,
            Err(error) => tracing::error!(%error, "the schedules cannot be read; trying again"),
        }
        if !pause(PAUSE, &ending).await {
            return;
        }
    };
    while !ending.is_cancelled() {
        match scheduler.tick(Timestamp::now()).await {
            Ok(jobs) => jobs.iter().for_each(&enqueue),
            Err(SchedulerError::Board(Refused::Closed)) => return,
            Err(error) => {
                tracing::error!(%error, "what is due could not be queued; trying again");
                pause(PAUSE, &ending).await;
            }
        }
        let wait = scheduler.next().map_or(CLOCK, |at| {
            let wait = u64::try_from(at.0 - Timestamp::now().0).unwrap_or(0);
            Duration::from_millis(wait).min(CLOCK)
        });
        tokio::select! {
            _ = pause(wait, &ending) => {}
            changed = settings.changed() => {
                if changed.is_err() {
                    return;
                }
                let pipelines = settings.borrow_and_update().pipelines.clone();
                scheduler.replace(&pipelines, Timestamp::now());
            }
        }
    }
}
