//! Users: all of them, and one more. What is done to [`one`] is on its own page.

pub(super) mod one;

use super::{Shown, Tab, obeyed};
use crate::{
    auth::{By, Done},
    query::Query,
    web::still::pieces::{button, form, new_name, new_password, role, section, table, time_or},
};
use access::Access;
use app::html::{element, link, text};
use axum::{Form, extract::State, response::Response};
use serde::Deserialize;
use shared::{
    Role,
    access::{NewUser, User},
};

pub(super) async fn page(State(access): State<Access>, By(caller): By, query: Query) -> Response {
    show(&Shown::new(&access, &caller, &query))
}

fn show(shown: &Shown<'_>) -> Response {
    let headings = [
        ("Name", ""),
        ("Role", "col-role"),
        ("Signs in", "col-queue wide"),
        ("Browsers", "col-figure wide"),
        ("Last used", "col-when"),
    ];
    let rows: String = shown.access.users().iter().map(row).collect();
    let list = element(
        "section class=\"card sheet\" aria-label=\"Users\"",
        &table("Users", &headings, &rows),
    );
    let new = [
        shown.said.at("add"),
        new_name(),
        role(Role::Viewer),
        new_password("Password, at least 12 characters"),
        button("Add user", "button-main"),
    ];
    let add = section("Add a user", &form("/settings/users", &new.concat()));
    shown.page(Tab::Users, "Users", &(list + &add))
}

fn row(user: &User) -> String {
    let name = link("job-name", &one::path(&user.name), &app::html::escape(&user.name));
    let cells = [
        element("td class=\"cut\"", &name),
        text("td class=\"col-role\"", user.role.as_str()),
        text("td class=\"col-queue wide\"", signs_in(user)),
        text("td class=\"col-figure num wide\"", &user.sessions.to_string()),
        element("td class=\"col-when\"", &time_or(user.used_at, "never")),
    ];
    element("tr", &cells.concat())
}

/// Whether it can.
fn signs_in(user: &User) -> &'static str {
    match (user.disabled, user.has_password) {
        (true, _) => "disabled",
        (false, false) => "no password",
        (false, true) => "yes",
    }
}

#[derive(Deserialize)]
pub(super) struct New {
    name: String,
    role: Role,
    password: String,
}

pub(super) async fn add(
    State(access): State<Access>,
    By(caller): By,
    Form(New { name, role, password }): Form<New>,
) -> Response {
    let new = NewUser { name: name.trim().to_owned(), role, password: Some(password) };
    match access.add_user(&caller, new).await {
        Ok(user) => obeyed("/settings/users", "added", Done::of_role(user.name, user.role)),
        Err(error) => show(&Shown::refused(&access, &caller, "add", &error)),
    }
}
