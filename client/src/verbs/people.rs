//! What `tailboard user` and `tailboard key` share: where users and keys are, roles, tables of them.

use crate::{
    console::Console,
    door::Door,
    failure::Failure,
    reach::Reach,
    session::Session,
    table::{self, Cell, Column},
};
use clap::{Args, Subcommand};
use serde::Serialize;
use shared::{Role, access::All};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// What is asked, and where users and keys are.
#[derive(Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub struct Asked<V: Subcommand> {
    #[command(subcommand)]
    verb: V,
    /// Data directory of a board that does not run, instead of a board that does.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Make the data directory if there is none: before the board's first start.
    #[arg(long, requires = "data_dir")]
    create: bool,
    #[command(flatten)]
    reach: Reach,
}

/// What can be asked, by either door.
pub trait Asks {
    async fn ask(self, door: &impl Door, console: &Console) -> Result<(), Failure>;
}

/// `open` gives the way to a data directory, and makes it if it may.
pub async fn run<V: Asks + Subcommand, D: Door>(
    Asked { verb, data_dir, create, reach }: Asked<V>,
    open: impl FnOnce(&Path, bool) -> Result<D, Failure>,
) -> Result<ExitCode, Failure> {
    let console = Console::new();
    match data_dir {
        Some(dir) => verb.ask(&open(&dir, create)?, &console).await?,
        None => verb.ask(&Session::new(&reach)?, &console).await?,
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Args)]
pub struct RoleArg {
    /// viewer reads; operator acts on jobs and queues; admin does everything.
    #[arg(long, value_name = "ROLE", value_parser = role)]
    pub role: Role,
}

pub fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "a role is one of viewer, operator, admin".to_owned())
}

/// Prints all of them, as JSON or as a table with a row for each.
pub fn list<T: Serialize>(
    items: Vec<T>,
    json: bool,
    columns: &[Column],
    row: impl Fn(&T) -> Vec<Cell>,
    none: &str,
    console: &Console,
) -> Result<(), Failure> {
    if json {
        return console.json(&All { items }, true);
    }
    if items.is_empty() {
        return console.say(none);
    }
    let rows: Vec<_> = items.iter().map(row).collect();
    table::lines(columns, &rows, console).iter().try_for_each(|line| console.say(line))
}
