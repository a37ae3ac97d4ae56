//! One's own account: who one is, the password, and the browsers one is signed in with.

use super::{Shown, Tab, later, may, obeyed, sessions};
use crate::{
    auth::{By, Done},
    query::Query,
    web::still::pieces::{button, facts, field, field_with, form, new_password, section},
};
use access::{Access, AccessError};
use app::html::escape;
use axum::{Form, extract::State, response::Response};
use engine::Caller;
use serde::Deserialize;
use shared::{
    Role,
    access::{User, UserChange, Via},
};

const NAME: &str = "name=\"name\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" maxlength=\"64\" required";

pub(super) async fn page(State(access): State<Access>, By(caller): By, query: Query) -> Response {
    show(&Shown::new(&access, &caller, &query))
}

fn show(shown: &Shown<'_>) -> Response {
    let Shown { access, caller, .. } = shown;
    // A key has no password and no browsers.
    let user = access.user(&caller.name).ok().filter(|_| caller.via == Via::Session);
    let who = facts(&[
        ("Name", escape(&caller.name)),
        (
            "Role",
            format!("{} <span class=\"dim\">· {}</span>", caller.role.as_str(), may(caller.role)),
        ),
    ]);
    let inner = match &user {
        Some(user) if user.has_password => {
            let rename = if caller.role == Role::Admin { rename(shown) } else { String::new() };
            [section("Account", &(who + &rename)), section("Password", &change_password(shown))]
                .concat()
        }
        Some(user) => begin_form(shown, user) + &section("Account", &who),
        None => section("Account", &who),
    };
    let browsers = user.map(|_| sessions::own(shown)).unwrap_or_default();
    shown.page(Tab::Account, "Settings", &(inner + &browsers))
}

fn rename(shown: &Shown<'_>) -> String {
    let inner = shown.said.at("name")
        + &field_with("Another name", NAME, &shown.caller.name)
        + &button("Change name", "");
    form("/settings/name", &inner)
}

fn change_password(shown: &Shown<'_>) -> String {
    let current = "type=\"password\" name=\"current\" autocomplete=\"current-password\" required";
    let inner = [
        shown.said.at("password"),
        format!(
            "<input type=\"hidden\" name=\"name\" autocomplete=\"username\" value=\"{}\">",
            escape(&shown.caller.name)
        ),
        field("Password you have now", current),
        new_password("New password, at least 12 characters"),
        again(),
        button("Change password", ""),
    ];
    form("/settings/password", &inner.concat())
}

fn again() -> String {
    field(
        "The same again",
        "type=\"password\" name=\"again\" autocomplete=\"new-password\" maxlength=\"256\" required",
    )
}

/// For who came by the link of the first start.
fn begin_form(shown: &Shown<'_>, user: &User) -> String {
    let words = "<p class=\"remark\">You came by the link of the first start. When this session ends, only a \
        name and a password bring you back; until there is one the board listens on its own machine only. \
        It can wait: <a href=\"/\">go to the board</a>.</p>";
    let inner = [
        shown.said.at("begin"),
        field_with("Name", NAME, &user.name),
        new_password("Password, at least 12 characters"),
        again(),
        button("Save", "button-main"),
    ];
    section(
        "Give yourself a name and a password",
        &(words.to_owned() + &form("/settings/begin", &inner.concat())),
    )
}

#[derive(Deserialize)]
pub(super) struct NewPassword {
    current: Option<String>,
    password: String,
    again: String,
}

/// A field that is to be filled in twice.
fn same(password: &str, again: &str) -> Result<(), AccessError> {
    let rule = || "is not the same both times".to_owned();
    let wrong = || AccessError::Invalid { field: "password", rule: rule() };
    (password == again).then_some(()).ok_or_else(wrong)
}

pub(super) async fn password(
    State(access): State<Access>,
    By(caller): By,
    Form(new): Form<NewPassword>,
) -> Response {
    let NewPassword { current, password, again } = new;
    let done = async {
        for_users(&caller)?;
        same(&password, &again)?;
        access.set_password(&caller.name, current, password, caller.credential).await
    };
    match done.await {
        Ok(()) => obeyed("/settings", "password", Done::to(&*caller.name)),
        Err(error) => later(show(&Shown::refused(&access, &caller, "password", &error)), &error),
    }
}

#[derive(Deserialize)]
pub(super) struct NewName {
    name: String,
}

pub(super) async fn name(
    State(access): State<Access>,
    By(caller): By,
    Form(NewName { name }): Form<NewName>,
) -> Response {
    match called(&access, &caller, name.trim()).await {
        Ok(_) => obeyed("/settings", "name", named(&caller, name.trim())),
        Err(error) => show(&Shown::refused(&access, &caller, "name", &error)),
    }
}

#[derive(Deserialize)]
pub(super) struct Begin {
    name: String,
    password: String,
    again: String,
}

/// Name and password of the first admin; it is signed in already.
pub(super) async fn begin(
    State(access): State<Access>,
    By(caller): By,
    Form(Begin { name, password, again }): Form<Begin>,
) -> Response {
    // Asked for while there is none: who has one proves it first, in the other form.
    if access.user(&caller.name).is_ok_and(|user| user.has_password) {
        let error = AccessError::Conflict("you have a password already".to_owned());
        return show(&Shown::refused(&access, &caller, "password", &error));
    }
    let name = name.trim();
    let mut now = caller.clone();
    let done = async {
        for_users(&caller)?;
        same(&password, &again)?;
        now = called(&access, &caller, name).await?;
        access.set_password(&now.name, None, password, now.credential).await
    };
    let done = done.await;
    match done {
        Ok(()) => obeyed("/settings", "begun", named(&caller, name)),
        Err(error) => show(&Shown::refused(&access, &now, "begin", &error)),
    }
}

fn for_users(caller: &Caller) -> Result<(), AccessError> {
    let only = || AccessError::Conflict("only a user who is signed in has a password".to_owned());
    (caller.via == Via::Session).then_some(()).ok_or_else(only)
}

/// Gives a user who is signed in another name; who it is then.
async fn called(access: &Access, caller: &Caller, name: &str) -> Result<Caller, AccessError> {
    for_users(caller)?;
    if *caller.name != *name {
        let change = UserChange { name: Some(name.to_owned()), ..UserChange::default() };
        access.change_user(caller, &caller.name, change).await?;
    }
    Ok(Caller { name: name.into(), ..caller.clone() })
}

fn named(caller: &Caller, name: &str) -> Done {
    Done { detail: Some(format!("name {name}")), ..Done::to(&*caller.name) }
}
