//! Which requests we answer at all. A web page the reader visits must neither read a log here by
//! rebinding its name to our address, nor start a pipeline by posting a form.

use super::Peer;
use crate::config::PublicUrl;
use access::{Access, audit::Entry};
use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, uri::Authority};
use shared::problem::Problem;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// The names we answer to.
#[derive(Clone, Debug)]
pub struct Names {
    /// Hosts without port, in lower case, beside the loopback names.
    hosts: Vec<String>,
    /// What a browser sends as `Origin`, whatever host a proxy asks for.
    origin: Option<String>,
}

impl Names {
    /// The loopback names, the address we listen on, and the one that browsers go to.
    pub fn new(listen: SocketAddr, public: Option<&PublicUrl>) -> Self {
        let listen = listen.ip().to_string();
        let hosts = std::iter::once(listen).chain(public.map(|url| url.host.clone())).collect();
        Self { hosts, origin: public.map(|url| url.origin.clone()) }
    }

    /// Whether `authority` (`name`, `name:port`) is us. Any port will do: a tunnel to a loopback
    /// port has another one here than there, and a rebound name is wrong with every port.
    fn serves(&self, authority: &str) -> bool {
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        if authority.as_str().contains('@') {
            return false;
        }
        let host = authority.host().to_ascii_lowercase();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            || self.hosts.iter().any(|name| name == host)
    }
}

/// Answers 421 to a request for somebody else's name and 403 to a change or a socket that another
/// site asked for; hands on all others.
pub async fn check(
    State(guard): State<Arc<(Names, Access)>>,
    request: Request,
    next: Next,
) -> Response {
    let (names, access) = &*guard;
    let Some((status, detail)) = refusal(names, &request) else { return next.run(request).await };
    let peer = request.extensions().get::<Peer>();
    let entry = Entry {
        caller: None,
        via: None,
        // Before anything that a proxy says is looked at.
        address: peer.map(|peer| peer.0.ip().to_canonical().to_string()).unwrap_or_default(),
        action: format!("{} from elsewhere", request.method()),
        target: request.uri().path().to_owned(),
        status: status.as_u16(),
        detail: Some(detail.to_owned()),
    };
    access.audit(entry).await;
    problem(status, detail)
}

fn refusal(names: &Names, request: &Request<Body>) -> Option<(StatusCode, &'static str)> {
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
    let opens_socket = request.headers().contains_key(header::UPGRADE);
    // What carries a cookie is a browser, which says whose page opens a socket.
    let headers = request.headers();
    let unsaid = opens_socket
        && headers.contains_key(header::COOKIE)
        && !headers.contains_key(header::AUTHORIZATION)
        && !headers.contains_key(header::ORIGIN);
    ((changes || opens_socket) && (unsaid || !same_site(names, headers, host)))
        .then_some((StatusCode::FORBIDDEN, "another site asked for this"))
}

/// Whether it was asked for by our own page, or by no page at all.
fn same_site(names: &Names, headers: &HeaderMap, host: Option<&str>) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    match headers.get(header::ORIGIN) {
        None => true,
        // What a browser puts there is the scheme and, in the same words, what it has as the host.
        Some(origin) => origin.to_str().is_ok_and(|origin| {
            let bare = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            names.origin.as_deref() == Some(origin)
                || bare.zip(host).is_some_and(|(bare, host)| bare.eq_ignore_ascii_case(host))
        }),
    }
}

/// The value of a header that is there once, as text.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().and_then(|value| value.to_str().ok());
    value.filter(|_| values.next().is_none())
}

fn problem(status: StatusCode, detail: &str) -> Response {
    let problem = Problem {
        kind: "about:blank".to_owned(),
        title: status.canonical_reason().unwrap_or_default().to_owned(),
        status: status.as_u16(),
        detail: Some(detail.to_owned()),
        field: None,
        errors: Vec::new(),
        job_id: None,
    };
    let json = HeaderValue::from_static("application/problem+json");
    (status, [(header::CONTENT_TYPE, json)], axum::Json(problem)).into_response()
}
