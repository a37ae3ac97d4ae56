//! Wake-ups for job directories whose files changed: one inotify instance for all runs.
//!
//! A noisy run changes its log thousands of times a second. Events are therefore read in batches
//! with a pause between them, and a wake-up says only "look again": who is woken reads the files.

use super::readable;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use std::{
    collections::HashMap,
    io,
    mem::MaybeUninit,
    os::fd::OwnedFd,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{io::unix::AsyncFd, sync::Notify};

/// Pause between two batches of events: at most 200 wake-ups a second and run, and a delay that is
/// a twentieth of what a freed slot may take to start the next run (100 ms).
const PAUSE: Duration = Duration::from_millis(5);

/// All watched directories.
pub struct Directories {
    fd: AsyncFd<OwnedFd>,
    wakers: Mutex<HashMap<i32, Arc<Notify>>>,
}

/// One watched directory; dropping it ends the watch.
pub struct Watched {
    directories: Arc<Directories>,
    wd: i32,
    changed: Arc<Notify>,
}

impl Directories {
    /// # Errors
    /// When the kernel has no inotify instance to give (`fs.inotify.max_user_instances`).
    pub fn new() -> io::Result<Arc<Self>> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Arc::new(Self { fd: readable(fd)?, wakers: Mutex::default() }))
    }

    /// Watches the files in `dir`. Whoever calls this has to look at them once afterwards: what
    /// changed before is not told.
    ///
    /// # Errors
    /// When the directory is not there, or the kernel's limit of watches is reached.
    pub fn watch(self: &Arc<Self>, dir: &Path) -> io::Result<Watched> {
        let interest = WatchFlags::MODIFY | WatchFlags::MOVED_TO | WatchFlags::CREATE;
        // The lock is held over the call: an event for the new watch must find its waker.
        let mut wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        let wd = inotify::add_watch(self.fd.get_ref(), dir, interest)?;
        let changed = wakers.entry(wd).or_default().clone();
        Ok(Watched { directories: self.clone(), wd, changed })
    }

    /// Passes events on until the task is dropped.
    pub async fn pass_on(self: Arc<Self>) {
        let mut buffer = vec![MaybeUninit::uninit(); 64 * 1024];
        loop {
            let Ok(mut ready) = self.fd.readable().await else { return };
            let mut events = inotify::Reader::new(self.fd.get_ref(), &mut buffer);
            let mut last = None;
            loop {
                match events.next() {
                    // A watch number of -1: the kernel's queue ran over, so anything may have changed.
                    Ok(event) if event.wd() == -1 => {
                        self.wakers().values().for_each(|waker| waker.notify_one());
                    }
                    Ok(event) if last != Some(event.wd()) => {
                        last = Some(event.wd());
                        if let Some(waker) = self.wakers().get(&event.wd()) {
                            waker.notify_one();
                        }
                    }
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(rustix::io::Errno::AGAIN) => break,
                    Err(error) => {
                        tracing::error!(%error, "cannot read directory changes: runs are looked at once a second only");
                        return;
                    }
                }
            }
            ready.clear_ready();
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn wakers(&self) -> std::sync::MutexGuard<'_, HashMap<i32, Arc<Notify>>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    /// Resolves when a file in the directory changed since the last call.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.directories.wakers().remove(&self.wd);
        // Fails only when the directory is gone, and the watch with it.
        let _ = inotify::remove_watch(self.directories.fd.get_ref(), self.wd);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_written_file_wakes_the_watcher_of_its_directory_only() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let directories = Directories::new().unwrap();
        let task = tokio::spawn(directories.clone().pass_on());
        let (first, second) =
            (directories.watch(one.path()).unwrap(), directories.watch(other.path()).unwrap());
        std::fs::write(one.path().join("log"), "line\n").unwrap();
        first.changed().await;
        std::fs::write(other.path().join("log"), "line\n").unwrap();
        second.changed().await;
        drop(first);
        assert_eq!(directories.wakers().len(), 1);
        task.abort();
    }
}
