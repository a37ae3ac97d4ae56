//! What every request passes, and what a browser gets.
//!
//! - [`listener`]: the socket; [`serve`]: connections, their bounds and their end
//! - [`guard`]: which requests are ours to answer at all: `Host`, `Sec-Fetch-Site`, `Origin`
//! - [`headers`]: the security headers of every response
//! - [`document`]: pages, rendered on the server; [`assets`]: the files they load
//! - [`download`]: logs as files, whole, in ranges ([`range`]) or compressed
//! - [`forms`]: what the buttons on pages do without JavaScript
//!
//! [`router`] puts them around the routes of the API, the contracts and the forms. A page asks the
//! [`app::api::Pages`] that [`router`] was given for its data.

mod assets;
mod document;
mod download;
pub mod forms;
mod guard;
mod headers;
mod listener;
mod range;
mod selected;
mod serve;
#[cfg(test)]
mod tests;

pub use download::Download;
pub use guard::Names;
pub use listener::bind;
pub use serve::{Connected, serve};

use app::api::Pages;
use axum::{Router, middleware, routing::get};
use http::request::Parts;
use std::sync::Arc;

/// The whole site: `routes` and the pages, behind the guard, with the headers of every response.
/// `pages` makes what one request's page asks for its data, knowing who sent the request.
pub fn router<P>(names: Names, routes: Router, pages: P) -> Router
where
    P: Fn(&Parts) -> Arc<dyn Pages> + Clone + Send + Sync + 'static,
{
    routes
        .route("/pkg/{hash}/{*path}", get(assets::versioned))
        .route("/favicon.ico", get(assets::favicon))
        .fallback_service(get(document::handler(pages)))
        .layer(middleware::from_fn_with_state(Arc::new(names), guard::check))
        .layer(middleware::map_response(headers::add))
}
