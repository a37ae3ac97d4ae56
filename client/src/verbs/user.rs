//! `tailboard user`: who may sign in.

use super::people::{Asks, RoleArg, list, role};
use crate::{
    console::{Colour, Console},
    door::Door,
    failure::Failure,
    plain,
    prompt::{ask_hidden, can_ask, secret_of},
    table::{Cell, Column, number, whole, wide},
    words,
};
use clap::{Args, Subcommand};
use shared::{
    Role, Timestamp,
    access::{NewUser, User, UserChange},
};
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum Verb {
    /// Make a user; the password is asked for.
    Add {
        /// Its name.
        name: String,
        #[command(flatten)]
        role: RoleArg,
        #[command(flatten)]
        password: PasswordArg,
    },
    /// List users.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give a user another role, at once: its streams end.
    Role {
        /// Its name.
        name: String,
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Give a user another password: its sessions end.
    Password {
        /// Its name.
        name: String,
        #[command(flatten)]
        password: PasswordArg,
    },
    /// Shut a user out: its sessions end.
    Disable {
        /// Its name.
        name: String,
    },
    /// Let a user in again.
    Enable {
        /// Its name.
        name: String,
    },
    /// Remove a user; what it did stays in the audit log.
    Delete {
        /// Its name.
        name: String,
    },
}

#[derive(Args)]
pub struct PasswordArg {
    /// File with the password, `-` for standard input, instead of asking.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Asks for Verb {
    async fn ask(self, door: &impl Door, console: &Console) -> Result<(), Failure> {
        let unchanged = UserChange::default();
        let (name, change, said) = match self {
            Verb::List { json } => return list_users(door.users().await?, console, json),
            Verb::Add { name, role: RoleArg { role }, password } => {
                let password = Some(password_of(&password, &name)?);
                let user = door.add_user(NewUser { name, role, password }).await?;
                return console.say(&format!(
                    "{} is {}",
                    plain::text(&user.name),
                    user.role.as_str()
                ));
            }
            Verb::Delete { name } => {
                door.delete_user(&name).await?;
                return console.say(&format!("{} is deleted", plain::text(&name)));
            }
            Verb::Role { name, role } => {
                let said = format!("is {}", role.as_str());
                (name, UserChange { role: Some(role), ..unchanged }, said)
            }
            Verb::Password { name, password } => {
                let password = Some(password_of(&password, &name)?);
                let said = "has another password; its sessions ended".to_owned();
                (name, UserChange { password, ..unchanged }, said)
            }
            Verb::Disable { name } => {
                (name, UserChange { disabled: Some(true), ..unchanged }, "is shut out".to_owned())
            }
            Verb::Enable { name } => {
                (name, UserChange { disabled: Some(false), ..unchanged }, "may come in".to_owned())
            }
        };
        let user = door.change_user(&name, change).await?;
        console.say(&format!("{} {said}", plain::text(&user.name)))
    }
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
    const COLUMNS: [Column; 5] = [
        wide("USER"),
        whole("ROLE"),
        whole("MAY SIGN IN"),
        number("SESSIONS").leaves(2),
        whole("USED").leaves(1),
    ];
    let now = Timestamp::now();
    let row = |user: &User| {
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
    };
    list(users, json, &COLUMNS, row, "there are no users", console)
}
