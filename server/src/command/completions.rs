//! `tailboard completions`: what a shell needs to complete a command line.

use super::{Command, Completions, print};
use clap::CommandFactory;
use std::process::ExitCode;

pub(super) fn run(args: &Completions) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Command::command(), "tailboard", &mut script);
    print(script)
}
