//! `tailboard completions`: what a shell needs to complete a command line.

use super::{Command, Completions};
use clap::CommandFactory;
use std::{
    io::{self, Write},
    process::ExitCode,
};

pub(super) fn run(args: &Completions) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Command::command(), "tailboard", &mut script);
    match io::stdout().write_all(&script) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
