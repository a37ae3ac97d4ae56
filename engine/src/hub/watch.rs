//! Streams of one job: woken by that job and nothing else.

use super::Shared;
use shared::JobId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};
use tokio::sync::watch;

/// One sender per watched job, shared by all who watch it.
#[derive(Debug, Default)]
pub(super) struct Watched(Mutex<HashMap<JobId, watch::Sender<()>>>);

impl Watched {
    pub fn watch(&self, job: JobId) -> watch::Receiver<()> {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.entry(job).or_insert_with(|| watch::channel(()).0).subscribe()
    }

    pub fn tell(&self, changed: &[JobId]) {
        let jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.is_empty() {
            return;
        }
        for sender in changed.iter().filter_map(|job| jobs.get(job)) {
            sender.send_replace(());
        }
    }

    /// One watcher less; the last takes the sender with it.
    fn leave(&self, job: JobId, watcher: watch::Receiver<()>) {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(watcher);
        if jobs.get(&job).is_some_and(|sender| sender.receiver_count() == 0) {
            jobs.remove(&job);
        }
    }
}

/// Wakes for one job.
#[derive(Debug)]
pub struct JobWatch {
    shared: Arc<Shared>,
    job: JobId,
    /// Some until it is dropped.
    changes: Option<watch::Receiver<()>>,
}

impl JobWatch {
    pub(super) fn new(shared: Arc<Shared>, job: JobId) -> Self {
        shared.open.fetch_add(1, Ordering::Relaxed);
        let changes = Some(shared.watched.watch(job));
        Self { shared, job, changes }
    }

    /// Resolves when something of the job was committed since this was made or last resolved.
    /// Safe to drop half-way.
    pub async fn changed(&mut self) {
        let Some(changes) = &mut self.changes else { return };
        if changes.changed().await.is_err() {
            // The sender lives as long as this watch; were it gone, nothing would change any more.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for JobWatch {
    fn drop(&mut self) {
        if let Some(changes) = self.changes.take() {
            self.shared.watched.leave(self.job, changes);
        }
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
    }
}
