//! One step: its process, from the first fork to the last byte of its output.

use super::{family, plan::Plan, watch::Watch};
use crate::linux;
use crate::{logs::index::Origin, observation::Exit};
use rustix::fd::OwnedFd;
use shared::{Phase, StepState, log::Stream};
use std::{
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// How long a pipe is waited for that something else holds when the step's own process has ended.
/// It is read on after that, but the step is over.
const PIPE_GRACE: Duration = Duration::from_secs(2);

/// How a step ended.
pub struct Ended {
    pub state: StepState,
    pub exit: Exit,
    pub error: Option<String>,
}

/// When a step has to be over, and what it is told then.
#[derive(Clone, Copy)]
pub struct Deadline {
    pub at: Instant,
    /// The time it had.
    pub after: Duration,
}

/// Runs step `ordinal` of `plan` to its end.
pub fn run(
    watch: &mut Watch,
    plan: &Plan,
    ordinal: u32,
    work: &Path,
    deadline: Option<Deadline>,
) -> io::Result<Ended> {
    let step = &plan.steps[ordinal as usize];
    // A cleanup step runs when all the rest has been stopped; only impatience ends it.
    let must_end = |watch: &Watch| match step.phase {
        Phase::Cleanup => watch.is_forced,
        _ => watch.stop.is_some(),
    };
    let (pid, pipes) = match spawn(plan, ordinal, work) {
        Ok(spawned) => spawned,
        Err(error) => {
            let error = Some(format!("could not be started: {error}"));
            return Ok(Ended { state: StepState::Failed, exit: Exit::default(), error });
        }
    };
    watch.follow(pid, pipes);
    let far = Instant::now() + Duration::from_secs(3600);
    let mut cause = None;
    while watch.exit().is_none() {
        if must_end(watch) {
            cause = Some((StepState::Cancelled, None));
        } else if let Some(deadline) = deadline.filter(|deadline| deadline.at <= Instant::now()) {
            cause = Some((StepState::Failed, Some(timed_out(deadline.after))));
        }
        if cause.is_some() {
            break;
        }
        watch.turn(deadline.map_or(far, |deadline| deadline.at))?;
    }
    if cause.is_some() {
        family::end(watch, Some(pid), plan.grace)?;
    }
    let until = Instant::now() + PIPE_GRACE;
    while watch.output.is_open(ordinal) && !must_end(watch) && Instant::now() < until {
        watch.turn(until)?;
    }
    watch.output.finish(ordinal);
    let exit = watch.exit().unwrap_or_default();
    let (state, error) = cause.unwrap_or_else(|| match exit {
        Exit { code: Some(0), .. } => (StepState::Completed, None),
        Exit { signal: Some(signal), .. } => {
            (StepState::Failed, Some(format!("killed by {}", signal_name(signal))))
        }
        Exit { code, .. } => (StepState::Failed, Some(format!("exit code {}", code.unwrap_or(-1)))),
    });
    Ok(Ended { state, exit, error })
}

fn spawn(plan: &Plan, ordinal: u32, work: &Path) -> io::Result<(i32, [(Origin, OwnedFd); 2])> {
    let step = &plan.steps[ordinal as usize];
    let mut command = match step.shell.split_first() {
        Some((program, arguments)) => {
            let mut command = Command::new(program);
            command.args(arguments);
            command
        }
        None => {
            let mut command = Command::new("/bin/sh");
            command.arg0("sh").arg("-c");
            command
        }
    };
    let cwd = step.cwd.as_deref().unwrap_or(work);
    if !cwd.is_dir() {
        let what = format!("{} is no directory (cwd)", cwd.display());
        return Err(io::Error::new(io::ErrorKind::NotADirectory, what));
    }
    command.arg(&step.run).current_dir(cwd);
    command.env_clear().envs(&step.env);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    linux::as_step(&mut command, plan.umask, plan.open_files);
    let mut child = command.spawn()?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let of = |stream| Origin { stream, step: ordinal, attempt: plan.attempt };
    let pipes = [(of(Stream::Stdout), stdout.into()), (of(Stream::Stderr), stderr.into())];
    // A pid is positive and fits; it is reaped with all the others.
    Ok((child.id() as i32, pipes))
}

/// `timed out after 1m30s`.
fn timed_out(after: Duration) -> String {
    let (seconds, millis) = (after.as_secs(), after.subsec_millis());
    let mut text = String::from("timed out after ");
    for (n, unit) in [(seconds / 3600, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')] {
        if n > 0 {
            text.push_str(&format!("{n}{unit}"));
        }
    }
    if millis > 0 || seconds == 0 {
        text.push_str(&format!("{millis}ms"));
    }
    text
}

/// `SIGTERM`, as a person knows it.
pub fn signal_name(signal: i32) -> String {
    let name = match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGILL => "SIGILL",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGUSR1 => "SIGUSR1",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGUSR2 => "SIGUSR2",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGALRM => "SIGALRM",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        libc::SIGSYS => "SIGSYS",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_as_it_was_configured() {
        let cases = [
            (60_000, "1m"),
            (90_000, "1m30s"),
            (3_600_000, "1h"),
            (1_500, "1s500ms"),
            (200, "200ms"),
        ];
        for (ms, text) in cases {
            assert_eq!(timed_out(Duration::from_millis(ms)), format!("timed out after {text}"));
        }
    }
}
