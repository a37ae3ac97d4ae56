//! The security headers of every response.

use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};

/// For what is no document: nothing in it may run, wherever it is shown.
const NOTHING_RUNS: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

const ALWAYS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// The policy of a document: scripts and WebAssembly of ours, inline ones only with this request's
/// nonce; no inline styles.
pub fn document_policy(nonce: &str) -> String {
    // `cargo leptos watch` reloads pages over a socket on another port.
    let watch = if cfg!(feature = "embed") { "" } else { " ws:" };
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'{watch}; manifest-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// A year.
const HTTPS_FROM_NOW_ON: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds what a response does not say itself.
pub async fn add(https: bool, mut response: Response) -> Response {
    let stranger = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    if stranger {
        // Whoever is not let in is told by what it would be (RFC 9110, 15.5.2), a browser's form, too: no browser
        // asks for a password because of it.
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(value);
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NOTHING_RUNS);
    // What only some may see is kept by nobody on the way.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HTTPS_FROM_NOW_ON);
    }
    response
}
