//! Starting an executor: spawn, wait for `ready`, send the plan.
//!
//! Three steps of their own, because the runner may learn of a cancel between them. An executor
//! that does not get its whole plan ends and has done nothing.

use super::plan::{Plan, PlanError};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::{
    io::{self, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// How long an executor may take to say `ready`.
pub const READY_TIME: Duration = Duration::from_secs(5);
/// What the executor says when it holds the lock.
pub(super) const READY: &str = "ready";

#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    #[error("no process could be started: {0}")]
    Spawn(io::Error),
    #[error("the new process did not get ready within {} s", READY_TIME.as_secs())]
    Late,
    #[error("the new process could not begin: {0}")]
    Refused(String),
    #[error("the plan could not be sent: {0}")]
    Plan(#[from] PlanError),
}

/// An executor that was started and has not said `ready` yet. Dropped: it ends by itself.
pub struct Starting {
    child: Child,
    plan: ChildStdin,
    says: ChildStdout,
}

/// An executor that holds the job's lock and waits for its plan. Dropped: it ends by itself.
pub struct Ready {
    child: Child,
    plan: ChildStdin,
}

/// Starts the executor of attempt `attempt` of the job whose directory is `dir`. `exe` is
/// `/proc/self/exe`, which is this very binary even where its file was replaced.
///
/// Its environment is empty and nothing runs between fork and exec, so that it is spawned without a
/// copy of a big server.
pub fn spawn(exe: &Path, dir: &Path, attempt: u32) -> Result<Starting, LaunchError> {
    let mut command = Command::new(exe);
    command.arg0("tailboard").arg("executor").arg(dir).arg(attempt.to_string()).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(LaunchError::Spawn)?;
    match (child.stdin.take(), child.stdout.take()) {
        (Some(plan), Some(says)) => Ok(Starting { child, plan, says }),
        _ => Err(LaunchError::Spawn(io::ErrorKind::BrokenPipe.into())),
    }
}

impl Starting {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for `ready`, at most `within`; blocks. On an error the process is gone and reaped.
    pub fn ready(mut self, within: Duration) -> Result<Ready, LaunchError> {
        match hear(&mut self.says, within) {
            Ok(Some(line)) if line == READY => Ok(Ready { child: self.child, plan: self.plan }),
            heard => {
                end(self.child);
                Err(match heard {
                    Ok(Some(line)) if !line.is_empty() => LaunchError::Refused(line),
                    Ok(Some(_)) => LaunchError::Refused("it ended without a word".into()),
                    Ok(None) => LaunchError::Late,
                    Err(error) => LaunchError::Refused(error.to_string()),
                })
            }
        }
    }
}

impl Ready {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends the plan. The child is given back only to be reaped: what becomes of the run is told by
    /// its journal. On an error the process is gone and reaped, and nothing was run.
    pub fn send(mut self, plan: &Plan) -> Result<Child, LaunchError> {
        match plan.write(&mut self.plan) {
            Ok(()) => Ok(self.child),
            Err(error) => {
                end(self.child);
                Err(error.into())
            }
        }
    }
}

fn end(mut child: Child) {
    // Both fail only for a process that is reaped already.
    let _ = child.kill();
    let _ = child.wait();
}

/// One line, without its end. None: it did not come in time.
fn hear(from: &mut ChildStdout, within: Duration) -> io::Result<Option<String>> {
    let until = Instant::now() + within;
    let mut line = Vec::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        let mut fds = [PollFd::new(&*from, PollFlags::IN)];
        if rustix::io::retry_on_intr(|| rustix::event::poll(&mut fds, Some(&left)))? == 0 {
            return Ok(None);
        }
        let mut piece = [0; 512];
        let n = from.read(&mut piece)?;
        line.extend_from_slice(&piece[..n]);
        if n == 0 || line.last() == Some(&b'\n') || line.len() > 4096 {
            return Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()));
        }
    }
}
