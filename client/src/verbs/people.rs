//! `tailboard user` and `tailboard key`: who gets in.

use crate::{
    console::{Colour, Console},
    door::Door,
    failure::Failure,
    plain,
    prompt::{ask_hidden, can_ask, secret_of},
    reach::Reach,
    session::Session,
    table::{self, Cell, number, whole, wide},
    words,
};
use clap::{Args, Subcommand};
use shared::{
    Role, Timestamp,
    access::{All, ApiKey, NewKey, NewUser, User, UserChange},
};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Where users and keys are.
#[derive(Args)]
pub struct Where {
    /// Data directory of a board that does not run, instead of a board that does.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Args)]
pub struct UserCommand {
    #[command(subcommand)]
    verb: UserVerb,
}

#[derive(Args)]
pub struct KeyCommand {
    #[command(subcommand)]
    verb: KeyVerb,
}

#[derive(Subcommand)]
enum UserVerb {
    /// Make a user; the password is asked for.
    Add {
        /// Its name.
        name: String,
        #[command(flatten)]
        role: RoleArg,
        #[command(flatten)]
        password: PasswordArg,
        #[command(flatten)]
        at: Where,
    },
    /// List users.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: Where,
    },
    /// Give a user another role, at once: its streams end.
    Role {
        /// Its name.
        name: String,
        #[arg(value_parser = role)]
        role: Role,
        #[command(flatten)]
        at: Where,
    },
    /// Give a user another password: its sessions end.
    Password {
        /// Its name.
        name: String,
        #[command(flatten)]
        password: PasswordArg,
        #[command(flatten)]
        at: Where,
    },
    /// Shut a user out: its sessions end.
    Disable {
        /// Its name.
        name: String,
        #[command(flatten)]
        at: Where,
    },
    /// Let a user in again.
    Enable {
        /// Its name.
        name: String,
        #[command(flatten)]
        at: Where,
    },
    /// Remove a user; what it did stays in the audit log.
    Delete {
        /// Its name.
        name: String,
        #[command(flatten)]
        at: Where,
    },
}

#[derive(Subcommand)]
enum KeyVerb {
    /// Make an API key and print its token, this once.
    Add {
        /// Its name.
        name: String,
        #[command(flatten)]
        role: RoleArg,
        /// When it stops working: in 90d, 12h, or at 2026-02-27T10:30:00Z; else when it is revoked.
        #[arg(long, value_name = "TIME", value_parser = words::moment_ahead)]
        expires: Option<Timestamp>,
        /// Print the key and its token as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: Where,
    },
    /// List API keys; those that are revoked for 30 days.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: Where,
    },
    /// Revoke an API key, at once: its streams end.
    Revoke {
        /// Its name or id.
        key: String,
        #[command(flatten)]
        at: Where,
    },
}

#[derive(Args)]
struct RoleArg {
    /// viewer reads; operator acts on jobs and queues; admin does everything.
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Role,
}

#[derive(Args)]
struct PasswordArg {
    /// File with the password, `-` for standard input, instead of asking.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "a role is one of viewer, operator, admin".to_owned())
}

impl UserCommand {
    fn at(&self) -> &Where {
        match &self.verb {
            UserVerb::Add { at, .. }
            | UserVerb::List { at, .. }
            | UserVerb::Role { at, .. }
            | UserVerb::Password { at, .. }
            | UserVerb::Disable { at, .. }
            | UserVerb::Enable { at, .. }
            | UserVerb::Delete { at, .. } => at,
        }
    }
}

impl KeyCommand {
    fn at(&self) -> &Where {
        match &self.verb {
            KeyVerb::Add { at, .. } | KeyVerb::List { at, .. } | KeyVerb::Revoke { at, .. } => at,
        }
    }
}

/// `open` gives the way to a data directory.
pub async fn user<D: Door>(
    args: UserCommand,
    open: impl FnOnce(&Path) -> Result<D, Failure>,
) -> Result<ExitCode, Failure> {
    let console = Console::new();
    match &args.at().data_dir {
        Some(dir) => change_users(&open(dir)?, &console, args.verb).await,
        None => change_users(&Session::new(&args.at().reach)?, &console, args.verb).await,
    }
}

/// The same for keys.
pub async fn key<D: Door>(
    args: KeyCommand,
    open: impl FnOnce(&Path) -> Result<D, Failure>,
) -> Result<ExitCode, Failure> {
    let console = Console::new();
    match &args.at().data_dir {
        Some(dir) => change_keys(&open(dir)?, &console, args.verb).await,
        None => change_keys(&Session::new(&args.at().reach)?, &console, args.verb).await,
    }
}

async fn change_users(
    door: &impl Door,
    console: &Console,
    verb: UserVerb,
) -> Result<ExitCode, Failure> {
    let said = match verb {
        UserVerb::List { json, .. } => {
            list_users(door.users().await?, console, json)?;
            return Ok(ExitCode::SUCCESS);
        }
        UserVerb::Add { name, role: RoleArg { role }, password, .. } => {
            let password = Some(password_of(&password, &name)?);
            let user = door.add_user(NewUser { name, role, password }).await?;
            format!("{} is {}", plain::text(&user.name), user.role.as_str())
        }
        UserVerb::Role { name, role, .. } => {
            let change = UserChange { role: Some(role), ..UserChange::default() };
            let user = door.change_user(&name, change).await?;
            format!("{} is {}", plain::text(&user.name), user.role.as_str())
        }
        UserVerb::Password { name, password, .. } => {
            let password = Some(password_of(&password, &name)?);
            let change = UserChange { password, ..UserChange::default() };
            let user = door.change_user(&name, change).await?;
            format!("{} has another password; its sessions ended", plain::text(&user.name))
        }
        UserVerb::Disable { name, .. } => {
            let change = UserChange { disabled: Some(true), ..UserChange::default() };
            let user = door.change_user(&name, change).await?;
            format!("{} is shut out", plain::text(&user.name))
        }
        UserVerb::Enable { name, .. } => {
            let change = UserChange { disabled: Some(false), ..UserChange::default() };
            let user = door.change_user(&name, change).await?;
            format!("{} may come in", plain::text(&user.name))
        }
        UserVerb::Delete { name, .. } => {
            door.delete_user(&name).await?;
            format!("{} is deleted", plain::text(&name))
        }
    };
    console.say(&said)?;
    Ok(ExitCode::SUCCESS)
}

async fn change_keys(
    door: &impl Door,
    console: &Console,
    verb: KeyVerb,
) -> Result<ExitCode, Failure> {
    match verb {
        KeyVerb::List { json, .. } => list_keys(door.keys().await?, console, json)?,
        KeyVerb::Add { name, role: RoleArg { role }, expires, json, .. } => {
            let made = door.add_key(NewKey { name, role, until: expires }).await?;
            if json {
                console.json(&made, true)?;
            } else {
                console.say(&made.token)?;
                console.note("the token is shown this once");
            }
        }
        KeyVerb::Revoke { key, .. } => {
            let keys = door.keys().await?;
            let in_use = keys.iter().filter(|known| known.revoked_at.is_none());
            let names: Vec<_> = in_use.clone().map(|known| plain::text(&known.name)).collect();
            let found =
                in_use.clone().find(|known| known.name == key || known.id.to_string() == key);
            let found = found.ok_or_else(|| {
                Failure::Usage(format!("no key {key:?} is in use; there are {}", names.join(", ")))
            })?;
            door.revoke_key(found.id).await?;
            console.say(&format!("{} is revoked", plain::text(&found.name)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A password out of a file, or typed twice.
fn password_of(args: &PasswordArg, name: &str) -> Result<String, Failure> {
    if let Some(file) = &args.password_file {
        return secret_of("password", file);
    }
    if !can_ask() {
        return Err(Failure::Usage(
            "no password: there is no terminal to ask for it; give it with --password-file FILE, or - for standard input"
                .to_owned(),
        ));
    }
    let password = ask_hidden(&format!("Password of {} (it is not shown): ", plain::text(name)))?;
    if ask_hidden("The same again: ")? != password {
        return Err(Failure::Usage("that was not the same; nothing was changed".to_owned()));
    }
    Ok(password)
}

fn list_users(users: Vec<User>, console: &Console, json: bool) -> Result<(), Failure> {
    const COLUMNS: [table::Column; 5] =
        [wide("USER"), whole("ROLE"), whole("MAY SIGN IN"), number("SESSIONS"), whole("USED")];
    if json {
        return console.json(&All { items: users }, true);
    }
    let now = Timestamp::now();
    let rows: Vec<_> = users
        .iter()
        .map(|user| {
            let (may, colour) = match (user.disabled, user.has_password) {
                (true, _) => ("no: disabled", Some(Colour::Red)),
                (_, false) => ("no: has no password", Some(Colour::Yellow)),
                _ => ("yes", None),
            };
            vec![
                Cell::of(&user.name),
                Cell::of(user.role.as_str()),
                Cell::coloured(may, colour),
                Cell::of(&user.sessions.to_string()),
                Cell::of(&user.used_at.map_or("-".to_owned(), |at| words::ago(at, now))),
            ]
        })
        .collect();
    print(&COLUMNS, &rows, "there are no users", console)
}

fn list_keys(keys: Vec<ApiKey>, console: &Console, json: bool) -> Result<(), Failure> {
    const COLUMNS: [table::Column; 6] =
        [wide("KEY"), whole("ROLE"), whole("WORKS"), whole("USED"), whole("MADE BY"), whole("ID")];
    if json {
        return console.json(&All { items: keys }, true);
    }
    let now = Timestamp::now();
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            let (works, colour) = match (key.revoked_at, key.until) {
                (Some(_), _) => ("no: revoked".to_owned(), Some(Colour::Red)),
                (_, Some(until)) if until <= now => ("no: expired".to_owned(), Some(Colour::Red)),
                (_, Some(until)) => (format!("until {}", words::time(until)), None),
                _ => ("yes".to_owned(), None),
            };
            vec![
                Cell::of(&key.name),
                Cell::of(key.role.as_str()),
                Cell::coloured(&works, colour),
                Cell::of(&key.used_at.map_or("-".to_owned(), |at| words::ago(at, now))),
                Cell::of(&key.created_by),
                Cell::of(&key.id.to_string()),
            ]
        })
        .collect();
    print(&COLUMNS, &rows, "there are no keys", console)
}

fn print(
    columns: &[table::Column],
    rows: &[Vec<Cell>],
    none: &str,
    console: &Console,
) -> Result<(), Failure> {
    if rows.is_empty() {
        return console.say(none);
    }
    table::lines(columns, rows, console).iter().try_for_each(|line| console.say(line.trim_end()))
}
