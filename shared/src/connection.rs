//! A connection: one system being watched.

use crate::{ConnectionId, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionKind {
    /// The built-in runner.
    Local,
    Celery,
    Bullmq,
}

/// How far what is shown of a connection can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    Live,
    Stale,
    Unreachable,
    EventsOff,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Connection {
    pub id: ConnectionId,
    pub name: String,
    pub kind: ConnectionKind,
    pub freshness: Freshness,
    /// Since when it is as fresh as that.
    pub since: Timestamp,
    pub reason: Option<String>,
    pub revision: u64,
}
