//! The keys about who gets in: `public_url`, `trusted_proxies`, `[access]`, `[limits]`.

use super::{
    settings::LONGEST,
    table::{At, Section},
};
use ipnet::IpNet;
use std::{net::IpAddr, time::Duration};

/// Who gets in, and how much of it.
#[derive(Clone, Debug, Default)]
pub struct AccessSettings {
    pub public_url: Option<PublicUrl>,
    /// Only what comes from these is believed about whom it comes from.
    pub trusted_proxies: Vec<IpNet>,
    pub limits: Limits,
    pub access: access::Settings,
}

/// Where browsers find the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    pub https: bool,
    /// Without port, in lower case.
    pub host: String,
    /// Scheme, host and, if it is not the usual one, port: what a browser sends as `Origin`.
    pub origin: String,
}

/// How much one caller, one address, or all together may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Streams open at a time.
    pub streams: u32,
    pub streams_per_caller: u32,
    pub streams_per_address: u32,
    /// Changes that a caller may ask for in a minute.
    pub writes_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            streams: 20_000,
            streams_per_caller: 1_000,
            streams_per_address: 2_000,
            writes_per_minute: 1_200,
        }
    }
}

const MOST: u32 = 1_000_000;

/// Reads the keys at the top of the file.
pub(super) fn read(root: &mut Section<'_, '_>) -> AccessSettings {
    let public_url = root.text("public_url").and_then(|At { value, span }| {
        let url = PublicUrl::parse(&value);
        url.map_err(|rule| root.wrong("public_url", span, format!("is {value:?}: {rule}"))).ok()
    });
    let mut trusted_proxies = Vec::new();
    for At { value, span } in root.texts("trusted_proxies") {
        match network(&value) {
            Some(network) => trusted_proxies.push(network),
            None => {
                let wanted =
                    format!("has {value:?}: wanted is an address, or a network such as 10.0.0.0/8");
                root.wrong("trusted_proxies", span, wanted);
            }
        }
    }
    AccessSettings { public_url, trusted_proxies, limits: limits(root), access: of_access(root) }
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn limits(root: &mut Section<'_, '_>) -> Limits {
    let usual = Limits::default();
    let Some(At { value, span }) = root.table("limits") else { return usual };
    let mut section = Section::new(value, span, "limits".to_owned(), root.found());
    let mut count = |key, usual| section.count(key, 1, MOST).unwrap_or(usual);
    let limits = Limits {
        streams: count("streams", usual.streams),
        streams_per_caller: count("streams_per_caller", usual.streams_per_caller),
        streams_per_address: count("streams_per_address", usual.streams_per_address),
        writes_per_minute: count("writes_per_minute", usual.writes_per_minute),
    };
    section.finish();
    limits
}

fn of_access(root: &mut Section<'_, '_>) -> access::Settings {
    let usual = access::Settings::default();
    let Some(At { value, span }) = root.table("access") else { return usual };
    let mut section = Section::new(value, span, "access".to_owned(), root.found());
    let shortest = Duration::from_secs(60);
    let mut duration =
        |key, longest, usual| section.duration(key, shortest, longest).unwrap_or(usual);
    let session_idle = duration("session_idle", LONGEST, usual.session_idle);
    let session_longest = duration("session_longest", 12 * LONGEST, usual.session_longest);
    let audit_kept = duration("audit_kept", 120 * LONGEST, usual.audit_kept);
    let sign_ins = section.count("sign_ins", 1, MOST).unwrap_or(usual.sign_ins);
    section.finish();
    access::Settings { session_idle, session_longest, audit_kept, sign_ins }
}

impl PublicUrl {
    /// # Errors
    /// What is wanted instead.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        const WANTED: &str =
            "wanted is http:// or https://, a host, and a port if it is not the usual one";
        let url: http::Uri = url.parse().map_err(|_| WANTED)?;
        let (scheme, authority) = url.scheme_str().zip(url.authority()).ok_or(WANTED)?;
        let https = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(WANTED),
        };
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(WANTED);
        }
        if url.path() != "/" || url.query().is_some() {
            return Err("the board cannot be below a path; give it a host name of its own");
        }
        let host = authority.host().to_ascii_lowercase();
        let usual = if https { 443 } else { 80 };
        let port = authority.port_u16().filter(|port| *port != usual);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let origin = format!("{scheme}://{host}{port}");
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { https, host, origin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin() {
        let origin = |url: &str| PublicUrl::parse(url).map(|url| url.origin);
        assert_eq!(origin("https://Jobs.example.com/").unwrap(), "https://jobs.example.com");
        assert_eq!(origin("https://jobs.example.com:443").unwrap(), "https://jobs.example.com");
        assert_eq!(origin("http://[::1]:8080").unwrap(), "http://[::1]:8080");
        for wrong in ["jobs.example.com", "ftp://a", "https://u@a", "https://", "https://a?b"] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
        assert!(origin("https://a/tailboard").unwrap_err().contains("below a path"));
    }
}
