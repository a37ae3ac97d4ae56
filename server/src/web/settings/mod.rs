//! Settings: one's own account ([`account`]); for admins [`users`], [`keys`], [`sessions`] and the [`audit`] log.
//!
//! Documents and forms without WebAssembly, over the same methods of [`Access`] as the API, by the same rules.
//! A form that was obeyed leads to the page that shows it (303); one that was not is shown again with why.

mod account;
mod agent;
mod audit;
mod keys;
mod sessions;
mod users;

use super::still::{drawn::drawn, frame::framed, pieces::Said};
use crate::{
    auth::{Done, Routes, Rule},
    query::Query,
};
use access::{Access, AccessError};
use app::html::{element, text};
use axum::{
    Extension, middleware,
    response::{IntoResponse, Redirect, Response},
};
use engine::Caller;
use http::{StatusCode, header};
use shared::Role;

pub fn routes() -> Routes {
    let act = |name| Rule::Act(Role::Admin, name);
    let ends = |name| Rule::Ends(Role::Admin, name);
    let own = |name| Rule::Act(Role::Viewer, name);
    let ends_own = Rule::Ends(Role::Viewer, "session.end");
    let admin = Rule::Read(Role::Admin);
    Routes::new()
        .get("/settings", Rule::READ, account::page)
        .post("/settings/password", own("password.change"), account::password)
        .post("/settings/name", act("user.change"), account::name)
        .post("/settings/begin", act("user.change"), account::begin)
        .get("/settings/sessions", admin, sessions::page)
        .post("/settings/sessions/{id}/end", ends_own, sessions::end)
        .post("/settings/others/end", ends_own, sessions::end_others)
        .get("/settings/users", admin, users::page)
        .post("/settings/users", act("user.create"), users::add)
        .get("/settings/users/{name}", admin, users::one::page)
        .post("/settings/users/{name}/change", ends("user.change"), users::one::change)
        .post("/settings/users/{name}/delete", ends("user.delete"), users::one::delete)
        .get("/settings/keys", admin, keys::page)
        .post("/settings/keys", act("key.create"), keys::add)
        .post("/settings/keys/{id}/revoke", ends("key.revoke"), keys::revoke)
        .get("/settings/audit", admin, audit::page)
        .wrap(|router| router.layer(middleware::from_fn(drawn)))
}

/// The pages of the settings; all but the first are for admins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Account,
    Users,
    Keys,
    Sessions,
    Audit,
}

impl Tab {
    const ALL: [Self; 5] = [Self::Account, Self::Users, Self::Keys, Self::Sessions, Self::Audit];

    fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Account => ("/settings", "Account"),
            Self::Users => ("/settings/users", "Users"),
            Self::Keys => ("/settings/keys", "API keys"),
            Self::Sessions => ("/settings/sessions", "Sessions"),
            Self::Audit => ("/settings/audit", "Audit log"),
        }
    }
}

/// What a page of the settings needs to know: who asks for it, and what to say on it.
struct Shown<'a> {
    access: &'a Access,
    caller: &'a Caller,
    status: StatusCode,
    said: Said,
    /// What was done just now.
    done: Option<&'static str>,
}

impl<'a> Shown<'a> {
    fn new(access: &'a Access, caller: &'a Caller, query: &Query) -> Self {
        let done = query.text("done").and_then(done_words);
        Self { access, caller, status: StatusCode::OK, said: Said::default(), done }
    }

    /// The page again, with why the form of this name was not obeyed.
    fn refused(
        access: &'a Access,
        caller: &'a Caller,
        form: &'static str,
        error: &AccessError,
    ) -> Self {
        let (status, words) = match error {
            AccessError::Invalid { .. } => (StatusCode::BAD_REQUEST, error.to_string()),
            AccessError::Conflict(_) => (StatusCode::CONFLICT, error.to_string()),
            AccessError::NotFound(_) => (StatusCode::NOT_FOUND, error.to_string()),
            AccessError::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, error.to_string()),
            AccessError::Ended => (StatusCode::UNAUTHORIZED, error.to_string()),
            error => {
                tracing::error!(%error, "access cannot be read or changed");
                (StatusCode::SERVICE_UNAVAILABLE, "it cannot be changed now; try again".to_owned())
            }
        };
        Self { access, caller, status, said: Said::of(form, words), done: None }
    }

    /// The whole page. `inner` is HTML, `heading` stands over the pages' own names.
    fn page(&self, tab: Tab, title: &str, inner: &str) -> Response {
        let admin = self.caller.role == Role::Admin;
        let link = |at: &Tab| {
            let (href, word) = at.place();
            let current = if *at == tab { " aria-current=\"true\"" } else { "" };
            format!("<a class=\"chip\" href=\"{href}\"{current}>{word}</a>")
        };
        let tabs: String = Tab::ALL.iter().filter(|_| admin).map(link).collect();
        let tabs = if admin {
            element("nav class=\"chips\" aria-label=\"Settings\"", &tabs)
        } else {
            tabs
        };
        let head = element("div class=\"page-head\"", &text("h1", title));
        let done = self.done.map(|words| text("p class=\"done\" role=\"status\"", words));
        let inner =
            [head, tabs, done.unwrap_or_default(), element("div class=\"sheets\"", inner)].concat();
        framed(self.access, self.caller, self.status, title, &inner)
    }
}

/// What an address says that was done; its own words are never shown.
fn done_words(done: &str) -> Option<&'static str> {
    Some(match done {
        "begun" => "You have a name and a password now.",
        "password" => "Your password is changed. Your other browsers are signed out.",
        "name" => "Your name is changed.",
        "ended" => "Signed out there.",
        "added" => "The user is added.",
        "changed" => "The user is changed.",
        "deleted" => "The user is removed.",
        "revoked" => "The key is revoked.",
        _ => return None,
    })
}

/// Obeyed: on to the page that shows it. `target` is what it was done to, for the audit log.
fn obeyed(to: &str, done: &str, target: Done) -> Response {
    (Extension(target), Redirect::to(&format!("{to}?done={done}"))).into_response()
}

/// The refused form again, with when to come back.
fn later(mut response: Response, error: &AccessError) -> Response {
    if let AccessError::TooMany(seconds) = error {
        response.headers_mut().insert(header::RETRY_AFTER, (*seconds).into());
    }
    response
}

/// What a role may do.
fn may(role: Role) -> &'static str {
    match role {
        Role::Viewer => "reads everything",
        Role::Operator => "reads everything and acts on jobs and queues",
        Role::Admin => "may do everything",
    }
}
