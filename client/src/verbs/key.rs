//! `tailboard key`: what scripts get in with.

use super::people::{Asks, RoleArg, list};
use crate::{
    console::{Colour, Console},
    door::Door,
    failure::Failure,
    plain,
    table::{Cell, Column, whole, wide},
    words,
};
use clap::Subcommand;
use shared::{
    Timestamp,
    access::{ApiKey, NewKey},
};

#[derive(Subcommand)]
pub enum Verb {
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
    },
    /// List API keys; those that are revoked for 30 days.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revoke an API key, at once: its streams end.
    Revoke {
        /// Its name or id.
        key: String,
    },
}

impl Asks for Verb {
    async fn ask(self, door: &impl Door, console: &Console) -> Result<(), Failure> {
        match self {
            Verb::List { json } => list_keys(door.keys().await?, console, json),
            Verb::Add { name, role: RoleArg { role }, expires, json } => {
                let made = door.add_key(NewKey { name, role, until: expires }).await?;
                if json {
                    return console.json(&made, true);
                }
                console.say(&made.token)?;
                console.note("the token is shown this once");
                Ok(())
            }
            Verb::Revoke { key } => revoke(door, console, &key).await,
        }
    }
}

async fn revoke(door: &impl Door, console: &Console, key: &str) -> Result<(), Failure> {
    let mut keys = door.keys().await?;
    keys.retain(|known| known.revoked_at.is_none());
    let found = keys.iter().find(|known| known.name == key || known.id.to_string() == key);
    let found = found.ok_or_else(|| {
        let names: Vec<_> = keys.iter().map(|known| plain::text(&known.name)).collect();
        Failure::Usage(format!("no key {key:?} is in use; there are {}", names.join(", ")))
    })?;
    door.revoke_key(found.id).await?;
    console.say(&format!("{} is revoked", plain::text(&found.name)))
}

fn list_keys(keys: Vec<ApiKey>, console: &Console, json: bool) -> Result<(), Failure> {
    // A key is revoked by its name as well as by its id; half of an id is of no use. A date has 17 characters with its word.
    const COLUMNS: [Column; 6] = [
        wide("KEY"),
        whole("ROLE"),
        wide("WORKS").least(17),
        whole("USED").leaves(1),
        wide("MADE BY").leaves(2),
        whole("ID").leaves(3),
    ];
    let now = Timestamp::now();
    let row = |key: &ApiKey| {
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
    };
    list(keys, json, &COLUMNS, row, "there are no keys", console)
}
