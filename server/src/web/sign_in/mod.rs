//! Into a session and out of it: by the link of the first start ([`setup`]), or by name and password ([`login`]).

mod login;
mod setup;

use super::still::{door, drawn::drawn};
use crate::auth::{Routes, Rule, Visitor};
use access::{Access, AccessError, SignedIn, audit::Entry, sessions::From};
use axum::{
    extract::State,
    middleware,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode, header};
use shared::{Role, access::Via};

pub fn routes() -> Routes {
    Routes::new()
        .get("/login", Rule::Open, login::page)
        .post("/login", Rule::Open, login::sign_in)
        .get("/setup", Rule::Open, setup::page)
        .post("/setup", Rule::Open, setup::set_up)
        .post("/logout", Rule::Ends(Role::Viewer, "sign-out"), logout)
        .wrap(|router| router.layer(middleware::from_fn(drawn)))
}

async fn logout(State(access): State<Access>, visitor: Visitor) -> Response {
    if let Some(caller) = visitor.caller.filter(|caller| caller.via == Via::Session) {
        // It may have ended meanwhile: signed out is signed out.
        if let Err(error) = access.end_session(&caller, caller.credential).await
            && !matches!(error, AccessError::NotFound(_))
        {
            tracing::error!(%error, "a session could not be ended");
            return (StatusCode::SERVICE_UNAVAILABLE, "Not done: try again.\n").into_response();
        }
    }
    ([(header::SET_COOKIE, visitor.cookie.clear())], Redirect::to("/login")).into_response()
}

async fn let_in(
    access: &Access,
    visitor: &Visitor,
    action: &str,
    signed_in: &SignedIn,
    next: &str,
) -> Response {
    let entry = Entry {
        caller: Some(signed_in.caller.name.to_string()),
        via: Some(Via::Session),
        address: visitor.address.to_string(),
        action: action.to_owned(),
        target: signed_in.caller.name.to_string(),
        status: StatusCode::SEE_OTHER.as_u16(),
        detail: None,
    };
    access.audit(entry).await;
    let cookie = visitor.cookie.set(&signed_in.secret, access.session_longest().as_secs());
    ([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response()
}

/// Nobody was let in: writes it down and says so in the form, which `form` makes with the status. `name` is
/// whom they said to be.
async fn kept_out(
    (access, visitor): (&Access, &Visitor),
    action: &str,
    name: &str,
    error: &AccessError,
    form: impl FnOnce(StatusCode) -> Response,
) -> Response {
    let status = match error {
        AccessError::SignIn | AccessError::Invalid { .. } => StatusCode::UNAUTHORIZED,
        AccessError::Conflict(_) => StatusCode::CONFLICT,
        AccessError::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        error => {
            tracing::error!(%error, "nobody can be signed in");
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    let entry = Entry {
        caller: None,
        via: None,
        address: visitor.address.to_string(),
        action: action.to_owned(),
        // What is nobody's name may be a password in the wrong field.
        target: access.user(name).map(|user| user.name).unwrap_or_default(),
        status: status.as_u16(),
        detail: None,
    };
    access.audit(entry).await;
    let mut response = form(status);
    if let AccessError::TooMany(seconds) = error {
        response.headers_mut().insert(header::RETRY_AFTER, (*seconds).into());
    }
    response
}

/// What may be said of an error to whom nobody knows.
fn words(error: &AccessError) -> String {
    match error {
        AccessError::SignIn
        | AccessError::Invalid { .. }
        | AccessError::Conflict(_)
        | AccessError::TooMany(_) => error.to_string(),
        _ => "nobody can be signed in now; try again".to_owned(),
    }
}

fn from(visitor: &Visitor, headers: &HeaderMap) -> From {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let before = visitor.caller.as_ref().filter(|caller| caller.via == Via::Session);
    From {
        address: visitor.address.to_string(),
        agent: agent.unwrap_or_default().to_owned(),
        session: before.map(|caller| caller.credential),
    }
}

/// Where every page leads when nobody has access any more: the last key was revoked, or expired.
fn where_a_link_will_be() -> Response {
    let words = "<p>Nobody has access to this board any more: there is no user, and no key that works.</p>\
        <p>Start it again. <code class=\"mono\">tailboard serve</code> then ends what it writes to its terminal, or to \
        the log of its service, with a link; open it, in the browser, to be its admin.</p>";
    door(StatusCode::UNAUTHORIZED, "Start it again", words)
}

/// Where every page leads while nobody has access yet.
fn where_the_link_is() -> Response {
    let words = "<p>Nobody has access to this board yet. It printed a link when it was started:</p>\
        <p><code class=\"door-code mono\">http://…/setup#…</code></p>\
        <p class=\"dim\">Open it, in the browser, to be the first admin. It is the last line that \
        <code class=\"mono\">tailboard serve</code> wrote to its terminal, or to the log of its service. \
        It is new at each start.</p>\
        <p class=\"door-more\"><a href=\"/setup\">Enter the code by hand</a></p>";
    door(StatusCode::UNAUTHORIZED, "Open the link", words)
}
