//! Into a session and out of it: by the link of the first start, or by name and password.

use crate::auth::{Routes, Rule, Visitor};
use access::{Access, AccessError, SignedIn, audit::Entry, sessions::From};
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use shared::{Role, access::Via};

pub fn routes() -> Routes {
    Routes::new()
        .get("/login", Rule::Open, login_page)
        .post("/login", Rule::Open, login)
        .get("/setup", Rule::Open, setup_page)
        .post("/setup", Rule::Open, setup)
        .post("/logout", Rule::Act(Role::Viewer, "sign-out"), logout)
}

#[derive(Deserialize)]
struct Next {
    next: Option<String>,
}

/// A path of ours, never another site.
fn ours(next: Option<&str>) -> &str {
    let plain = |next: &&str| {
        next.starts_with('/')
            && !next.starts_with("//")
            && !next.bytes().any(|byte| byte == b'\\' || byte.is_ascii_control())
    };
    next.filter(plain).unwrap_or("/")
}

async fn login_page(
    State(access): State<Access>,
    visitor: Visitor,
    Query(Next { next }): Query<Next>,
) -> Response {
    if visitor.caller.is_some() {
        return Redirect::to(ours(next.as_deref())).into_response();
    }
    if access.setup_code().is_some() {
        return (
            StatusCode::UNAUTHORIZED,
            page("Open the link that `tailboard serve` printed.", ""),
        )
            .into_response();
    }
    login_form(StatusCode::OK, None, "", ours(next.as_deref()))
}

fn login_form(status: StatusCode, said: Option<&str>, name: &str, next: &str) -> Response {
    let form = format!(
        "<form method=post action=/login><p>{}</p><input type=hidden name=next value=\"{}\">\
         <label>Name <input name=name value=\"{}\" autocomplete=username required></label>\
         <label>Password <input type=password name=password autocomplete=current-password required></label>\
         <button>Sign in</button></form>",
        escaped(said.unwrap_or_default()),
        escaped(next),
        escaped(name),
    );
    (status, page("Sign in", &form)).into_response()
}

#[derive(Deserialize)]
struct Login {
    name: String,
    password: String,
    next: Option<String>,
}

async fn login(
    State(access): State<Access>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(Login { name, password, next }): Form<Login>,
) -> Response {
    let next = ours(next.as_deref());
    match access.sign_in(&name, password, from(&visitor, &headers)).await {
        Ok(signed_in) => let_in(&access, &visitor, "sign-in", &signed_in, next).await,
        Err(error) => {
            let (status, after) = refused(&error);
            told(&access, &visitor, "sign-in", &name, status).await;
            let mut response = login_form(status, Some(&error.to_string()), &name, next);
            if let Some(seconds) = after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
    }
}

async fn setup_page(State(access): State<Access>) -> Response {
    if access.setup_code().is_none() {
        return Redirect::to("/login").into_response();
    }
    setup_form(StatusCode::OK, "")
}

fn setup_form(status: StatusCode, said: &str) -> Response {
    let form = format!(
        "<form method=post action=/setup><p>{}</p><label>Code <input name=code required></label>\
         <button>Begin</button></form>",
        escaped(said)
    );
    (status, page("Set up", &form)).into_response()
}

#[derive(Deserialize)]
struct Setup {
    code: String,
}

async fn setup(
    State(access): State<Access>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(Setup { code }): Form<Setup>,
) -> Response {
    match access.set_up(code.trim(), from(&visitor, &headers)).await {
        Ok(signed_in) => let_in(&access, &visitor, "set-up", &signed_in, "/").await,
        Err(error) => {
            let (status, _) = refused(&error);
            told(&access, &visitor, "set-up", "", status).await;
            setup_form(status, &error.to_string())
        }
    }
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

/// Writes down that nobody was let in; `name` is whom they said to be.
async fn told(access: &Access, visitor: &Visitor, action: &str, name: &str, status: StatusCode) {
    let entry = Entry {
        caller: None,
        via: None,
        address: visitor.address.to_string(),
        action: action.to_owned(),
        target: name.to_owned(),
        status: status.as_u16(),
        detail: None,
    };
    access.audit(entry).await;
}

fn from(visitor: &Visitor, headers: &HeaderMap) -> From {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    From { address: visitor.address.to_string(), agent: agent.unwrap_or_default().to_owned() }
}

fn refused(error: &AccessError) -> (StatusCode, Option<u64>) {
    match error {
        AccessError::SignIn | AccessError::Invalid { .. } => (StatusCode::UNAUTHORIZED, None),
        AccessError::Conflict(_) => (StatusCode::CONFLICT, None),
        AccessError::TooMany(seconds) => (StatusCode::TOO_MANY_REQUESTS, Some(*seconds)),
        error => {
            tracing::error!(%error, "nobody can be signed in");
            (StatusCode::SERVICE_UNAVAILABLE, None)
        }
    }
}

fn page(title: &str, body: &str) -> axum::response::Html<String> {
    axum::response::Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{0} - Tailboard</title><h1>{0}</h1>{body}",
        escaped(title)
    ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
