//! How far the log of each job that is not over has grown: what readers of it wait on.

use shared::{JobId, log::LogInfo};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// Sizes of growing logs. A reader that looks at one gets the newest value only, however often it
/// changed in between.
#[derive(Clone, Default)]
pub struct LiveLogs {
    logs: Arc<Mutex<HashMap<JobId, watch::Sender<LogInfo>>>>,
}

impl LiveLogs {
    /// Waits on the log of a job that may still grow. The caller looks at the job's row after this:
    /// if it is over, nobody may be left to say so, and [`LiveLogs::close`] does.
    pub fn watch(&self, job: JobId) -> watch::Receiver<LogInfo> {
        self.logs().entry(job).or_default().subscribe()
    }

    /// The log has this size now.
    pub fn set(&self, job: JobId, info: LogInfo) {
        self.logs().entry(job).or_default().send_if_modified(|known| {
            let changed = *known != info;
            *known = info;
            changed
        });
    }

    /// The last size: nothing more will come.
    pub fn close(&self, job: JobId, info: LogInfo) {
        if let Some(log) = self.logs().remove(&job) {
            log.send_replace(LogInfo { closed: true, ..info });
        }
    }

    /// Forgets logs that nobody reads and that were made known by a reader only.
    pub fn forget_unread(&self) {
        self.logs()
            .retain(|_, log| log.receiver_count() > 0 || *log.borrow() != LogInfo::default());
    }

    fn logs(&self) -> MutexGuard<'_, HashMap<JobId, watch::Sender<LogInfo>>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reader_sees_the_newest_size_and_then_the_end() {
        let logs = LiveLogs::default();
        let job: JobId = "0193f2c4-7b1e-7c3a-9d20-5f1ab8c2e4d1".parse().unwrap();
        let mut reader = logs.watch(job);
        let size = |lines| LogInfo { lines, bytes: lines * 10, open: 0, closed: false };
        logs.set(job, size(1));
        logs.set(job, size(2));
        reader.changed().await.unwrap();
        assert_eq!(*reader.borrow_and_update(), size(2));
        logs.close(job, size(3));
        reader.changed().await.unwrap();
        assert_eq!(*reader.borrow_and_update(), LogInfo { closed: true, ..size(3) });
        assert!(reader.changed().await.is_err(), "nothing comes after the end");
        logs.forget_unread();
        assert!(logs.logs().is_empty());
    }
}
