//! Who may do what: roles, users, their sessions, API keys, and what was done.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a caller may do; each role may do what the ones before it may.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads everything.
    #[default]
    Viewer,
    /// Acts on jobs, queues and runs of pipelines.
    Operator,
    /// Users, keys, connections, the configuration.
    Admin,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// How a caller proved who it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// The session of a browser.
    Session,
    /// An API key.
    Key,
    /// A token of the configured issuer.
    Token,
    /// The board itself.
    Board,
}

impl Via {
    pub const ALL: [Self; 4] = [Self::Session, Self::Key, Self::Token, Self::Board];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Key => "key",
            Self::Token => "token",
            Self::Board => "board",
        }
    }
}

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// A user's name, `key:NAME`, or `token:SUBJECT`.
    pub name: String,
    pub role: Role,
    pub via: Via,
    /// When access ends by itself.
    pub until: Option<Timestamp>,
}

/// One browser that is signed in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    pub id: Uuid,
    pub user: String,
    pub created_at: Timestamp,
    pub used_at: Timestamp,
    /// When it ends, however much it is used.
    pub until: Timestamp,
    /// Where it was signed in from.
    pub address: String,
    /// What the browser said it is.
    pub agent: String,
    /// The session that asks.
    pub current: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    pub name: String,
    pub role: Role,
    /// A disabled user cannot sign in.
    pub disabled: bool,
    /// Without one there is no signing in.
    pub has_password: bool,
    pub created_at: Timestamp,
    /// When it last did anything, over all its sessions.
    pub used_at: Option<Timestamp>,
    /// Browsers signed in.
    pub sessions: u32,
}

/// `POST /api/v1/users`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1-64 of letters, digits, `.`, `_`, `-`, `@`.
    pub name: String,
    pub role: Role,
    /// 12-256 characters.
    pub password: Option<String>,
}

/// `PATCH /api/v1/users/{name}`: what is absent stays as it is.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Ends every session of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// `POST /api/v1/me/password`: one's own password. Ends one's other sessions.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The one it replaces; not needed where there is none yet.
    #[serde(default)]
    pub current: Option<String>,
    /// 12-256 characters.
    pub password: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKey {
    pub id: Uuid,
    pub name: String,
    pub role: Role,
    pub created_at: Timestamp,
    pub created_by: String,
    pub used_at: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// `POST /api/v1/keys`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// 1-64 of letters, digits, `.`, `_`, `-`, `@`; no two keys in use have the same.
    pub name: String,
    pub role: Role,
    /// When it stops working; absent: when it is revoked.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// A key that was made, with what is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyMade {
    #[serde(flatten)]
    pub key: ApiKey,
    /// `tb_…`: for `Authorization: Bearer`. It cannot be shown again.
    pub token: String,
}

/// One line of the audit log: what was asked for, by whom, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    pub id: i64,
    pub at: Timestamp,
    /// As [`Me::name`]; null: nobody who is known.
    pub caller: Option<String>,
    pub via: Option<Via>,
    /// The address it came from.
    pub address: String,
    /// `sign-in`, `job.cancel`, `key.create`, …
    pub action: String,
    /// What it was done to: a path, or the name of what was made.
    pub target: String,
    /// The status of the answer.
    pub status: u16,
    /// What else there is to say; never a secret.
    pub detail: Option<String>,
}

/// Newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditPage {
    pub items: Vec<AuditEntry>,
    /// For `?before=`: the next, older page. Null: there is none.
    pub next: Option<i64>,
}

/// A list that is short enough to be given whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct All<T> {
    pub items: Vec<T>,
}
