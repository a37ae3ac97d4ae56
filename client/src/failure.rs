//! What went wrong, what to do next, and the status the command ends with.

use http::StatusCode;
use serde::Deserialize;
use std::{io, process::ExitCode};

/// Why a verb ended early.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was typed cannot be meant.
    #[error("{0}")]
    Usage(String),
    /// The board answered that it will not.
    #[error("{0}")]
    Refused(Refusal),
    /// The board wants a token, or a better one.
    #[error("{0}")]
    NoAccess(String),
    /// Nobody answers, or not as a board does.
    #[error("{0}")]
    Unreachable(String),
    /// It took longer than was allowed.
    #[error("{0}")]
    Timeout(String),
    /// Whatever else there is to say.
    #[error("{0}")]
    Other(String),
    /// Ctrl-C.
    #[error("{0}")]
    Interrupted(String),
    /// Whoever read standard output is gone; nobody is left to be told.
    #[error("")]
    NobodyReads,
}

impl Failure {
    /// Outcomes of jobs share these: 1 failed, 3 cancelled.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Other(_) => 1,
            Self::Usage(_) => 2,
            // What was asked for is wrong or not there; the rest is the state of things.
            Self::Refused(refusal) => match refusal.status.as_u16() {
                400 | 404 | 413 | 415 | 422 => 2,
                _ => 1,
            },
            Self::Timeout(_) => 4,
            Self::NoAccess(_) | Self::Unreachable(_) => 5,
            // As shells count those that a signal ended.
            Self::Interrupted(_) => 130,
            Self::NobodyReads => 141,
        })
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::NobodyReads,
            _ => Self::Other(error.to_string()),
        }
    }
}

/// An error answer.
#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub detail: String,
    /// The parameter or field that is wrong.
    pub field: Option<String>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.field {
            // `params.who`: the detail is likely to speak of `who`.
            Some(field) if !self.detail.contains(field.rsplit('.').next().unwrap_or(field)) => {
                write!(f, "{field}: {}", self.detail)
            }
            _ => f.write_str(&self.detail),
        }
    }
}

impl Refusal {
    /// Reads the body of an error: problem details, or the shape of one of the streams.
    pub fn of(status: StatusCode, body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Body {
            detail: Option<serde_json::Value>,
            title: Option<String>,
            field: Option<String>,
            message: Option<String>,
            error: Option<serde_json::Value>,
        }
        let body: Body = serde_json::from_slice(body).unwrap_or_default();
        let nested = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => Some(text),
            value => value["message"].as_str().map(str::to_owned),
        };
        let detail = body
            .detail
            .and_then(nested)
            .or(body.message)
            .or_else(|| body.error.and_then(nested))
            .or(body.title)
            .unwrap_or_else(|| format!("the server answered {status}"));
        Self { status, detail: crate::plain::text(&detail), field: body.field }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detail_is_what_is_said_whatever_the_shape_of_the_error() {
        let said = |body: &str| Refusal::of(StatusCode::CONFLICT, body.as_bytes()).to_string();
        assert_eq!(
            said(r#"{"title":"Conflict","status":409,"detail":"it is over"}"#),
            "it is over"
        );
        assert_eq!(
            said(r#"{"detail":"wanted is a number","field":"limit"}"#),
            "limit: wanted is a number"
        );
        assert_eq!(said(r#"{"error":{"code":"X","message":"too many"}}"#), "too many");
        assert_eq!(said(r#"{"statusCode":404,"message":"gone","error":"Not Found"}"#), "gone");
        assert_eq!(said("<html>"), "the server answered 409 Conflict");
        assert_eq!(said("{\"detail\":\"a\\u001b]0;x\\u0007b\"}"), "ab");
    }
}
