//! The keys about who gets in: `public_url`, `trusted_proxies`, `[access]`, `[access.jwt]`, `[limits]`.

use super::{
    settings::LONGEST,
    table::{At, Found, Section},
};
use access::token::{ALGORITHMS, Algorithm, Issuer, KeySource};
use ipnet::IpNet;
use shared::Role;
use std::{collections::BTreeMap, net::IpAddr, path::Path, time::Duration};
use toml_span::value::ValueInner;

/// Who gets in, and how much of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// Connections from one address at a time; trusted proxies may have any number.
    pub connections_per_address: u32,
    /// Changes that a caller may ask for in a minute.
    pub writes_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            streams: 20_000,
            streams_per_caller: 1_000,
            streams_per_address: 2_000,
            connections_per_address: 5_000,
            writes_per_minute: 1_200,
        }
    }
}

const MOST: u32 = 1_000_000;
const WANTED: &str = "wanted is http:// or https://, a host, and a port if it is not the usual one";

/// Reads the keys at the top of the file.
pub(super) fn read(root: &mut Section<'_, '_>, dir: &Path) -> AccessSettings {
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
    AccessSettings {
        public_url,
        trusted_proxies,
        limits: limits(root),
        access: of_access(root, dir),
    }
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
        connections_per_address: count("connections_per_address", usual.connections_per_address),
        writes_per_minute: count("writes_per_minute", usual.writes_per_minute),
    };
    section.finish();
    limits
}

fn of_access(root: &mut Section<'_, '_>, dir: &Path) -> access::Settings {
    let usual = access::Settings::default();
    let Some(At { value, span }) = root.table("access") else { return usual };
    let mut section = Section::new(value, span, "access".to_owned(), root.found());
    let shortest = Duration::from_secs(60);
    let mut duration =
        |key, longest, usual| section.duration(key, shortest, longest).unwrap_or(usual);
    let session_idle = duration("session_idle", LONGEST, usual.session_idle);
    let session_longest = duration("session_longest", 12 * LONGEST, usual.session_longest);
    let audit_kept = duration("audit_kept", 120 * LONGEST, usual.audit_kept);
    if session_longest < session_idle {
        let wanted = "session_idle is longer than session_longest, so it would never come about";
        section.wrong("session_idle", span, wanted);
    }
    let sign_ins = section.count("sign_ins", 1, MOST).unwrap_or(usual.sign_ins);
    let issuer = section.table("jwt").and_then(|jwt| issuer(jwt, dir, section.found()));
    section.finish();
    access::Settings { session_idle, session_longest, audit_kept, sign_ins, issuer }
}

/// `[access.jwt]`: whose tokens are believed.
fn issuer(
    At { value, span }: At<ValueInner<'_>>,
    dir: &Path,
    found: &mut Vec<Found>,
) -> Option<Issuer> {
    let mut section = Section::new(value, span, "access.jwt".to_owned(), found);
    let issuer = section.required("issuer", "what the claim iss has to be");
    let audience = section.required("audience", "what the claim aud has to be or contain");
    let (url, file) = (section.text("jwks_url"), section.text("key_file"));
    let keys = match (url, file) {
        (Some(At { value, .. }), None) if is_safe(&value) => Some(KeySource::Url(value)),
        (Some(At { value, span }), None) => {
            let wanted = "wanted is https://, or http:// on this machine";
            section.wrong("jwks_url", span, format!("is {value:?}: {wanted}"));
            None
        }
        (None, Some(At { value, span })) => {
            let keys = KeySource::File(dir.join(value));
            if let Err(error) = keys.check() {
                section.wrong("key_file", span, format!("cannot be used: {error}"));
            }
            Some(keys)
        }
        _ => {
            let span = section.span();
            section.wrong("jwks_url", span, "wanted is either this or key_file");
            None
        }
    };
    let mut algorithms = Vec::new();
    for At { value, span } in section.texts("algorithms") {
        match ALGORITHMS.iter().find(|(name, _)| *name == value) {
            Some((_, algorithm)) => algorithms.push(*algorithm),
            None => {
                let names = ALGORITHMS.map(|(name, _)| name).join(", ");
                section.wrong("algorithms", span, format!("has {value:?}: there are {names}"));
            }
        }
    }
    if algorithms.is_empty() {
        algorithms.push(Algorithm::RS256);
    }
    let role_claim = section.text("role_claim").map_or("role".to_owned(), |at| at.value);
    let mut roles = BTreeMap::new();
    for (word, At { value, span }) in section.map("roles") {
        match Role::parse(&value) {
            Some(role) => {
                roles.insert(word, role);
            }
            None => {
                let what =
                    format!("gives {word:?} the role {value:?}: there are viewer, operator, admin");
                section.wrong("roles", span, what);
            }
        }
    }
    section.finish();
    let (issuer, audience) = (issuer?.value, audience?.value);
    Some(Issuer { issuer, audience, keys: keys?, algorithms, role_claim, roles })
}

/// Whether what is fetched from there cannot be changed on the way.
fn is_safe(url: &str) -> bool {
    PublicUrl::origin_of(url).is_ok_and(|(https, host)| {
        let loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        https || host == "localhost" || loopback
    })
}

impl PublicUrl {
    /// # Errors
    /// What is wanted instead.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let (https, host) = Self::origin_of(url)?;
        let uri: http::Uri = url.parse().map_err(|_| WANTED)?;
        if uri.path() != "/" || uri.query().is_some() {
            return Err("the board cannot be below a path; give it a host name of its own");
        }
        let (scheme, usual) = if https { ("https", 443) } else { ("http", 80) };
        let port = uri.port_u16().filter(|port| *port != usual);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let shown = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        Ok(Self { https, origin: format!("{scheme}://{shown}{port}"), host })
    }

    /// Whether it is https, and the host without brackets, in lower case.
    fn origin_of(url: &str) -> Result<(bool, String), &'static str> {
        let url: http::Uri = url.parse().map_err(|_| WANTED)?;
        let (scheme, authority) = url.scheme_str().zip(url.authority()).ok_or(WANTED)?;
        let https = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(WANTED),
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        // `http` takes a name before the host, and anything as the port behind it.
        let behind = authority.as_str().strip_prefix(authority.host());
        let fits = behind
            .is_some_and(|port| port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
        if host.is_empty() || !fits {
            return Err(WANTED);
        }
        Ok((https, host.to_ascii_lowercase()))
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse().is_ok_and(|port: u16| port > 0)
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
        for port in ["99999", "65536", "0", "", "-1", "+8", "1e3"] {
            for host in ["a.example", "[::1]", "9"] {
                assert!(origin(&format!("https://{host}:{port}")).is_err(), "{host} {port}");
            }
        }
        assert!(origin("https://a/tailboard").unwrap_err().contains("below a path"));
    }
}
