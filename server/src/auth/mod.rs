//! Who asks. Every handler and page takes the caller from here and hands it down; until access
//! control comes there is one, the local owner.

use axum::extract::FromRequestParts;
use engine::Caller;
use http::request::Parts;
use std::convert::Infallible;

/// The caller of a request: `By(caller): By` among a handler's arguments.
#[derive(Clone, Debug)]
pub struct By(pub Caller);

impl By {
    /// Who sent this request.
    pub fn of(_: &Parts) -> Self {
        Self(Caller::board())
    }
}

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}
