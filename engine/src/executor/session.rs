//! The executor as a process: lock, `ready`, plan, then the attempt.

use super::{attempt::Attempt, journal, launch::READY, lock, plan::Plan, watch::Watch};
use crate::linux;
use crate::logs::writer::Writer;
use std::{
    ffi::OsString,
    fs::OpenOptions,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

/// How long the lock may still be held, by a server that looks or an executor that ends.
const LOCK_TIME: Duration = Duration::from_secs(2);

/// The executor: `DIR ATTEMPT` are its arguments, the plan comes on standard input. It is to be
/// called first thing by a process that has one thread and no descriptor of its own.
///
/// Says `ready` on standard output once it holds the job's lock, or why it cannot. Whatever it does
/// after that is told by the files in the job's directory only.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    match begin(args) {
        Ok(attempt) => match attempt.run() {
            Ok(()) => ExitCode::SUCCESS,
            // Without a last word in the journal the run is lost, which is what it is.
            Err(_) => ExitCode::FAILURE,
        },
        Err(why) => {
            // Nobody listens once the plan was sent.
            let _ = writeln!(io::stdout(), "{why}");
            ExitCode::FAILURE
        }
    }
}

/// All that comes before the first line of the journal. On an error nothing was done.
fn begin(mut args: impl Iterator<Item = OsString>) -> Result<Attempt, String> {
    let (Some(dir), Some(number), None) = (args.next(), args.next(), args.next()) else {
        return Err("usage: tailboard executor DIR ATTEMPT (started by the server)".into());
    };
    let dir = PathBuf::from(dir);
    let number = number.to_str().and_then(|n| n.parse().ok()).ok_or("ATTEMPT is a number")?;
    let failed = |what: &'static str| move |error: io::Error| format!("{what}: {error}");

    let signals = linux::become_executor().map_err(failed("no session of its own"))?;
    let guard = lock::wait(&dir, LOCK_TIME).map_err(failed("no lock"))?;
    let guard = guard.ok_or("the job's lock is held by another process")?;
    guard.sign(number).map_err(failed("the lock cannot be written"))?;
    // Nothing may run twice, whatever the server believes.
    match journal::read_from(&dir, number, 0) {
        Ok(news) if news.entries.is_empty() => {}
        Ok(_) => return Err(format!("attempt {number} was begun before")),
        Err(error) => return Err(error.to_string()),
    }
    let log = Writer::open(&dir).map_err(|error| error.to_string())?;
    writeln!(io::stdout(), "{READY}").map_err(failed("nobody listens"))?;

    let plan = Plan::read(io::stdin().lock()).map_err(|error| error.to_string())?;
    if plan.attempt != number {
        return Err(format!("the plan is of attempt {}, not {number}", plan.attempt));
    }
    forget_the_server().map_err(failed("/dev/null"))?;
    let watch = Watch::new(dir, guard, signals, log, &plan);
    Attempt::new(plan, watch).map_err(|error| error.to_string())
}

/// The server's pipes go: from here on nothing depends on it.
fn forget_the_server() -> io::Result<()> {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(())
}
