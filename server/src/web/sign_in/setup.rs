//! By the link that is printed while nobody has access. Its code is in the fragment, which browsers send to
//! nobody; a script of the page takes it out of the address and puts it into the form.

use super::{from, kept_out, let_in, words};
use crate::{
    auth::Visitor,
    web::still::{
        door,
        pieces::{alert, button},
    },
};
use access::Access;
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

pub(super) async fn page(State(access): State<Access>) -> Response {
    if access.setup_code().is_none() {
        return Redirect::to("/login").into_response();
    }
    form(StatusCode::OK, "")
}

/// `said` is HTML.
fn form(status: StatusCode, said: &str) -> Response {
    let inner = format!(
        "<p>Nobody has access to this board yet. Begin, and you are its first admin.</p>\
         <form class=\"sheet-form\" method=\"post\" action=\"/setup\">{said}\
         <label class=\"field\" data-without-code><span>Code</span>\
         <input class=\"input mono\" name=\"code\" data-from-address autocomplete=\"off\" \
         autocapitalize=\"none\" spellcheck=\"false\" required></label>\
         <p class=\"dim\" data-without-code>It is what follows the # in the link that \
         <code class=\"mono\">tailboard serve</code> printed.</p>{}</form>",
        button("Begin as admin", "button-main")
    );
    door(status, "Set up Tailboard", &inner)
}

#[derive(Deserialize)]
pub(super) struct Setup {
    code: String,
}

pub(super) async fn set_up(
    State(access): State<Access>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(Setup { code }): Form<Setup>,
) -> Response {
    match access.set_up(code.trim(), from(&visitor, &headers)).await {
        Ok(signed_in) => let_in(&access, &visitor, "set-up", &signed_in, "/").await,
        Err(error) => {
            let said = alert(&words(&error));
            kept_out((&access, &visitor), "set-up", "", &error, |status| form(status, &said)).await
        }
    }
}
