//! Asking an executor to end its run: the file `cancel`, then SIGUSR1.
//!
//! The file comes first, so a request that is made while the executor starts, or that is delivered
//! again by the next server, is found whenever it looks. Delivering one twice changes nothing.

use super::lock::Holder;
use crate::linux;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use shared::CancelRequest;
use std::{fs, io, path::Path};

const NAME: &str = "cancel";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Request {
    version: u32,
    /// Skip the grace time and the cleanup steps: it was asked for a second time.
    force: bool,
    #[serde(flatten)]
    request: CancelRequest,
}

/// What a job's directory says about cancelling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    No,
    Cancel,
    /// Without grace and cleanup.
    Force,
}

/// Writes the request where the executor finds it; to be done before the plan is sent, and before
/// [`knock`]. `force`: this is the second request of this job.
pub fn request(dir: &Path, request: &CancelRequest, force: bool) -> io::Result<()> {
    let request = Request { version: VERSION, force, request: request.clone() };
    let new = dir.join("cancel.new");
    fs::write(&new, serde_json::to_vec(&request)?)?;
    fs::rename(new, dir.join(NAME))
}

/// Makes a running executor look. False: it is gone; its journal has the last word.
pub fn knock(dir: &Path, holder: &Holder) -> io::Result<bool> {
    let Some(pidfd) = holder.pidfd(dir)? else { return Ok(false) };
    linux::signal(&pidfd, Signal::USR1)?;
    Ok(true)
}

pub(super) fn asked(dir: &Path) -> Asked {
    let Ok(text) = fs::read(dir.join(NAME)) else { return Asked::No };
    // One that cannot be read was still meant.
    match serde_json::from_slice::<Request>(&text) {
        Ok(request) if request.force => Asked::Force,
        _ => Asked::Cancel,
    }
}
