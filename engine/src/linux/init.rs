//! Being process 1, as in a container without an init: whatever loses its parent becomes a child of
//! this process, and nothing outlives it.

use super::process::{self, Signals};
use rustix::{
    event::{PollFd, PollFlags, Timespec},
    io::Errno,
    process::{Pid, Signal, WaitOptions, WaitStatus},
};
use std::{
    io,
    os::unix::process::CommandExt,
    process::Command,
    time::{Duration, Instant},
};

/// From TERM to the end. Container engines kill after ten seconds.
const END_TIME: Duration = Duration::from_secs(8);

/// Runs `server` as a child until it ends, reaps every other process that comes to this one, passes
/// TERM, INT and HUP on, and ends what is left: first TERM to each orphan, an executor writes down
/// then that its run is lost; then KILL. The result is the exit status of the server, as a shell says
/// it.
///
/// Only for a process 1 with one thread that has started no other process.
///
/// # Errors
/// When signals cannot be read or the server cannot be started.
pub fn run(server: &mut Command) -> io::Result<u8> {
    let signals = process::read_signals()?;
    // SAFETY: one system call, on a set that is initialised: no allocation, no lock.
    unsafe {
        server.pre_exec(|| {
            process::unblock_signals();
            Ok(())
        });
    }
    let child = server.spawn()?;
    let server = Pid::from_child(&child);
    let (mut status, mut asked) = (None, None);
    while status.is_none() {
        wait(&signals, None)?;
        while let Some(signal) = signals.next() {
            let Some(passed) = passed_on(signal) else { continue };
            if passed == Signal::TERM {
                asked.get_or_insert_with(Instant::now);
            }
            // It is not reaped before it is asked for below, so the number is still its own.
            let _ = rustix::process::kill_process(server, passed);
        }
        reap(server, &mut status);
    }
    end(&signals, asked.unwrap_or_else(Instant::now) + END_TIME)?;
    Ok(status.unwrap_or(1))
}

/// Ends all that is left.
fn end(signals: &Signals, until: Instant) -> io::Result<()> {
    // What orphans leave behind becomes an orphan too: each gets one TERM.
    let mut told = Vec::new();
    while reap(Pid::INIT, &mut None) {
        let now = Instant::now();
        if now >= until {
            kill_all();
        }
        for pid in orphans()?.into_iter().filter_map(Pid::from_raw) {
            if !told.contains(&pid) {
                told.push(pid);
                let _ = rustix::process::kill_process(pid, Signal::TERM);
            }
        }
        wait(signals, Some(until.saturating_duration_since(now).max(Duration::from_millis(50))))?;
        while signals.next().is_some() {}
    }
    Ok(())
}

fn kill_all() {
    // SAFETY: a plain system call; from process 1, -1 is every other process of its namespace.
    unsafe { libc::kill(-1, libc::SIGKILL) };
}

fn orphans() -> io::Result<Vec<i32>> {
    let own = |pid: &i32| process::stat(*pid).is_some_and(|stat| stat.parent == 1);
    Ok(process::pids()?.into_iter().filter(own).collect())
}

/// Reaps all that has ended. False: there is no child any more.
fn reap(server: Pid, status: &mut Option<u8>) -> bool {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((pid, ended))) => {
                if pid == server {
                    *status = Some(as_shell(ended));
                }
            }
            Ok(None) => return true,
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

fn as_shell(ended: WaitStatus) -> u8 {
    let code = ended.exit_status().or_else(|| Some(128 + ended.terminating_signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

fn passed_on(signal: i32) -> Option<Signal> {
    match signal {
        libc::SIGTERM => Some(Signal::TERM),
        libc::SIGINT => Some(Signal::INT),
        libc::SIGHUP => Some(Signal::HUP),
        libc::SIGQUIT => Some(Signal::QUIT),
        _ => None,
    }
}

/// Until a signal came, or the time is over.
fn wait(signals: &Signals, time: Option<Duration>) -> io::Result<()> {
    let time = time.and_then(|time| Timespec::try_from(time).ok());
    match rustix::event::poll(&mut [PollFd::new(signals, PollFlags::IN)], time.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
