//! Ending what a lost executor left behind: every process that carries the run's marker.
//!
//! It is found by its environment, so grandchildren that left the group are found too, and a number
//! that belongs to somebody else by now never is. What wiped its environment escapes.

use super::environment::{MARKER, Marker};
use crate::linux;
use rustix::{
    event::{PollFd, PollFlags, Timespec},
    fd::OwnedFd,
    process::Signal,
};
use std::{
    io,
    time::{Duration, Instant},
};

/// Time between TERM and KILL.
const TERM_TIME: Duration = Duration::from_secs(2);
/// How long what was killed may take to be gone.
const KILL_TIME: Duration = Duration::from_secs(10);

/// What a sweep did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Swept {
    /// Processes that were ended.
    pub ended: usize,
    /// Those that would not die.
    pub alive: Vec<i32>,
}

/// Ends every process of this attempt: TERM, at most 2 s, KILL. Blocks until they are gone.
pub fn sweep(marker: &Marker) -> io::Result<Swept> {
    let marker = marker.to_string();
    let mut swept = Swept::default();
    let since = Instant::now();
    loop {
        // Again until none is found: one may have been forking, or was just being started.
        let found = find(marker.as_bytes())?;
        if found.is_empty() {
            return Ok(swept);
        }
        if since.elapsed() > TERM_TIME + KILL_TIME {
            swept.alive = found.into_iter().map(|(pid, _)| pid).collect();
            return Ok(swept);
        }
        swept.ended += found.len();
        let left = end(found, Signal::TERM, TERM_TIME)?;
        let alive = end(left, Signal::KILL, KILL_TIME)?;
        swept.ended -= alive.len();
    }
}

/// Every process of any run of this installation, with the run it belongs to.
pub fn running(install: &str) -> io::Result<Vec<(i32, Marker)>> {
    let found = linux::pids()?.into_iter().filter_map(|pid| {
        let value = String::from_utf8(linux::variable_of(pid, MARKER)?).ok()?;
        let marker = value.parse::<Marker>().ok()?;
        (marker.install == install && is_running(pid)).then_some((pid, marker))
    });
    Ok(found.collect())
}

fn find(marker: &[u8]) -> io::Result<Vec<(i32, OwnedFd)>> {
    let carries = |pid| linux::variable_of(pid, MARKER).is_some_and(|value| value == marker);
    let mut found = Vec::new();
    for pid in linux::pids()?.into_iter().filter(|&pid| carries(pid)) {
        // Looked at again through the handle: the number may have changed hands.
        if let Some(fd) = linux::pidfd(pid)?
            && carries(pid)
            && is_running(pid)
        {
            found.push((pid, fd));
        }
    }
    Ok(found)
}

fn is_running(pid: i32) -> bool {
    linux::stat(pid).is_some_and(|stat| !stat.is_zombie)
}

/// Signals them all and waits; gives back those that are still there.
fn end(
    processes: Vec<(i32, OwnedFd)>,
    signal: Signal,
    within: Duration,
) -> io::Result<Vec<(i32, OwnedFd)>> {
    for (_, fd) in &processes {
        linux::signal(fd, signal)?;
    }
    let until = Instant::now() + within;
    let mut left = processes;
    while !left.is_empty() {
        let time = until.saturating_duration_since(Instant::now());
        let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() };
        let mut fds: Vec<_> = left.iter().map(|(_, fd)| PollFd::new(fd, PollFlags::IN)).collect();
        if rustix::io::retry_on_intr(|| rustix::event::poll(&mut fds, Some(&time)))? == 0 {
            break;
        }
        // A pidfd is readable when its process is gone.
        let gone: Vec<_> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let mut gone = gone.into_iter();
        left.retain(|_| !gone.next().unwrap_or(false));
    }
    Ok(left)
}
