//! Users and keys of a data directory that no server uses: the way in when nobody gets in.

use access::{Access, AccessError, audit::Entry};
use client::{Door, Failure, Refusal};
use engine::{Caller, store::DirectoryLock};
use http::StatusCode;
use shared::access::{ApiKey, KeyMade, NewKey, NewUser, User, UserChange};
use std::{path::Path, time::Duration};
use uuid::Uuid;

/// What a data directory keeps of them, locked: a server that starts meanwhile is refused.
pub struct Kept {
    access: Access,
    _lock: DirectoryLock,
}

impl Kept {
    /// # Errors
    /// When a server has the directory, or it cannot be used. When there is none, unless it may be made: a
    /// mistyped one would be, and who is in it would get in nowhere.
    pub fn open(dir: &Path, create: bool) -> Result<Self, Failure> {
        if !create && !Access::is_in(dir) && !engine::store::is_data_dir(dir) {
            let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
            return Err(Failure::Usage(format!(
                "{} is no data directory: neither access.db nor tailboard.db is in it; before the board's first start \
                 --create makes it",
                dir.display()
            )));
        }
        let failed = |error: String| Failure::Other(error);
        engine::make_private(dir).map_err(|error| failed(error.to_string()))?;
        let lock = DirectoryLock::take(dir).map_err(|error| match error {
            engine::store::StoreError::Locked(_) => failed(format!(
                "{error}: ask it instead, with an admin's token and without --data-dir"
            )),
            error => failed(error.to_string()),
        })?;
        // How long the log is kept is the server's to say.
        let settings =
            access::Settings { audit_kept: Duration::MAX, ..access::Settings::default() };
        let access = Access::open(dir, settings);
        Ok(Self { access: access.map_err(|error| failed(error.to_string()))?, _lock: lock })
    }

    /// What was done, for the log that admins read.
    async fn tell(&self, action: &str, target: &str, detail: Option<String>) {
        self.access.audit(Entry::of_board("command line", action, target, detail)).await;
    }
}

impl Door for Kept {
    async fn users(&self) -> Result<Vec<User>, Failure> {
        Ok(self.access.users())
    }

    async fn add_user(&self, new: NewUser) -> Result<User, Failure> {
        let user = self.access.add_user(&Caller::board(), new).await.map_err(refused)?;
        self.tell("user.create", &user.name, Some(user.role.as_str().to_owned())).await;
        Ok(user)
    }

    async fn change_user(&self, name: &str, change: UserChange) -> Result<User, Failure> {
        let mut detail = Vec::new();
        detail.extend(change.role.map(|role| format!("role {}", role.as_str())));
        detail
            .extend(change.disabled.map(|off| if off { "disabled" } else { "enabled" }.to_owned()));
        detail.extend(change.password.as_ref().map(|_| "password".to_owned()));
        let user =
            self.access.change_user(&Caller::board(), name, change).await.map_err(refused)?;
        self.tell("user.change", name, Some(detail.join(", "))).await;
        Ok(user)
    }

    async fn delete_user(&self, name: &str) -> Result<(), Failure> {
        self.access.delete_user(&Caller::board(), name).await.map_err(refused)?;
        self.tell("user.delete", name, None).await;
        Ok(())
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, Failure> {
        Ok(self.access.keys())
    }

    async fn add_key(&self, new: NewKey) -> Result<KeyMade, Failure> {
        let made = self.access.add_key(&Caller::board(), new).await.map_err(refused)?;
        self.tell("key.create", &made.key.name, Some(made.key.role.as_str().to_owned())).await;
        Ok(made)
    }

    async fn revoke_key(&self, id: Uuid) -> Result<(), Failure> {
        let name = self.access.revoke_key(&Caller::board(), id).await.map_err(refused)?;
        self.tell("key.revoke", &name, None).await;
        Ok(())
    }
}

/// The same statuses as over HTTP, so that a command ends in the same way.
fn refused(error: AccessError) -> Failure {
    let status = match error {
        AccessError::Invalid { .. } => StatusCode::BAD_REQUEST,
        AccessError::NotFound(_) => StatusCode::NOT_FOUND,
        AccessError::Conflict(_) => StatusCode::CONFLICT,
        error => return Failure::Other(error.to_string()),
    };
    Failure::Refused(Refusal { status, detail: error.to_string(), field: None })
}
