//! Who may do what: oneself, sessions, users, keys, and the log of what was done.

use super::{
    problem::{Answer, ApiError, bad_field},
    request::{Fields, Params, StrictJson},
};
use crate::{
    auth::{By, Done, Routes, Rule},
    path::Path,
    query::Query,
};
use access::{
    Access, AccessError,
    audit::{self, AuditQuery},
};
use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use shared::{
    Role,
    access::{
        All, ApiKey, AuditPage, KeyMade, Me, NewKey, NewPassword, NewUser, Session, User,
        UserChange, Via,
    },
};
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    let act = |name| Rule::Act(Role::Admin, name);
    let ends = |name| Rule::Ends(Role::Admin, name);
    let own = |name| Rule::Act(Role::Viewer, name);
    let admin = Rule::Read(Role::Admin);
    Routes::new()
        .get("/me", Rule::READ, me)
        .post("/me/password", own("password.change"), password)
        .get("/sessions", Rule::READ, sessions)
        .delete("/sessions/{id}", Rule::Ends(Role::Viewer, "session.end"), end_session)
        .get("/users", admin, users)
        .post("/users", act("user.create"), add_user)
        .patch("/users/{name}", ends("user.change"), change_user)
        .delete("/users/{name}", ends("user.delete"), delete_user)
        .get("/keys", admin, keys)
        .post("/keys", act("key.create"), add_key)
        .delete("/keys/{id}", ends("key.revoke"), revoke_key)
        .get("/audit", admin, audit_log)
}

/// Who asks.
#[utoipa::path(get, path = "/api/v1/me", tag = "access", operation_id = "show_me", responses((status = 200, body = Me)))]
pub(super) async fn me(By(caller): By, query: Query) -> Answer<Json<Me>> {
    Params::of(query, &[])?;
    let (name, role) = (caller.name.to_string(), caller.role);
    Ok(Json(Me { name, role, via: caller.via, until: caller.until }))
}

/// Changes one's own password; other sessions of the user end.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "access", operation_id = "change_password", request_body = NewPassword,
    responses((status = 204), (status = 400), (status = 409, description = "not asked by a session")))]
pub(super) async fn password(
    State(access): State<Access>,
    By(caller): By,
    StrictJson(NewPassword { current, password }): StrictJson<NewPassword>,
) -> Answer<StatusCode> {
    if caller.via != Via::Session {
        let detail = "only a user who is signed in has a password";
        return Err(ApiError::new(StatusCode::CONFLICT, detail));
    }
    access.set_password(&caller.name, current, password, caller.credential).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Browsers that are signed in: one's own, an admin everybody's.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "access", operation_id = "list_sessions", responses((status = 200, body = All<Session>)))]
pub(super) async fn sessions(
    State(access): State<Access>,
    By(caller): By,
    query: Query,
) -> Answer<Json<All<Session>>> {
    Params::of(query, &[])?;
    Ok(Json(All { items: access.sessions(&caller) }))
}

/// Ends a session at once, with its streams.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "access", operation_id = "end_session", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 404)))]
pub(super) async fn end_session(
    State(access): State<Access>,
    By(caller): By,
    Path(id): Path<String>,
) -> Answer<Response> {
    let id = id_of("session", &id)?;
    let user = access.end_session(&caller, id).await?;
    Ok(done(user, StatusCode::NO_CONTENT))
}

/// All users.
#[utoipa::path(get, path = "/api/v1/users", tag = "access", operation_id = "list_users", responses((status = 200, body = All<User>)))]
pub(super) async fn users(State(access): State<Access>, query: Query) -> Answer<Json<All<User>>> {
    Params::of(query, &[])?;
    Ok(Json(All { items: access.users() }))
}

/// Makes a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "access", operation_id = "create_user", request_body = NewUser,
    responses((status = 201, body = User), (status = 400), (status = 409)))]
pub(super) async fn add_user(
    State(access): State<Access>,
    By(caller): By,
    StrictJson(new): StrictJson<NewUser>,
) -> Answer<Response> {
    let user = access.add_user(&caller, new).await?;
    let named = Done::of_role(&user.name, user.role);
    Ok((StatusCode::CREATED, Extension(named), Json(user)).into_response())
}

/// Changes a user. Another role and disabling hold at once: streams end.
#[utoipa::path(patch, path = "/api/v1/users/{name}", tag = "access", operation_id = "change_user", request_body = UserChange,
    params(("name" = String, Path)),
    responses((status = 200, body = User), (status = 400), (status = 404), (status = 409)))]
pub(super) async fn change_user(
    State(access): State<Access>,
    By(caller): By,
    Path(name): Path<String>,
    StrictJson(change): StrictJson<UserChange>,
) -> Answer<Response> {
    let mut detail = Vec::new();
    detail.extend(change.name.as_ref().map(|name| format!("name {name}")));
    detail.extend(change.role.map(|role| format!("role {}", role.as_str())));
    detail.extend(change.disabled.map(|off| if off { "disabled" } else { "enabled" }.to_owned()));
    detail.extend(change.password.as_ref().map(|_| "password".to_owned()));
    let user = access.change_user(&caller, &name, change).await?;
    let done = Done { detail: Some(detail.join(", ")), ..Done::to(name) };
    Ok((Extension(done), Json(user)).into_response())
}

/// Removes a user.
#[utoipa::path(delete, path = "/api/v1/users/{name}", tag = "access", operation_id = "delete_user", params(("name" = String, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn delete_user(
    State(access): State<Access>,
    By(caller): By,
    Path(name): Path<String>,
) -> Answer<Response> {
    access.delete_user(&caller, &name).await?;
    Ok(done(name, StatusCode::NO_CONTENT))
}

/// All API keys; what is revoked is shown for 30 days.
#[utoipa::path(get, path = "/api/v1/keys", tag = "access", operation_id = "list_keys", responses((status = 200, body = All<ApiKey>)))]
pub(super) async fn keys(State(access): State<Access>, query: Query) -> Answer<Json<All<ApiKey>>> {
    Params::of(query, &[])?;
    Ok(Json(All { items: access.keys() }))
}

/// Makes an API key. Its token is in this answer only.
#[utoipa::path(post, path = "/api/v1/keys", tag = "access", operation_id = "create_key", request_body = NewKey,
    responses((status = 201, body = KeyMade), (status = 400), (status = 409)))]
pub(super) async fn add_key(
    State(access): State<Access>,
    By(caller): By,
    StrictJson(new): StrictJson<NewKey>,
) -> Answer<Response> {
    let made = access.add_key(&caller, new).await?;
    let named = Done::of_role(&made.key.name, made.key.role);
    Ok((StatusCode::CREATED, Extension(named), Json(made)).into_response())
}

/// Revokes an API key at once, with its streams; not the one without which no admin could get in.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", tag = "access", operation_id = "revoke_key", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn revoke_key(
    State(access): State<Access>,
    By(caller): By,
    Path(id): Path<String>,
) -> Answer<Response> {
    let name = access.revoke_key(&caller, id_of("key", &id)?).await?;
    Ok(done(name, StatusCode::NO_CONTENT))
}

/// What was done, by whom, newest first: sign-ins, actions, downloads, refusals.
#[utoipa::path(get, path = "/api/v1/audit", tag = "access", operation_id = "list_audit",
    params(
        ("caller" = Option<String>, Query, description = "a caller's whole name"),
        ("action" = Option<String>, Query, description = "an action, or what it begins with before a dot"),
        ("before" = Option<i64>, Query, description = "older than this entry: `next` of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 200; 50 if absent"),
    ),
    responses((status = 200, body = AuditPage), (status = 400)))]
pub(super) async fn audit_log(
    State(access): State<Access>,
    query: Query,
) -> Answer<Json<AuditPage>> {
    let params = Params::of(query, &["caller", "action", "before", "limit"])?;
    let asked = AuditQuery {
        caller: params.text("caller"),
        action: params.text("action"),
        before: params.number("before", 1, i64::MAX)?,
        limit: params.number("limit", 1, audit::MOST.into())?.map(|limit| limit as u32),
    };
    Ok(Json(access.audit_log(asked).await?))
}

impl Fields for NewPassword {
    const NAMES: &'static [&'static str] = &["current", "password"];
}

impl Fields for NewUser {
    const NAMES: &'static [&'static str] = &["name", "role", "password"];
}

impl Fields for UserChange {
    const NAMES: &'static [&'static str] = &["name", "role", "disabled", "password"];
}

impl Fields for NewKey {
    const NAMES: &'static [&'static str] = &["name", "role", "until"];
}

fn id_of(what: &str, text: &str) -> Answer<Uuid> {
    let none = || ApiError::new(StatusCode::NOT_FOUND, format!("there is no {what} {text}"));
    text.parse().map_err(|_| none())
}

fn done(target: String, status: StatusCode) -> Response {
    (status, Extension(Done::to(target))).into_response()
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        let detail = error.to_string();
        match error {
            AccessError::Invalid { field, .. } => bad_field(field, detail),
            AccessError::Conflict(_) => Self::new(StatusCode::CONFLICT, detail),
            AccessError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, detail),
            AccessError::SignIn | AccessError::Ended => Self::new(StatusCode::UNAUTHORIZED, detail),
            AccessError::TooMany(seconds) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, detail).after(seconds)
            }
            _ => {
                tracing::error!(%error, "access cannot be read or changed");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "it cannot be read or changed now")
            }
        }
    }
}
