//! What stands around the pages of somebody who is signed in: as on the board's own pages.

use super::{document, pieces};
use crate::pages::reader;
use access::Access;
use app::{
    html::{element, escape, icon, text},
    icon as icons,
};
use axum::response::Response;
use engine::Caller;
use http::StatusCode;

/// A page in the frame. `inner` is HTML.
pub fn framed(
    access: &Access,
    caller: &Caller,
    status: StatusCode,
    title: &str,
    inner: &str,
) -> Response {
    let menu = reader(access, caller).menu();
    let (brand, glass) = (app::BRAND, icon(icons::SEARCH));
    let body = format!(
        "<a class=\"skip\" href=\"#main\">Skip to content</a><div class=\"frame\">{}\
         <div class=\"frame-page\"><header class=\"head\"><a class=\"brand head-brand\" href=\"/\">{brand}</a>\
         <a class=\"head-search\" href=\"/jobs\">{glass}<span class=\"cut\">Search jobs</span></a>\
         <div class=\"me\">{menu}</div></header><main id=\"main\" tabindex=\"-1\">{inner}</main></div></div>",
        side()
    );
    document(status, title, &body)
}

/// The main navigation.
fn side() -> String {
    let ways =
        app::WAYS.iter().map(|(href, drawing, word)| way(href, drawing, word, "side-link", ""));
    let settings = way(
        "/settings",
        icons::SETTINGS,
        "Settings",
        "side-link side-settings",
        " aria-current=\"true\"",
    );
    let theme = format!(
        "<button class=\"side-link side-theme\" type=\"button\" data-theme-next hidden>{}\
         <span>Theme<span class=\"side-value\">: <span data-theme-word>system</span></span></span></button>",
        icon(icons::THEME)
    );
    let brand = format!("<a class=\"brand\" href=\"/\">{}</a>", app::BRAND);
    let inner = [brand, ways.collect(), settings, theme].concat();
    element("nav class=\"side\" aria-label=\"Main\"", &inner)
}

fn way(href: &str, drawing: &str, word: &str, class: &str, current: &str) -> String {
    let (drawing, word) = (icon(drawing), escape(word));
    format!("<a class=\"{class}\" href=\"{href}\"{current}>{drawing}<span>{word}</span></a>")
}

/// A page that says why there is no other.
pub fn notice(title: &str, words: &str) -> String {
    let links = "<p class=\"notice-links\"><a class=\"button\" href=\"/\">Overview</a></p>";
    let (title, words) = (escape(title), text("p class=\"dim\"", &pieces::sentence(words)));
    let icon = icon(icons::WARNING);
    format!(
        "<div class=\"notice notice-page\">{icon}<h1 class=\"notice-title\">{title}</h1>{words}{links}</div>"
    )
}
