//! Waiting on a descriptor of the kernel's (inotify, pidfd) in a task.

use std::{io, os::fd::OwnedFd};
use tokio::io::{Interest, unix::AsyncFd};

/// Registers the descriptor to be waited on.
///
/// # Errors
/// When the runtime cannot watch it.
pub fn readable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor stays open and the same for as long as it is registered: an `OwnedFd`
    // is closed only when it is dropped, and nothing takes it out before that.
    let registered = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    registered.map_err(|error| error.into_parts().1)
}
