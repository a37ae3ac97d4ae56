//! Refusals, for who looks at them in a browser: the same status and words as a page.

use super::{door, frame};
use crate::auth::Visitor;
use axum::{body::to_bytes, extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, StatusCode, header};
use shared::problem::Problem;

/// Bytes of a refusal's words.
const LONGEST: usize = 64 * 1024;

/// Draws what was refused, where a browser shows the answer as a page.
pub async fn drawn(request: Request, next: Next) -> Response {
    let shown = accepts_page(request.headers());
    let visitor = request.extensions().get::<Visitor>().cloned();
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_page = kind.is_some_and(|kind| kind.starts_with("text/html"));
    if !shown || is_page || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, LONGEST).await.unwrap_or_default();
    let words =
        words(&body).unwrap_or_else(|| status.canonical_reason().unwrap_or_default().to_owned());
    let inner = frame::notice(title(status), &words);
    let mut page = match visitor.and_then(|visitor| Some((visitor.caller?, visitor.access))) {
        Some((caller, access)) => frame::framed(&access, &caller, status, title(status), &inner),
        None => door(status, title(status), &super::pieces::alert(&words)),
    };
    if let Some(after) = parts.headers.get(header::RETRY_AFTER) {
        page.headers_mut().insert(header::RETRY_AFTER, after.clone());
    }
    page
}

/// Whether a browser asks, to show what it gets.
pub fn accepts_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The sentence of a problem, or a line of plain text.
fn words(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let problem = serde_json::from_str::<Problem>(text).ok();
    let words =
        problem.map_or_else(|| text.to_owned(), |problem| problem.detail.unwrap_or(problem.title));
    (!words.is_empty()).then_some(words)
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "You are not signed in",
        StatusCode::FORBIDDEN => "You may not do this",
        StatusCode::NOT_FOUND => "No such thing",
        StatusCode::TOO_MANY_REQUESTS => "Too many changes",
        status if status.is_server_error() => "Not now",
        _ => "Not done",
    }
}
