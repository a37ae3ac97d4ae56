//! Which board is asked, and with which token.

use crate::{failure::Failure, login::Login, pause::Pace, prompt::secret_of, words};
use clap::Args;
use http::HeaderValue;
use reqwest::Url;
use std::{env::VarError, path::PathBuf, time::Duration};

/// Where `tailboard serve` listens when nothing is said.
pub const USUAL: &str = "http://127.0.0.1:3000";

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Which board")]
pub struct Reach {
    /// Address of the board; else TAILBOARD_URL, else that of `tailboard login`, else http://127.0.0.1:3000.
    // As a variable of clap's it would be in every usage line, as if it had to be given.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// File with the token, `-` for standard input; else TAILBOARD_TOKEN, else that of `tailboard login`.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// How long to go on trying to reach a board that was there before.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = words::duration, hide_short_help = true)]
    pub reconnect_for: Duration,
    /// The pause before the first of these tries; it doubles four times.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = words::duration, hide_short_help = true)]
    pub reconnect_pause: Duration,
}

/// A board and what it takes to be let in.
pub struct Target {
    /// Without a path.
    pub url: Url,
    /// `Bearer …`; marked as sensitive, so it is in no message.
    pub token: Option<HeaderValue>,
}

impl Reach {
    pub fn pace(&self) -> Pace {
        Pace { first: self.reconnect_pause, patience: self.reconnect_for }
    }

    /// The address that was given, here or by a variable.
    ///
    /// # Errors
    /// When the variable is no text.
    pub fn url(&self) -> Result<Option<String>, Failure> {
        match (&self.url, std::env::var("TAILBOARD_URL")) {
            (Some(url), _) => Ok(Some(url.clone())),
            (None, Ok(url)) => Ok(Some(url)),
            (None, Err(VarError::NotPresent)) => Ok(None),
            (None, Err(error)) => Err(Failure::Usage(format!("TAILBOARD_URL: {error}"))),
        }
    }

    /// The same board whatever else is said.
    pub fn at(self, url: &Url) -> Self {
        Self { url: Some(url.to_string()), ..self }
    }

    /// # Errors
    /// When the address or the token cannot be one, or a file cannot be read.
    pub fn target(&self) -> Result<Target, Failure> {
        let login = Login::read()?;
        let url = match (self.url()?, &login) {
            (Some(url), _) => board_url(&url)?,
            (None, Some(login)) => board_url(&login.url)?,
            (None, None) => board_url(USUAL)?,
        };
        let token = match (&self.token_file, std::env::var("TAILBOARD_TOKEN")) {
            (Some(file), _) => Some(secret_of("token", file)?.trim().to_owned()),
            (None, Ok(token)) if !token.trim().is_empty() => Some(token),
            // A token goes nowhere but where it was given for.
            _ => login
                .filter(|login| board_url(&login.url).is_ok_and(|of| of == url))
                .and_then(|login| login.token),
        };
        Ok(Target { token: token.map(|token| bearer(&token)).transpose()?, url })
    }
}

/// The address of a board: a scheme, a host, perhaps a port.
pub fn board_url(text: &str) -> Result<Url, Failure> {
    let wrong = |why: &str| {
        Failure::Usage(format!("{text:?} is no address of a board: {why}; it is like {USUAL}"))
    };
    let url = Url::parse(text.trim()).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it has to begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("there is no name and password in it, but a token beside it"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("a board has a host of its own and nothing after it"));
    }
    Ok(url)
}

/// Whether what is sent there can be read on the way.
pub fn is_open(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    url.scheme() == "http" && !is_here
}

/// The header's value for a token.
///
/// # Errors
/// When it cannot be one.
pub fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    let is_token = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    let value = is_token.then(|| HeaderValue::try_from(format!("Bearer {token}")).ok()).flatten();
    let mut value = value.ok_or_else(|| {
        Failure::Usage("the token is empty, or has characters that no token has".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_nothing_more() {
        for text in ["http://127.0.0.1:3000", "https://board.example.org/", "http://[::1]:80"] {
            assert!(board_url(text).is_ok(), "{text}");
        }
        for text in
            ["", "board", "ftp://x", "http://x/board", "http://u:p@x", "http://x?y", "http://x#y"]
        {
            assert!(board_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_without_encryption_is_noticed_unless_it_stays_here() {
        let open = |text: &str| is_open(&board_url(text).unwrap());
        assert!(open("http://board.example.org"));
        for text in
            ["https://board.example.org", "http://localhost:1", "http://127.9.9.9", "http://[::1]"]
        {
            assert!(!open(text), "{text}");
        }
    }
}
