//! Pages, rendered whole before the first byte is sent, so that the status is known and nothing on
//! them needs a script to appear.

use super::{assets, headers};
use app::{SiteOptions, api::Pages, shell};
use axum::{extract::Request, response::Response};
use http::{HeaderValue, header, request::Parts};
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_axum::{ResponseOptions, render_app_async_with_context};
use std::sync::Arc;

/// Renders the page of any path; the app's routes decide which, and whether there is one.
pub fn handler<P>(pages: P) -> impl Fn(Request) -> Rendering + Clone + Send + 'static
where
    P: Fn(&Parts) -> Option<Arc<dyn Pages>> + Clone + Send + Sync + 'static,
{
    // Rendering spawns its resources on the runtime of whoever serves; set once, kept by all.
    let _ = any_spawner::Executor::init_tokio();
    let options = LeptosOptions::builder().output_name("tailboard").build();
    render_app_async_with_context(
        move || {
            if let Some(pages) = use_context::<Parts>().and_then(|parts| pages(&parts)) {
                provide_context(pages);
            }
            provide_context(SiteOptions { pkg_prefix: assets::prefix() });
            describe_response();
        },
        move || shell(options.clone()),
    )
}

/// What [`render_app_async_with_context`] returns.
type Rendering = std::pin::Pin<Box<dyn Future<Output = Response> + Send>>;

/// The headers only a document has; its policy carries the nonce its scripts are written with.
fn describe_response() {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    // A copy kept by the browser would show yesterday's rows after "back".
    response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let policy = use_nonce().map(|nonce| headers::document_policy(&nonce));
    if let Some(policy) = policy.and_then(|policy| HeaderValue::from_str(&policy).ok()) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}
