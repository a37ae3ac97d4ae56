//! Who asks. Every handler, page, store query and subscription takes a [`Caller`].

use shared::Timestamp;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What a caller may do; each role may do what the ones before it may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    Viewer,
    Operator,
    Admin,
}

/// User or key, role, valid until when, and a signal that fires when access ends.
#[derive(Clone, Debug)]
pub struct Caller {
    pub name: Arc<str>,
    pub role: Role,
    pub until: Option<Timestamp>,
    /// Cancelled when access ends: sign-out, revocation, another role, expiry.
    pub ended: CancellationToken,
}

impl Caller {
    /// The one caller there is until access control comes: whoever owns this machine.
    pub fn local_owner() -> Self {
        Self {
            name: Arc::from("owner"),
            role: Role::Admin,
            until: None,
            ended: CancellationToken::new(),
        }
    }
}
