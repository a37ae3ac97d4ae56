//! Who asks, and whether they may.
//!
//! - [`gate`]: in front of everything: finds out who asks, turns nobody away from the few open routes
//!   and away from all others
//! - [`routes`]: every route is made with its [`Rule`], so there is none without
//! - [`refusal`]: 401, 403, 421 and 429 in the words of whichever contract was asked
//! - [`cookie`]: the session's cookie; [`address`]: where a request comes from
//! - [`limits`]: how often a caller may ask for a change; [`until`]: downloads end with access

mod address;
pub mod cookie;
mod gate;
mod limits;
pub mod refusal;
mod routes;
mod until;

pub use address::Proxies;
pub use gate::{Gate, Visitor, gate};
pub use limits::Writes;
pub use routes::{Because, Done, Route, Routes, Rule};

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use engine::Caller;
use http::request::Parts;

/// The caller of a request: `By(caller): By` among a handler's arguments.
#[derive(Clone, Debug)]
pub struct By(pub Caller);

impl By {
    /// Who sent this request; nobody can be behind the gate on open routes only.
    pub fn of(parts: &Parts) -> Option<Self> {
        parts.extensions.get::<Visitor>()?.caller.clone().map(Self)
    }
}

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        Self::of(parts).ok_or_else(|| refusal::unauthorized(parts.uri.path()).into_response())
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let visitor = parts.extensions.get::<Self>().cloned();
        visitor.ok_or_else(|| refusal::unauthorized(parts.uri.path()).into_response())
    }
}
