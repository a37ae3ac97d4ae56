//! One user: role, password, browsers, and its end.

use super::signs_in;
use crate::{
    auth::{By, Done},
    path::Path,
    query::Query,
    web::{
        settings::{Shown, Tab, may, obeyed, sessions},
        still::pieces::{button, facts, form, new_password, role, section, sure, time, time_or},
    },
};
use access::{Access, AccessError};
use app::html::{element, text};
use axum::{Form, extract::State, response::Response};
use serde::Deserialize;
use shared::{
    Role,
    access::{User, UserChange},
};

/// The page of a user. Names are letters, digits and `._-@`, all of which may stand in a path.
pub(super) fn path(name: &str) -> String {
    format!("/settings/users/{name}")
}

pub(in crate::web::settings) async fn page(
    State(access): State<Access>,
    By(caller): By,
    Path(name): Path<String>,
    query: Query,
) -> Response {
    match access.user(&name) {
        Ok(user) => show(&Shown::new(&access, &caller, &query), &user),
        Err(error) => gone(&Shown::refused(&access, &caller, "user", &error)),
    }
}

/// There is no such user.
fn gone(shown: &Shown<'_>) -> Response {
    shown.page(Tab::Users, "No such user", &shown.said.at("user"))
}

fn show(shown: &Shown<'_>, user: &User) -> Response {
    let path = path(&user.name);
    let to = |what: &str| format!("{path}/{what}");
    let who = facts(&[
        ("Role", format!("{} <span class=\"dim\">· {}</span>", user.role.as_str(), may(user.role))),
        ("Signs in", signs_in(user).to_owned()),
        ("Added", time(user.created_at)),
        ("Last used", time_or(user.used_at, "never")),
    ]);
    let new_role = shown.said.at("role") + &role(user.role) + &button("Change role", "");
    let word = if user.has_password { "Set another password" } else { "Set a password" };
    let password = [
        shown.said.at("password"),
        new_password("New password, at least 12 characters"),
        button(word, ""),
    ];
    let browsers = sessions::of(shown.access, shown.caller, &user.name);
    let browsers = match browsers.is_empty() {
        true => text("p class=\"remark\"", "Not signed in anywhere."),
        false => sessions::list(&browsers, &path),
    };
    let (value, word) = if user.disabled { ("false", "Enable") } else { ("true", "Disable") };
    let disable = format!(
        "{}<p class=\"dim\">Who is disabled is signed out at once and cannot sign in.</p>\
         <input type=\"hidden\" name=\"disabled\" value=\"{value}\">{}",
        shown.said.at("disabled"),
        button(word, "")
    );
    let why = format!("{} is signed out at once. What was done stays in the audit log.", user.name);
    let remove = sure(&to("delete"), "Remove", &format!("Remove {}", user.name), &why);
    let end = [
        form(&to("change"), &disable),
        element("div class=\"sheet-form\"", &(shown.said.at("delete") + &remove)),
    ];
    let inner = [
        section("User", &(who + &form(&to("change"), &new_role))),
        section("Password", &form(&to("change"), &password.concat())),
        section("Browsers", &browsers),
        section("No longer", &end.concat()),
    ];
    shown.page(Tab::Users, &user.name, &inner.concat())
}

/// One of them at a time: each has its form.
#[derive(Deserialize)]
pub(in crate::web::settings) struct Change {
    role: Option<Role>,
    password: Option<String>,
    disabled: Option<bool>,
}

pub(in crate::web::settings) async fn change(
    State(access): State<Access>,
    By(caller): By,
    Path(name): Path<String>,
    Form(Change { role, password, disabled }): Form<Change>,
) -> Response {
    let (form, detail) = match (role, disabled) {
        (Some(role), _) => ("role", format!("role {}", role.as_str())),
        (_, Some(true)) => ("disabled", "disabled".to_owned()),
        (_, Some(false)) => ("disabled", "enabled".to_owned()),
        _ => ("password", "password".to_owned()),
    };
    let change = UserChange { name: None, role, disabled, password };
    match access.change_user(&caller, &name, change).await {
        Ok(user) => {
            obeyed(&path(&user.name), "changed", Done { detail: Some(detail), ..Done::to(name) })
        }
        Err(error) => refused(&Shown::refused(&access, &caller, form, &error), &name),
    }
}

pub(in crate::web::settings) async fn delete(
    State(access): State<Access>,
    By(caller): By,
    Path(name): Path<String>,
) -> Response {
    match access.delete_user(&caller, &name).await {
        Ok(()) => obeyed("/settings/users", "deleted", Done::to(name)),
        Err(error @ AccessError::NotFound(_)) => {
            gone(&Shown::refused(&access, &caller, "user", &error))
        }
        Err(error) => refused(&Shown::refused(&access, &caller, "delete", &error), &name),
    }
}

/// The user's page again, if there is the user.
fn refused(shown: &Shown<'_>, name: &str) -> Response {
    match shown.access.user(name) {
        Ok(user) => show(shown, &user),
        Err(error) => gone(&Shown::refused(shown.access, shown.caller, "user", &error)),
    }
}
