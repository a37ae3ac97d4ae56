//! What every request passes, and what a browser gets.
//!
//! - [`listener`]: the socket; [`serve`]: connections, their bounds and their end; [`connections`]: how many of each
//!   address; [`in_time`]: bodies that never come; [`endless`]: streams, written without HTTP's buffers
//! - [`guard`]: which requests are ours to answer at all: `Host`, `Sec-Fetch-Site`, `Origin`
//! - [`headers`]: the security headers of every response
//! - [`document`]: pages, rendered on the server; [`assets`]: the files they load
//! - [`download`]: logs as files, whole, in ranges ([`range`]) or compressed
//! - [`forms`]: what the buttons on pages do without JavaScript; [`ours`]: where a form leads back to
//! - [`still`]: pages without WebAssembly; of them are made [`sign_in`], into and out of a session, and
//!   [`settings`], who has access
//!
//! [`router`] puts them around the routes of the API, the contracts and the forms. A page asks the
//! [`app::api::Pages`] that [`router`] was given for its data.

mod assets;
mod connections;
mod document;
mod download;
mod endless;
pub mod forms;
mod guard;
mod headers;
mod in_time;
mod listener;
mod ours;
mod range;
mod selected;
mod serve;
pub mod settings;
pub mod sign_in;
pub mod still;
#[cfg(test)]
mod tests;

pub use connections::Connections;
pub use download::Download;
pub use endless::IsEndless;
pub use guard::Names;
pub use listener::bind;
pub use serve::{Connected, Peer, serve};

use crate::auth::{Gate, Routes, Rule, gate as gate_keeper};
use app::api::Pages;
use axum::{Router, middleware};
use http::request::Parts;
use std::sync::Arc;

/// What everybody may have: what the sign-in page is made of.
pub fn assets<S: Clone + Send + Sync + 'static>() -> Routes<S> {
    Routes::new().get("/pkg/{hash}/{*path}", Rule::Open, assets::versioned).get(
        "/favicon.ico",
        Rule::Open,
        assets::favicon,
    )
}

/// The whole site: `routes` and the pages, behind gate and guard, with the headers of every response.
/// `pages` makes what one request's page asks for its data, knowing who sent the request.
pub fn router<P>(names: Names, gate: Gate, routes: Router, pages: P) -> Router
where
    P: Fn(&Parts) -> Option<Arc<dyn Pages>> + Clone + Send + Sync + 'static,
{
    let https = gate.https;
    let guard = (names, gate.access.clone());
    routes
        .fallback_service(axum::routing::get(document::handler(pages)))
        .layer(middleware::from_fn_with_state(Arc::new(gate), gate_keeper))
        .layer(middleware::from_fn_with_state(Arc::new(guard), guard::check))
        .layer(middleware::map_response(move |response| headers::add(https, response)))
}
