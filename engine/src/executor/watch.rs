//! All that an executor waits for, in one poll loop: output of steps, signals, time.

use super::{
    cancel::{self, Asked},
    lock::Guard,
    mask::Secrets,
    output::Output,
    plan::Plan,
    redact::Patterns,
};
use crate::{
    linux::Signals,
    logs::{index::Origin, writer::Writer},
    observation::Exit,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec},
    fd::OwnedFd,
    io::Errno,
    process::WaitOptions,
};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// How often it is looked whether the disk has room and the directory is still there.
const TICK: Duration = Duration::from_secs(1);
/// Bytes after which it is looked at the disk sooner.
const TICK_BYTES: u64 = 8 << 20;

/// Why an attempt is to end before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It was cancelled.
    Asked,
    /// By a signal that is not ours.
    Signal(i32),
    /// The job's directory was deleted: nobody wants to know any more.
    Deleted,
}

pub struct Watch {
    pub dir: PathBuf,
    /// Held as long as this process lives.
    guard: Guard,
    signals: Signals,
    pub output: Output,
    min_free_disk: u64,
    next_tick: Instant,
    bytes_at_tick: u64,
    /// The first reason to stop that was seen.
    pub stop: Option<Stop>,
    /// It was said twice: no grace, no cleanup.
    pub is_forced: bool,
    /// The process of the step that runs, and how it ended once it has.
    child: Option<(i32, Option<Exit>)>,
}

impl Watch {
    pub fn new(dir: PathBuf, guard: Guard, signals: Signals, mut log: Writer, plan: &Plan) -> Self {
        log.set_limit(plan.max_log_bytes);
        let (secrets, patterns) = (Secrets::of(&plan.secrets), Patterns::of(&plan.redact));
        let mut watch = Self {
            output: Output::new(dir.clone(), log, secrets, patterns),
            dir,
            guard,
            signals,
            min_free_disk: plan.min_free_disk,
            next_tick: Instant::now(),
            bytes_at_tick: 0,
            stop: None,
            is_forced: false,
            child: None,
        };
        watch.tick();
        // A cancel may have come before the plan.
        watch.look_for_cancel();
        watch
    }

    /// From here on `pid` is the process of the step that runs; `pipes` are its output.
    pub fn follow(&mut self, pid: i32, pipes: [(Origin, OwnedFd); 2]) {
        self.child = Some((pid, None));
        self.output.add(pipes);
    }

    /// How the step's process ended; none while it runs.
    pub fn exit(&self) -> Option<Exit> {
        self.child.and_then(|(_, exit)| exit)
    }

    /// Waits until something happens or `until` has come, and deals with it.
    pub fn turn(&mut self, until: Instant) -> rustix::io::Result<()> {
        let until = until.min(self.next_tick);
        let until = self.output.due().map_or(until, |due| due.min(until));
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        let mut fds = Vec::with_capacity(1 + self.output.pipes().len());
        fds.push(PollFd::new(&self.signals, PollFlags::IN));
        fds.extend(self.output.pipes().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        match rustix::event::poll(&mut fds, Some(&left)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        let has_signal = !fds[0].revents().is_empty();
        let ready: Vec<_> = fds[1..].iter().map(|fd| !fd.revents().is_empty()).collect();
        self.output.read(&ready);
        if has_signal {
            self.take_signals();
        }
        let now = Instant::now();
        self.output.show(now);
        if now >= self.next_tick || self.output.bytes_read - self.bytes_at_tick >= TICK_BYTES {
            self.tick();
        }
        Ok(())
    }

    /// Reaps what has ended. False: there is no child left, so no descendant either, for this process
    /// is the parent of all that are left behind.
    pub fn reap(&mut self) -> bool {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    let ended = pid.as_raw_nonzero().get();
                    if let Some((child, exit)) = &mut self.child
                        && *child == ended
                        && exit.is_none()
                    {
                        let (code, signal) = (status.exit_status(), status.terminating_signal());
                        *exit = Some(Exit { code, signal });
                    }
                }
                Ok(None) => return true,
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    fn take_signals(&mut self) {
        while let Some(signal) = self.signals.next() {
            match signal {
                libc::SIGCHLD => {
                    self.reap();
                }
                libc::SIGUSR1 => {
                    self.look_for_cancel();
                }
                // With the request in place it does not matter which signal said so.
                signal => {
                    if !self.look_for_cancel() {
                        self.is_forced |= self.stop.is_some();
                        self.stop.get_or_insert(Stop::Signal(signal));
                    }
                }
            }
        }
    }

    fn look_for_cancel(&mut self) -> bool {
        let asked = cancel::asked(&self.dir);
        if asked != Asked::No {
            self.stop.get_or_insert(Stop::Asked);
            self.is_forced |= asked == Asked::Force;
        }
        asked != Asked::No
    }

    fn tick(&mut self) {
        self.next_tick = Instant::now() + TICK;
        self.bytes_at_tick = self.output.bytes_read;
        if !self.guard.is_linked() {
            self.stop = Some(Stop::Deleted);
            self.is_forced = true;
        }
        let free = rustix::fs::statvfs(&self.dir).map(|disk| disk.f_bavail * disk.f_frsize);
        // A disk that does not say how much is free is written to until a write fails.
        self.output.log.set_room(free.map_or(true, |free| free >= self.min_free_disk));
    }
}
