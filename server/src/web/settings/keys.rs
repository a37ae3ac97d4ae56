//! API keys: all of them, one more, and the end of one.

use super::{Shown, Tab, obeyed};
use crate::{
    auth::{By, Done},
    path::Path,
    query::Query,
    web::still::pieces::{
        button, choice, day, form, new_name, role, section, sure, table, time_or,
    },
};
use access::{Access, AccessError};
use app::html::{element, escape, text};
use axum::{
    Extension, Form,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Deserialize;
use shared::{
    Role, Timestamp,
    access::{ApiKey, KeyMade, NewKey},
};

const DAY_MS: i64 = 86_400_000;
/// Days a key works, and the words for it; a choice of the form, not of the API.
const DAYS: [(&str, &str); 5] = [
    ("7", "7 days"),
    ("30", "30 days"),
    ("90", "90 days"),
    ("365", "a year"),
    ("", "until it is revoked"),
];

pub(super) async fn page(State(access): State<Access>, By(caller): By, query: Query) -> Response {
    show(&Shown::new(&access, &caller, &query), "")
}

/// `made` is HTML: the key that was made just now.
fn show(shown: &Shown<'_>, made: &str) -> Response {
    let keys = shown.access.keys();
    let headings = [
        ("Name", ""),
        ("Role", "col-role"),
        ("Made by", "col-queue broad"),
        ("Last used", "col-when broad"),
        ("Works until", "col-when"),
        ("", "col-act"),
    ];
    let rows: String = keys.iter().map(row).collect();
    let list = match keys.is_empty() {
        true => text(
            "p class=\"remark\"",
            "There are none yet. A key is for a script or a program: it sends it with each request.",
        ),
        false => table("API keys", &headings, &rows),
    };
    let list = element(
        "section class=\"card sheet\" aria-label=\"API keys\"",
        &(shown.said.at("revoke") + &list),
    );
    let new = [
        shown.said.at("add"),
        new_name(),
        role(Role::Viewer),
        choice("Works for", "days", &DAYS, "90"),
        button("Make key", "button-main"),
    ];
    let add = section("Make a key", &form("/settings/keys", &new.concat()));
    shown.page(Tab::Keys, "API keys", &[made, &list, &add].concat())
}

fn row(key: &ApiKey) -> String {
    let until = match key.revoked_at {
        Some(at) => format!("revoked {}", day(at)),
        None => key.until.map_or_else(|| "it is revoked".to_owned(), day),
    };
    let label = format!("Revoke {}", key.name);
    let why = "Whatever uses this key is refused from then on, and its streams end. This cannot be undone.";
    let revoke = match key.revoked_at {
        None => sure(&format!("/settings/keys/{}/revoke", key.id), "Revoke", &label, why),
        Some(_) => String::new(),
    };
    let cells = [
        text("td class=\"cut\"", &key.name),
        text("td class=\"col-role\"", key.role.as_str()),
        text("td class=\"col-queue cut broad\"", &key.created_by),
        element("td class=\"col-when broad\"", &time_or(key.used_at, "never")),
        element("td class=\"col-when\"", &until),
        element("td class=\"col-act\"", &revoke),
    ];
    let open = if key.revoked_at.is_some() { "tr class=\"dim\"" } else { "tr" };
    element(open, &cells.concat())
}

#[derive(Deserialize)]
pub(super) struct New {
    name: String,
    role: Role,
    /// Empty: no end.
    days: String,
}

/// A key is shown in the answer that makes it, and never again: there is no page to lead to.
pub(super) async fn add(
    State(access): State<Access>,
    By(caller): By,
    Form(New { name, role, days }): Form<New>,
) -> Response {
    // What is no choice of the form is the shortest one.
    let days = (!days.is_empty()).then(|| days.parse().unwrap_or(7).clamp(1, 3650));
    let until = days.map(|days: i64| Timestamp(Timestamp::now().0.saturating_add(days * DAY_MS)));
    match access.add_key(&caller, NewKey { name: name.trim().to_owned(), role, until }).await {
        Ok(KeyMade { key, token }) => {
            let done = Extension(Done::of_role(&key.name, key.role));
            let mut shown = Shown::new(&access, &caller, &Query::default());
            shown.status = StatusCode::CREATED;
            (done, show(&shown, &made(&key, &token))).into_response()
        }
        Err(error) => show(&Shown::refused(&access, &caller, "add", &error), ""),
    }
}

/// What is shown this once.
fn made(key: &ApiKey, token: &str) -> String {
    let (name, token) = (escape(&key.name), escape(token));
    let curl = format!("curl -N -H \"Authorization: Bearer {token}\" ORIGIN/api/v1/me");
    let curl = escape(&curl);
    let inner = format!(
        "<p class=\"remark\">Copy it now: it cannot be shown again.</p>\
         <div class=\"token\"><code class=\"mono\" aria-label=\"Token of {name}\">{token}</code>\
         <button type=\"button\" class=\"button\" data-copy=\"{token}\" hidden>Copy</button></div>\
         <details class=\"story\"><summary>Try it</summary><pre class=\"command mono\" data-origin>{curl}</pre></details>"
    );
    section(&format!("Token of {}", key.name), &inner)
}

pub(super) async fn revoke(
    State(access): State<Access>,
    By(caller): By,
    Path(id): Path<String>,
) -> Response {
    let revoked = match id.parse() {
        Ok(id) => access.revoke_key(&caller, id).await,
        Err(_) => Err(AccessError::NotFound(format!("key {id}"))),
    };
    match revoked {
        Ok(name) => obeyed("/settings/keys", "revoked", Done::to(name)),
        Err(error) => show(&Shown::refused(&access, &caller, "revoke", &error), ""),
    }
}
