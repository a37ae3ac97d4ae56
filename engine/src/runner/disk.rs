//! Whether there is room for new runs.

use shared::bytes;
use std::{path::PathBuf, time::Duration};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Time from one look to the next.
const PAUSE: Duration = Duration::from_secs(2);

/// What is known of the disk of the data directory.
#[derive(Debug)]
pub struct Disk {
    low: watch::Sender<Option<String>>,
}

impl Disk {
    /// As it is now.
    pub fn new(dir: &PathBuf, min_free: u64) -> Self {
        Self { low: watch::Sender::new(look(dir, min_free)) }
    }

    /// Some says why no new run starts.
    pub fn low(&self) -> Option<String> {
        self.low.borrow().clone()
    }

    pub fn watch(&self) -> watch::Receiver<Option<String>> {
        self.low.subscribe()
    }

    /// Looks again and again; `min_free` is asked each time.
    pub async fn keep_looking(
        &self,
        dir: PathBuf,
        min_free: impl Fn() -> u64,
        ending: CancellationToken,
    ) {
        while super::pause(PAUSE, &ending).await {
            let (place, least) = (dir.clone(), min_free());
            let found = super::blocking(move || look(&place, least)).await;
            self.low.send_if_modified(|low| {
                let changed = low.is_some() != found.is_some();
                match &found {
                    Some(why) if changed => tracing::error!("{why}"),
                    None if changed => tracing::info!("there is room on the disk again"),
                    _ => {}
                }
                *low = found;
                changed
            });
        }
    }
}

/// A disk that cannot be looked at is not taken for a full one.
fn look(dir: &PathBuf, min_free: u64) -> Option<String> {
    let free = rustix::fs::statvfs(dir).ok()?;
    let free = free.f_bavail.saturating_mul(free.f_frsize);
    (free < min_free).then(|| {
        format!(
            "disk low: {} are free where the board keeps its data, {} have to stay free (min_free_disk); no new run starts",
            bytes(free),
            bytes(min_free)
        )
    })
}
