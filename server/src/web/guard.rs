//! Which requests we answer at all. A web page the reader visits must neither read a log here by
//! rebinding its name to our address, nor start a pipeline by posting a form.

use super::Peer;
use crate::{auth::refusal, config::PublicUrl};
use access::{Access, audit::Entry};
use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, Method, StatusCode, header, uri::Authority};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// The names we answer to.
#[derive(Clone, Debug)]
pub struct Names {
    /// The address we listen on, without port.
    listen: String,
    /// By what browsers come, if it is configured.
    public: Option<PublicUrl>,
}

impl Names {
    /// The loopback names, the address we listen on, and the one that browsers go to.
    pub fn new(listen: SocketAddr, public: Option<&PublicUrl>) -> Self {
        Self { listen: listen.ip().to_string(), public: public.cloned() }
    }

    /// Whether `authority` (`name`, `name:port`) is us. Any port will do: a tunnel to a loopback
    /// port has another one here than there, and a rebound name is wrong with every port.
    fn serves(&self, authority: &str) -> bool {
        name(authority)
            .is_some_and(|name| is_loopback(&name) || self.is_public(&name) || name == self.listen)
    }

    fn is_public(&self, name: &str) -> bool {
        self.public.as_ref().is_some_and(|public| public.host == name)
    }

    /// Whether a page of this origin is ours, that asked for `host`. A browser puts there the scheme and, in the
    /// same words, what it has as the host.
    fn has(&self, origin: &str, host: &str) -> bool {
        // Whatever host a proxy asks for.
        if self.public.as_ref().is_some_and(|public| public.origin == origin) {
            return true;
        }
        // By which scheme and port browsers come to the public name is known: by any other it is no page of ours.
        let known = name(host).is_some_and(|name| self.is_public(&name) && !is_loopback(&name));
        let bare = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        !known && bare.is_some_and(|bare| bare.eq_ignore_ascii_case(host))
    }
}

/// The host of an authority, without port and brackets, in lower case.
fn name(authority: &str) -> Option<String> {
    let authority = authority.parse::<Authority>().ok()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let host = authority.host().to_ascii_lowercase();
    Some(host.trim_start_matches('[').trim_end_matches(']').to_owned())
}

fn is_loopback(name: &str) -> bool {
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Answers 421 to a request for somebody else's name and 403 to a change or a socket that another
/// site asked for; hands on all others.
pub async fn check(
    State(guard): State<Arc<(Names, Access)>>,
    request: Request,
    next: Next,
) -> Response {
    let (names, access) = &*guard;
    let Some((status, detail)) = refused(names, &request) else { return next.run(request).await };
    let peer = request.extensions().get::<Peer>();
    let path = request.uri().path();
    let entry = Entry {
        caller: None,
        via: None,
        // Before anything that a proxy says is looked at.
        address: peer.map(|peer| peer.0.ip().to_canonical().to_string()).unwrap_or_default(),
        action: format!("{} from elsewhere", request.method()),
        target: path.to_owned(),
        status: status.as_u16(),
        detail: Some(detail.to_owned()),
    };
    access.audit(entry).await;
    refusal::answer(path, status, detail)
}

fn refused(names: &Names, request: &Request<Body>) -> Option<(StatusCode, &'static str)> {
    let host = only(request.headers(), header::HOST.as_str());
    let authority = request.uri().authority().map(Authority::as_str);
    let ours = host.is_some_and(|host| names.serves(host))
        && authority.is_none_or(|authority| names.serves(authority));
    if !ours {
        return Some((
            StatusCode::MISDIRECTED_REQUEST,
            "the Host header names no host that is served here; use the address that `tailboard serve` printed",
        ));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // A browser lets any page open a socket to anywhere, and read it.
    let headers = request.headers();
    let opens_socket = opens_socket(headers);
    // What carries a cookie is a browser, which says whose page opens a socket; nothing else it says makes up for that.
    let by_cookie = opens_socket
        && headers.contains_key(header::COOKIE)
        && !headers.contains_key(header::AUTHORIZATION);
    let unsaid = by_cookie && !has_our_origin(names, headers, host);
    ((changes || opens_socket) && (unsaid || !same_site(names, headers, host)))
        .then_some((StatusCode::FORBIDDEN, "another site asked for this"))
}

/// Whether it was asked for by our own page, or by no page at all.
fn same_site(names: &Names, headers: &HeaderMap, host: Option<&str>) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    !headers.contains_key(header::ORIGIN) || has_our_origin(names, headers, host)
}

fn has_our_origin(names: &Names, headers: &HeaderMap, host: Option<&str>) -> bool {
    let origin = only(headers, header::ORIGIN.as_str());
    origin.zip(host).is_some_and(|(origin, host)| names.has(origin, host))
}

/// Whether a WebSocket is asked for. Another protocol (`h2c`) is not spoken here: it is answered without.
fn opens_socket(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::UPGRADE).iter().filter_map(|line| line.to_str().ok());
    let mut protocols = lines.flat_map(|line| line.split([',', '/'])).map(str::trim);
    protocols.any(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

/// The value of a header that is there once, as text.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().and_then(|value| value.to_str().ok());
    value.filter(|_| values.next().is_none())
}
