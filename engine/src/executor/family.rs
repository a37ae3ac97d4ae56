//! Ending what steps started: the executor is the parent of all that is left behind, so its
//! descendants are all of it, in whatever session, group or environment.

use super::watch::Watch;
use crate::linux;
use rustix::process::{Pid, Signal};
use std::{
    collections::HashSet,
    io,
    time::{Duration, Instant},
};

/// How long what was killed may take to be gone.
const KILL_TIME: Duration = Duration::from_secs(10);
/// How often new ones are looked for meanwhile.
const KILL_EVERY: Duration = Duration::from_millis(20);

/// Ends all descendants: TERM, up to `grace`, KILL. `leader` is the process group of a step whose own
/// process was not reaped yet. Gives back those that would not die, with their names.
pub fn end(watch: &mut Watch, leader: Option<i32>, grace: Duration) -> io::Result<Vec<String>> {
    if !watch.reap() {
        return Ok(Vec::new());
    }
    let until = Instant::now() + grace;
    if !watch.is_forced {
        // The group at once, so that no member is missed that is just being forked; each only once,
        // for a program may take a second TERM for impatience.
        let leader = leader.filter(|_| watch.exit().is_none());
        if let Some(group) = leader.and_then(Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, Signal::TERM);
        }
        send(Signal::TERM, |stat| Some(stat.group) != leader)?;
        while watch.reap() && !watch.is_forced && Instant::now() < until {
            watch.turn(until)?;
        }
    }
    let until = Instant::now() + KILL_TIME;
    while watch.reap() {
        if Instant::now() >= until {
            return Ok(descendants()?.into_iter().map(|(pid, _)| linux::described(pid)).collect());
        }
        send(Signal::KILL, |_| true)?;
        watch.turn(Instant::now() + KILL_EVERY)?;
    }
    Ok(Vec::new())
}

/// Signals the descendants that `picks` picks.
fn send(signal: Signal, picks: impl Fn(&linux::Stat) -> bool) -> io::Result<()> {
    for (pid, seen) in descendants()? {
        if picks(&seen)
            && let Some(fd) = linux::pidfd(pid)?
            // Still the one that was seen.
            && linux::stat(pid).is_some_and(|now| now.start_time == seen.start_time)
        {
            linux::signal(&fd, signal)?;
        }
    }
    Ok(())
}

/// Every process that came from this one and is not a zombie.
fn descendants() -> io::Result<Vec<(i32, linux::Stat)>> {
    let all: Vec<_> =
        linux::pids()?.into_iter().filter_map(|pid| Some((pid, linux::stat(pid)?))).collect();
    let mut family = HashSet::from([rustix::process::getpid().as_raw_nonzero().get()]);
    // Pids wrap around, so a child may come before its parent: until nothing is added.
    loop {
        let before = family.len();
        family.extend(
            all.iter()
                .filter(|(_, s)| family.contains(&s.parent))
                .map(|(pid, _)| *pid)
                .collect::<Vec<_>>(),
        );
        if family.len() == before {
            break;
        }
    }
    family.remove(&rustix::process::getpid().as_raw_nonzero().get());
    Ok(all.into_iter().filter(|(pid, stat)| family.contains(pid) && !stat.is_zombie).collect())
}
