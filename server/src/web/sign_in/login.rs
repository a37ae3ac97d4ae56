//! By name and password.

use super::{from, kept_out, let_in, where_a_link_will_be, where_the_link_is, words};
use crate::{
    auth::Visitor,
    query::Query,
    web::{
        ours::ours,
        still::{
            door,
            pieces::{alert, button, field, field_with},
        },
    },
};
use access::Access;
use app::html::escape;
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

pub(super) async fn page(State(access): State<Access>, visitor: Visitor, query: Query) -> Response {
    let next = ours(query.text("next"));
    if visitor.caller.is_some() {
        return Redirect::to(next).into_response();
    }
    if access.setup_code().is_some() {
        return where_the_link_is();
    }
    if !access.has_anyone() {
        return where_a_link_will_be();
    }
    form(StatusCode::OK, "", "", next)
}

/// `said` is HTML.
fn form(status: StatusCode, said: &str, name: &str, next: &str) -> Response {
    // Who was wrong once goes on with the password.
    let (first, second) = if name.is_empty() { (" autofocus", "") } else { ("", " autofocus") };
    let user = format!(
        "name=\"name\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required{first}"
    );
    let password = format!(
        "type=\"password\" name=\"password\" autocomplete=\"current-password\" required{second}"
    );
    let inner = format!(
        "<form class=\"sheet-form\" method=\"post\" action=\"/login\">{said}\
         <input type=\"hidden\" name=\"next\" value=\"{}\">{}{}{}</form>\
         <p class=\"door-more dim\">Forgotten? An admin can give you a new password.</p>",
        escape(next),
        field_with("Name", &user, name),
        field("Password", &password),
        button("Sign in", "button-main"),
    );
    door(status, "Sign in", &inner)
}

#[derive(Deserialize)]
pub(super) struct Login {
    name: String,
    password: String,
    next: Option<String>,
}

pub(super) async fn sign_in(
    State(access): State<Access>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(Login { name, password, next }): Form<Login>,
) -> Response {
    let next = ours(next.as_deref());
    match access.sign_in(&name, password, from(&visitor, &headers)).await {
        Ok(signed_in) => let_in(&access, &visitor, "sign-in", &signed_in, next).await,
        Err(error) => {
            let said = alert(&words(&error));
            let again = |status| form(status, &said, &name, next);
            kept_out((&access, &visitor), "sign-in", &name, &error, again).await
        }
    }
}
