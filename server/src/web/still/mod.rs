//! Pages that are not live: whole documents of text, without WebAssembly.
//!
//! [`document`] is what they all are; [`frame`] what stands around those of somebody who is signed in; [`pieces`]
//! what they are made of; [`drawn`] shows a browser a refusal as a page. What moves on them is in
//! `page.js`, and nothing on them needs it.

pub mod drawn;
pub mod frame;
pub mod pieces;

use super::{assets, headers};
use app::html::escape;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use leptos::nonce::Nonce;

/// Times in the reader's zone, the theme, copying, and the code of a setup link.
const SCRIPT: &str = include_str!("page.js");

/// A whole document. `body` is HTML, made with everything in it escaped.
pub fn document(status: StatusCode, title: &str, body: &str) -> Response {
    let (prefix, nonce, title) = (assets::prefix(), Nonce::new(), escape(title));
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · Tailboard</title>\
         <script nonce=\"{nonce}\">{}</script>\
         <link rel=\"stylesheet\" href=\"{prefix}/tailboard.css\">\
         <link rel=\"preload\" href=\"{prefix}/fonts/inter.woff2\" as=\"font\" type=\"font/woff2\" crossorigin>\
         <link rel=\"icon\" href=\"{prefix}/favicon.svg\" type=\"image/svg+xml\"></head>\
         <body>{body}<script nonce=\"{nonce}\">{SCRIPT}</script></body></html>",
        app::THEME
    );
    let mut response = (status, Html(html)).into_response();
    // A nonce is letters and digits.
    if let Ok(policy) = HeaderValue::from_str(&headers::document_policy(&nonce)) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The same outside of the board, for who is not signed in: one box in the middle.
pub fn door(status: StatusCode, title: &str, inner: &str) -> Response {
    let (brand, heading) = (app::BRAND, escape(title));
    let body = format!(
        "<main class=\"door\" id=\"main\"><div class=\"door-box card\"><p class=\"brand\">{brand}</p>\
         <h1>{heading}</h1>{inner}</div></main>"
    );
    document(status, title, &body)
}
