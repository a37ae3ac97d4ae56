//! What the executable can be asked to do. One file per command.

mod backup;
mod check;
mod completions;
mod notify;
mod people;
mod serve;
mod summary;

use crate::config::ConfigError;
use clap::{Args, Parser, Subcommand};
use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

/// A live board for background jobs.
#[derive(Parser)]
#[command(name = "tailboard", version)]
struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run the board.
    Serve(Serve),
    /// Say what is wrong in a configuration file, or what it defines.
    Check(Check),
    /// Copy a data directory while a server uses it.
    Backup(Backup),
    #[command(flatten)]
    Client(client::Verb),
    /// Print what a shell needs to complete these commands.
    Completions(Completions),
}

#[derive(Args)]
struct Serve {
    /// Configuration file.
    #[arg(long, env = "TAILBOARD_CONFIG", value_name = "FILE", default_value = "tailboard.toml")]
    config: PathBuf,
    /// Where jobs and logs are kept; made if it is not there.
    #[arg(long, env = "TAILBOARD_DATA_DIR", value_name = "DIR", default_value = "data")]
    data_dir: PathBuf,
    /// Address and port; port 0 takes a free one.
    #[arg(long, env = "TAILBOARD_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
}

#[derive(Args)]
struct Check {
    /// Configuration file.
    #[arg(long, env = "TAILBOARD_CONFIG", value_name = "FILE", default_value = "tailboard.toml")]
    config: PathBuf,
}

// Else a data directory of the environment would stand there as if it had to be given.
#[derive(Args)]
#[command(override_usage = "tailboard backup [OPTIONS] <DIR>")]
struct Backup {
    /// The data directory.
    #[arg(long, env = "TAILBOARD_DATA_DIR", value_name = "DIR", default_value = "data")]
    data_dir: PathBuf,
    /// Where the copy goes: a directory that is empty or not there yet.
    #[arg(value_name = "DIR")]
    into: PathBuf,
}

#[derive(Args)]
struct Completions {
    /// Whose.
    shell: clap_complete::Shell,
}

/// Does what the command line asks for. A failure is told on standard error: exit status 2 for a
/// wrong configuration or command line, 1 for the rest; what asks a board has some more.
pub fn run() -> ExitCode {
    let done = match Command::parse().verb {
        Verb::Serve(args) => serve::run(args),
        Verb::Check(args) => check::run(&args),
        Verb::Backup(args) => backup::run(&args),
        Verb::Client(verb) => Ok(client::run(verb, people::Kept::open)),
        Verb::Completions(args) => completions::run(&args),
    };
    done.unwrap_or_else(|error: anyhow::Error| {
        tell(&format!("{error:#}"));
        ExitCode::from(if error.is::<ConfigError>() { 2 } else { 1 })
    })
}

/// Writes a result to standard output. Whoever read it may be gone: the status is that of what asks a board then.
fn print(text: impl AsRef<[u8]>) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(client::Failure::NobodyReads.code())
        }
        Err(error) => Err(error.into()),
    }
}

/// Says something on standard error; if nobody reads it, there is nobody else to be told.
fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
