//! The way in while there is nobody: a code that is new at each start and printed there.

use crate::{
    Access, AccessError,
    secret::{self, Digest},
    sessions::{From, SignedIn},
    users,
};
use shared::Role;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

/// What the first admin is called until it says otherwise.
const OWNER: &str = "owner";

pub(crate) struct Setup {
    code: String,
    /// Whether anybody had access since the start. The code is void from then on: if they lose it again, nobody may
    /// have been told the code of this start, or whoever was told is not who is to have it.
    over: AtomicBool,
}

impl Setup {
    pub fn new() -> Result<Self, AccessError> {
        Ok(Self { code: secret::random::<16>()?, over: AtomicBool::new(false) })
    }

    /// To be told of every change whether anybody has access.
    pub fn over_if(&self, anyone: bool) {
        self.over.fetch_or(anyone, Ordering::Relaxed);
    }
}

impl Access {
    /// The setup code, if there has been neither user nor key since the start.
    pub fn setup_code(&self) -> Option<&str> {
        let Setup { code, over } = &self.0.setup;
        (!over.load(Ordering::Relaxed)).then_some(code)
    }

    /// Makes the first admin and signs it in. The code is void once there is a user.
    pub async fn set_up(&self, code: &str, from: From) -> Result<SignedIn, AccessError> {
        self.may_try_from(&from.address)?;
        let right = self.setup_code().is_some_and(|right| Digest::of(right).is(&Digest::of(code)));
        if !right {
            let rule =
                "is not the one that this start of the server printed, or was used".to_owned();
            return Err(AccessError::Invalid { field: "code", rule });
        }
        let id = Uuid::now_v7();
        self.open_session(id, from, move |tx| {
            // Two clicks at the same moment: the second finds a user.
            let users: u32 = tx.query_row("SELECT count(*) FROM users", [], |row| row.get(0))?;
            if users > 0 {
                return Err(AccessError::Conflict("the link was used already".to_owned()));
            }
            users::insert(tx, id, OWNER, None, Role::Admin)
        })
        .await
    }
}
