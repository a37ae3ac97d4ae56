//! The file `lock` of a job: held means that an executor of it lives, and the file says which one.
//!
//! The lock is a flock, so it goes with the last descriptor of the process that took it, however
//! that process dies. It needs a local file system.

use crate::linux;
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::{fd::OwnedFd, unix::fs::MetadataExt, unix::fs::OpenOptionsExt},
    path::Path,
    thread,
    time::{Duration, Instant},
};

const NAME: &str = "lock";
const VERSION: u32 = 1;
/// How often a lock that is about to be free, or about to be signed, is looked at again.
const PAUSE: Duration = Duration::from_millis(2);
/// How long a holder may take to write who it is.
const SIGNATURE_TIME: Duration = Duration::from_secs(2);

/// The process that holds the lock of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    version: u32,
    pub pid: i32,
    /// Clock ticks since boot; with `pid` it names one process.
    pub start_time: u64,
    pub attempt: u32,
}

/// Whether an executor of a job lives.
#[derive(Debug)]
pub enum State {
    Held(Holder),
    /// Nobody did; now the caller does, until the guard is dropped. An executor that starts
    /// meanwhile waits two seconds for it.
    Free(Guard),
}

/// The lock, held by this process.
#[derive(Debug)]
pub struct Guard(File);

/// Takes the lock, or says who has it.
///
/// An error `WouldBlock`: somebody holds it and does not say who it is.
pub fn take(dir: &Path) -> io::Result<State> {
    let file = open(dir)?;
    let since = Instant::now();
    loop {
        if try_lock(&file)? {
            return Ok(State::Free(Guard(file)));
        }
        match holder(dir)? {
            Some(holder) => return Ok(State::Held(holder)),
            None if since.elapsed() > SIGNATURE_TIME => {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            // Held, but not signed yet, or signed by one that is gone.
            None => thread::sleep(PAUSE),
        }
    }
}

/// Waits until the lock is free, at most `within`. None: it was held all the time.
pub fn wait(dir: &Path, within: Duration) -> io::Result<Option<Guard>> {
    let file = open(dir)?;
    let since = Instant::now();
    while !try_lock(&file)? {
        if since.elapsed() > within {
            return Ok(None);
        }
        thread::sleep(PAUSE);
    }
    Ok(Some(Guard(file)))
}

impl Holder {
    /// A handle of the holder, to wait for or to signal: opened first, and the lock seen held by
    /// the same process after that. None: it is gone.
    pub fn pidfd(&self, dir: &Path) -> io::Result<Option<OwnedFd>> {
        let Some(fd) = linux::pidfd(self.pid)? else { return Ok(None) };
        Ok((holder(dir)? == Some(*self) && !try_lock(&open(dir)?)?).then_some(fd))
    }
}

impl Guard {
    /// Writes into the file that this process, running `attempt`, is the holder.
    pub(super) fn sign(&self, attempt: u32) -> io::Result<()> {
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        let start_time = linux::stat(pid).ok_or(io::ErrorKind::NotFound)?.start_time;
        let holder = Holder { version: VERSION, pid, start_time, attempt };
        self.0.set_len(0)?;
        (&self.0).write_all(&serde_json::to_vec(&holder)?)
    }

    /// Whether the file still has a name: its directory was not deleted.
    pub(super) fn is_linked(&self) -> bool {
        self.0.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
    }
}

fn open(dir: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).open(dir.join(NAME))
}

fn try_lock(file: &File) -> io::Result<bool> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Who signed the lock, if that process still is.
fn holder(dir: &Path) -> io::Result<Option<Holder>> {
    let text = fs::read(dir.join(NAME))?;
    let Ok(holder) = serde_json::from_slice::<Holder>(&text) else { return Ok(None) };
    let lives = linux::stat(holder.pid).is_some_and(|s| s.start_time == holder.start_time);
    Ok((holder.version == VERSION && lives).then_some(holder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_of_version_1_stays_readable() {
        let sample = r#"{"version":1,"pid":42,"start_time":123456,"attempt":3}"#;
        let holder = Holder { version: 1, pid: 42, start_time: 123_456, attempt: 3 };
        assert_eq!(serde_json::from_str::<Holder>(sample).unwrap(), holder);
        assert_eq!(serde_json::to_string(&holder).unwrap(), sample);
    }

    #[test]
    fn a_lock_signed_by_a_process_that_is_gone_has_no_holder() {
        let dir = tempfile::tempdir().unwrap();
        let State::Free(guard) = take(dir.path()).unwrap() else { panic!("nobody has it") };
        guard.sign(1).unwrap();
        assert_eq!(holder(dir.path()).unwrap().map(|holder| holder.attempt), Some(1));
        let gone = Holder { start_time: 1, ..holder(dir.path()).unwrap().unwrap() };
        fs::write(dir.path().join(NAME), serde_json::to_vec(&gone).unwrap()).unwrap();
        assert_eq!(holder(dir.path()).unwrap(), None);
    }
}
