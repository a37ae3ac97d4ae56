//! Who asks. Every handler, page, store query and subscription takes a [`Caller`].

use shared::{Role, Timestamp, access::Via};
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// User or key, role, valid until when, and a signal that fires when access ends.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Tells one caller from another: a user's name, `key:NAME`, or `token:SUBJECT`.
    pub name: Arc<str>,
    pub role: Role,
    pub via: Via,
    /// The session or key; nil where it is neither.
    pub credential: Uuid,
    /// Where the request came from; `None` for what no request asked for.
    pub address: Option<IpAddr>,
    pub until: Option<Timestamp>,
    /// Cancelled when access ends: sign-out, revocation, another role, expiry.
    pub ended: CancellationToken,
    /// When it last asked for something, as [`Timestamp`]; shared by all that come of one credential.
    pub used: Arc<AtomicI64>,
}

impl Caller {
    /// The board itself: what it does by its own schedule, and what is asked for on its machine.
    pub fn board() -> Self {
        Self {
            name: Arc::from("board"),
            role: Role::Admin,
            via: Via::Board,
            credential: Uuid::nil(),
            address: None,
            until: None,
            ended: CancellationToken::new(),
            used: Arc::default(),
        }
    }

    /// Notes that the credential is in use: an open stream is.
    pub fn touch(&self) {
        self.used.store(Timestamp::now().0, Ordering::Relaxed);
    }
}
