//! `tailboard login` and `logout`.

use crate::{
    failure::Failure,
    login::Login,
    reach::{Reach, board_url},
    session::Session,
};
use clap::Args;
use rustix::termios::{self, LocalModes, OptionalActions};
use serde_json::Value;
use std::{
    fs::File,
    io::{self, BufRead, IsTerminal, Write},
    process::ExitCode,
};

#[derive(Args)]
pub struct In {
    #[command(flatten)]
    reach: Reach,
}

#[derive(Args)]
pub struct Out {}

pub async fn keep(args: In) -> Result<ExitCode, Failure> {
    let mut reach = args.reach;
    let can_ask = io::stdin().is_terminal();
    let kept = Login::read().ok().flatten();
    if reach.url.is_none() && can_ask {
        let usual = kept.map_or("http://127.0.0.1:3000".to_owned(), |login| login.url);
        let typed = ask(&format!("Address of the board [{usual}]: "), true)?;
        reach.url = Some(if typed.is_empty() { usual } else { typed });
    }
    let url = board_url(reach.url.as_deref().unwrap_or("http://127.0.0.1:3000"))?;
    reach.url = Some(url.to_string());
    let token = match (&reach.token_file, std::env::var("TAILBOARD_TOKEN")) {
        (Some(_), _) => None,
        (None, Ok(token)) if !token.trim().is_empty() => Some(token.trim().to_owned()),
        _ if can_ask => Some(ask("Token (it is not shown): ", false)?),
        _ => {
            return Err(Failure::Usage(
                "no token: there is no terminal to ask for it; give it with --token-file FILE, or - for standard input"
                    .to_owned(),
            ));
        }
    };
    let session = Session::with_token(&reach, token)?;
    // What may be asked by whoever may ask anything.
    let _: Value = session.api.get(&["api", "v1", "connections"], &[]).await?;
    let login = Login { url: url.to_string(), token: session.api.token() };
    let path = login.write()?;
    session.console.note(&format!("{url} lets you in; kept in {}", path.display()));
    Ok(ExitCode::SUCCESS)
}

pub fn forget(_: &Out) -> Result<ExitCode, Failure> {
    eprintln!("{}", if Login::remove()? { "forgotten" } else { "there was nothing to forget" });
    Ok(ExitCode::SUCCESS)
}

/// A line that is typed; on the terminal itself, so that standard output stays free.
fn ask(question: &str, echo: bool) -> Result<String, Failure> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
    terminal.write_all(question.as_bytes())?;
    let hidden = if echo { None } else { Some(Hidden::on(&terminal)?) };
    let mut line = String::new();
    io::BufReader::new(&terminal).read_line(&mut line)?;
    if hidden.is_some() {
        drop(hidden);
        terminal.write_all(b"\n")?;
    }
    Ok(line.trim().to_owned())
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden<'a> {
    terminal: &'a File,
    before: termios::Termios,
}

impl<'a> Hidden<'a> {
    fn on(terminal: &'a File) -> Result<Self, Failure> {
        let before = termios::tcgetattr(terminal).map_err(io::Error::from)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        termios::tcsetattr(terminal, OptionalActions::Flush, &hidden).map_err(io::Error::from)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // A terminal that is gone has nothing to show.
        let _ = termios::tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}
