//! A stream too many: what its client is told, and what is written down of it.

use crate::auth::Because;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// There are as many streams open as there may be, by this bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("Too many streams are open: {key} = {most}")]
pub struct TooMany {
    /// The bound's key in the configuration.
    pub key: &'static str,
    pub most: u32,
}

impl TooMany {
    /// For the shapes of errors that have room for more than text.
    pub fn details(self) -> Value {
        json!({ "limit": self.key, "value": self.most })
    }
}

/// What is refused for now says when to come again; the audit log says which bound was `reached`.
pub fn later(mut response: Response, reached: Option<TooMany>) -> Response {
    if matches!(response.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
    {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    if let Some(reached) = reached {
        response.extensions_mut().insert(Because(reached.to_string()));
    }
    response
}
