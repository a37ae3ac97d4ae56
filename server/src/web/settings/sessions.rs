//! Browsers that are signed in: one's own, and for admins everybody's.

use super::{Shown, Tab, agent, obeyed};
use crate::{
    auth::{By, Done},
    path::Path,
    query::Query,
    web::{
        ours::ours,
        still::pieces::{act, section, table, time},
    },
};
use access::{Access, AccessError};
use app::html::{element, escape, text};
use axum::{Form, extract::State, response::Response};
use engine::Caller;
use serde::Deserialize;
use shared::access::Session;

/// Everybody's sessions.
pub(super) async fn page(State(access): State<Access>, By(caller): By, query: Query) -> Response {
    let shown = Shown::new(&access, &caller, &query);
    let rows = rows(&access.sessions(&caller), "/settings/sessions", true);
    let headings = [
        ("User", ""),
        ("Browser", ""),
        ("Address", "col-address broad"),
        ("Signed in", "col-when broad"),
        ("Last used", "col-when wide"),
        ("", "col-act"),
    ];
    let list = table("Sessions", &headings, &rows);
    shown.page(
        Tab::Sessions,
        "Sessions",
        &element("section class=\"card sheet\" aria-label=\"Sessions\"", &list),
    )
}

/// One's own, for the account's page.
pub(super) fn own(shown: &Shown<'_>) -> String {
    let own = of(shown.access, shown.caller, &shown.caller.name);
    let others = own.len() > 1;
    let list = list(&own, "/settings");
    let all = "<form class=\"sheet-form\" method=\"post\" action=\"/settings/others/end\">\
        <button class=\"button\">Sign out all other browsers</button></form>";
    section("Browsers you are signed in with", &(list + if others { all } else { "" }))
}

/// The sessions of one user, of those that `caller` may see.
pub(super) fn of(access: &Access, caller: &Caller, user: &str) -> Vec<Session> {
    let mut sessions = access.sessions(caller);
    sessions.retain(|session| session.user == user);
    sessions
}

/// Sessions of one user as a table; `here` is the page it stands on.
pub(super) fn list(sessions: &[Session], here: &str) -> String {
    let headings = [
        ("Browser", ""),
        ("Address", "col-address broad"),
        ("Signed in", "col-when broad"),
        ("Last used", "col-when"),
        ("", "col-act"),
    ];
    table("Sessions", &headings, &rows(sessions, here, false))
}

fn rows(sessions: &[Session], here: &str, with_user: bool) -> String {
    // Two names and a button are all that a phone has room for.
    let used = if with_user { "td class=\"col-when wide\"" } else { "td class=\"col-when\"" };
    let row = |session: &Session| {
        let browser = agent::short(&session.agent);
        let this = if session.current { " <span class=\"tag\">this browser</span>" } else { "" };
        let label = format!("Sign out {browser} of {}", session.user);
        let hidden = format!("<input type=\"hidden\" name=\"to\" value=\"{}\">", escape(here));
        // The form carries where to go back to.
        let end = act(&format!("/settings/sessions/{}/end", session.id), "Sign out", &label)
            .replacen("</form>", &(hidden + "</form>"), 1);
        let user = text("td class=\"cut\"", &session.user);
        let cells = [
            if with_user { user } else { String::new() },
            format!(
                "<td class=\"cut\" title=\"{}\">{}{this}</td>",
                escape(&session.agent),
                escape(&browser)
            ),
            text("td class=\"cut num col-address broad\"", &session.address),
            element("td class=\"col-when broad\"", &time(session.created_at)),
            element(used, &time(session.used_at)),
            element("td class=\"col-act\"", &end),
        ];
        element("tr", &cells.concat())
    };
    sessions.iter().map(row).collect()
}

#[derive(Deserialize)]
pub(super) struct Back {
    to: Option<String>,
}

pub(super) async fn end(
    State(access): State<Access>,
    By(caller): By,
    Path(id): Path<String>,
    Form(Back { to }): Form<Back>,
) -> Response {
    let gone = || AccessError::NotFound(format!("session {id}: it has ended"));
    let done = match id.parse() {
        Ok(id) => access.end_session(&caller, id).await,
        Err(_) => Err(gone()),
    };
    let to = ours(to.as_deref());
    let to = if to.starts_with("/settings") && !to.contains(['?', '#']) { to } else { "/settings" };
    match done {
        Ok(user) => obeyed(to, "ended", Done::to(user)),
        Err(error) => {
            let shown = Shown::refused(&access, &caller, "session", &error);
            let words = shown.said.at("session");
            shown.page(Tab::Account, "Sessions", &words)
        }
    }
}

/// Ends all of one's own sessions but this.
pub(super) async fn end_others(State(access): State<Access>, By(caller): By) -> Response {
    let others = of(&access, &caller, &caller.name).into_iter().filter(|session| !session.current);
    for session in others {
        match access.end_session(&caller, session.id).await {
            // It ended by itself meanwhile.
            Ok(_) | Err(AccessError::NotFound(_)) => {}
            Err(error) => {
                let shown = Shown::refused(&access, &caller, "session", &error);
                let words = shown.said.at("session");
                return shown.page(Tab::Account, "Sessions", &words);
            }
        }
    }
    obeyed("/settings", "ended", Done::to(&*caller.name))
}
