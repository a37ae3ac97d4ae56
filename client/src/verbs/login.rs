//! `tailboard login` and `logout`.

use crate::{
    failure::Failure,
    login::Login,
    plain,
    prompt::{ask, ask_hidden, can_ask},
    reach::{Reach, USUAL, board_url},
    session::Session,
};
use clap::Args;
use shared::access::Me;
use std::process::ExitCode;

#[derive(Args)]
pub struct In {
    #[command(flatten)]
    reach: Reach,
}

#[derive(Args)]
pub struct Out {}

pub async fn keep(args: In) -> Result<ExitCode, Failure> {
    // A damaged file is made anew.
    let kept = Login::read().ok().flatten().map(|login| login.url);
    let usual = kept.unwrap_or_else(|| USUAL.to_owned());
    let typed = match args.reach.url()? {
        Some(url) => url,
        None if can_ask() => ask(&format!("Address of the board [{usual}]: "))?,
        None => String::new(),
    };
    let url = board_url(if typed.trim().is_empty() { &usual } else { &typed })?;
    let reach = args.reach.at(&url);
    let token = match (&reach.token_file, std::env::var("TAILBOARD_TOKEN")) {
        (Some(_), _) => None,
        (None, Ok(token)) if !token.trim().is_empty() => Some(token.trim().to_owned()),
        _ if can_ask() => Some(ask_hidden("Token (it is not shown): ")?.trim().to_owned()),
        _ => {
            return Err(Failure::Usage(
                "no token: there is no terminal to ask for it; give it with --token-file FILE, or - for standard input"
                    .to_owned(),
            ));
        }
    };
    let session = Session::with_token(&reach, token)?;
    let me: Me = session.api.get(&["api", "v1", "me"], &[]).await?;
    let login = Login { url: url.to_string(), token: session.api.token() };
    let path = login.write()?;
    session.console.note(&format!(
        "{url} lets you in as {} ({}); kept in {}",
        plain::text(&me.name),
        me.role.as_str(),
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}

pub fn forget(_: &Out) -> Result<ExitCode, Failure> {
    eprintln!("{}", if Login::remove()? { "forgotten" } else { "there was nothing to forget" });
    Ok(ExitCode::SUCCESS)
}
