//! In front of everything: who asks. Without a credential that works there is nothing to be had but the few
//! open routes, so a route that nobody thought of is closed, too.

use super::{Proxies, Route, Rule, Writes, cookie::Cookie, refusal};
use crate::web::Peer;
use access::{Access, audit::Entry};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use engine::Caller;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

/// What the gate knows.
pub struct Gate {
    pub access: Access,
    pub writes: Writes,
    pub proxies: Proxies,
    /// Whether browsers come by https, as far as it is configured.
    pub https: bool,
    /// The port we listen on.
    pub port: u16,
    open: Vec<Open>,
}

/// A path that everybody may ask for.
enum Open {
    Exactly(String),
    Below(String),
}

/// Who asks, from where, and what there is to decide about it. Among the extensions of every request.
#[derive(Clone)]
pub struct Visitor {
    pub caller: Option<Caller>,
    pub address: IpAddr,
    pub access: Access,
    pub writes: Writes,
    pub cookie: Cookie,
}

impl Gate {
    /// `routes`: those that are open are let through.
    pub fn new(
        access: Access,
        writes: Writes,
        proxies: Proxies,
        (https, port): (bool, u16),
        routes: &[Route],
    ) -> Self {
        let open = routes.iter().filter(|route| route.rule == Rule::Open);
        let open = open.map(|route| match route.path.split_once('{') {
            None => Open::Exactly(route.path.clone()),
            Some((before, _)) => Open::Below(before.to_owned()),
        });
        Self { access, writes, proxies, https, port, open: open.collect() }
    }

    fn is_open(&self, path: &str) -> bool {
        self.open.iter().any(|open| match open {
            Open::Exactly(exactly) => exactly == path,
            Open::Below(below) => path.starts_with(below),
        })
    }

    /// Who it is. A bearer token that does not work is not made up for by a cookie.
    async fn caller(&self, headers: &HeaderMap, cookie: &Cookie) -> Option<Caller> {
        match headers.get(header::AUTHORIZATION) {
            Some(value) => self.access.bearer(bearer(value)?).await,
            None => self.access.session(cookie.read(headers)?),
        }
    }
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Finds out who asks. Where that matters and nobody is known, a page leads to where one signs in, and whatever
/// else is asked for is refused.
pub async fn gate(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let peer = request.extensions().get::<Peer>();
    // Every connection has one; without it nothing is trusted.
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    let address = gate.proxies.client(peer, headers);
    let https = gate.https || gate.proxies.https(peer, headers);
    let cookie = Cookie::new(https, gate.port);
    let caller = gate.caller(headers, &cookie).await;
    let caller = caller.map(|caller| Caller { address: Some(address), ..caller });
    let path = request.uri().path();
    if caller.is_none() && !gate.is_open(path) {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let answer = match wants_page(&request) {
            true => to_sign_in(&request).into_response(),
            false => refusal::unauthorized(path),
        };
        if !reads || answer.status() == StatusCode::UNAUTHORIZED {
            let entry = without_access(&request, address);
            gate.access.audit(entry).await;
        }
        return answer;
    }
    let Gate { access, writes, .. } = &*gate;
    let (access, writes) = (access.clone(), writes.clone());
    request.extensions_mut().insert(Visitor { caller, address, access, writes, cookie });
    next.run(request).await
}

/// What is written down of a request without a credential that works.
fn without_access(request: &Request, address: IpAddr) -> Entry {
    let with_token = request.headers().contains_key(header::AUTHORIZATION);
    Entry {
        caller: None,
        via: None,
        address: address.to_string(),
        action: format!("{} without access", request.method()),
        target: request.uri().path().to_owned(),
        status: StatusCode::UNAUTHORIZED.as_u16(),
        detail: with_token.then(|| "with a token that does not work".to_owned()),
    }
}

/// Whether a browser asks for a document, to show it.
fn wants_page(request: &Request) -> bool {
    let headers = request.headers();
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let program = ["/api/", "/v0/", "/runner-jobs/", "/metrics"];
    !program.iter().any(|path| request.uri().path().starts_with(path))
        && !headers.contains_key(header::AUTHORIZATION)
        && accept.is_some_and(|accept| accept.contains("text/html"))
}

/// To the sign-in page, which leads back to what was asked for, if that was a page.
fn to_sign_in(request: &Request) -> Redirect {
    let uri = request.uri().path_and_query().map_or("/", |uri| uri.as_str());
    if *request.method() != Method::GET || uri == "/" {
        return Redirect::to("/login");
    }
    let next: String = uri.bytes().flat_map(escaped).collect();
    Redirect::to(&format!("/login?next={next}"))
}

/// A byte as it may stand in the value of a query parameter.
fn escaped(byte: u8) -> Vec<char> {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => vec![byte as char],
        _ => format!("%{byte:02X}").chars().collect(),
    }
}
