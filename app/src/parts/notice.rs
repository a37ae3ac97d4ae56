//! What stands where rows would: nothing there yet, not found, not allowed, not now.

use super::icon::{self, Icon};
use crate::api::PageError;
use leptos::prelude::*;

/// There is nothing to show, and that is all right; where to go from there.
#[component]
pub fn Empty(
    #[prop(into)] title: String,
    /// Address and words of a link.
    #[prop(optional)]
    link: Option<(&'static str, &'static str)>,
    #[prop(optional)] text: &'static str,
) -> impl IntoView {
    view! {
        <div class="notice">
            <Icon path=icon::INBOX/>
            <p class="notice-title">{title}</p>
            <p class="dim">
                {link.map(|(href, words)| view! { <a href=href>{words}</a> })}
                {text}
            </p>
        </div>
    }
}

/// A page that cannot be shown, with the status that says so.
#[component]
pub fn Refused(why: PageError, what: &'static str) -> impl IntoView {
    let (status, title, text) = match why {
        PageError::NotFound => (
            404,
            format!("No such {what}"),
            "It may have been deleted, or the address is wrong.".to_owned(),
        ),
        PageError::Forbidden => {
            (403, format!("You may not see this {what}"), "Ask whoever runs this board.".to_owned())
        }
        PageError::Unavailable(why) => (
            503,
            format!("The {what} cannot be shown now"),
            format!("{}.", why.trim_end_matches('.')),
        ),
    };
    answer_with(status);
    view! {
        <div class="notice notice-page" role="alert">
            <Icon path=icon::WARNING/>
            <h1 class="notice-title">{title}</h1>
            <p class="dim">{text}</p>
            <p class="notice-links">
                <a class="button" href="" rel="external">
                    "Try again"
                </a>
                <a class="button" href="/">
                    "Overview"
                </a>
            </p>
        </div>
    }
}

/// Sets the status of the response while the page is rendered on the server.
pub fn answer_with(status: u16) {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>()
        && let Ok(status) = status.try_into()
    {
        response.set_status(status);
    }
    #[cfg(not(feature = "ssr"))]
    let _ = status;
}

/// What a page shows while it is fetched: quiet bars in the place of rows.
#[component]
pub fn Loading() -> impl IntoView {
    view! {
        <div class="loading" role="status" aria-label="Loading">
            <div class="loading-bar"></div>
            <div class="loading-bar"></div>
            <div class="loading-bar"></div>
        </div>
    }
}
