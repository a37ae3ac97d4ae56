//! Directories of deleted jobs. The store notes them with the deletion, so that one which a server did
//! not get to is removed by the next.

use super::context::{Context, blocking};
use crate::Observation;
use shared::JobId;
use std::{io, sync::Arc};
use tokio_util::sync::CancellationToken;

/// Removes what servers before this one left.
pub async fn tidy(context: Arc<Context>, ending: CancellationToken) {
    loop {
        let store = context.store.clone();
        let found = match blocking(move || store.garbage()).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "deleted jobs cannot be tidied up; the next start does it");
                return;
            }
        };
        let mut removed = 0;
        for job in &found {
            if ending.is_cancelled() {
                return;
            }
            removed += usize::from(remove(context.clone(), *job).await);
        }
        if removed == 0 {
            return;
        }
    }
}

/// Removes one directory; false: it is still there.
pub async fn remove(context: Arc<Context>, job: JobId) -> bool {
    let dir = context.job_dir(job);
    let removed = blocking(move || match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    });
    if let Err(error) = removed.await {
        tracing::warn!(%job, %error, "the directory of a deleted job cannot be removed");
        return false;
    }
    context.tell(Observation::DirectoryRemoved { job }).await.is_ok()
}
