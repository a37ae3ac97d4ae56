//! Users: made, changed and removed by admins.

use crate::{Access, AccessError, names, store::UserRow};
use engine::Caller;
use rusqlite::{Transaction, params};
use shared::{
    Role, Timestamp,
    access::{NewUser, User, UserChange},
};
use std::collections::HashMap;
use uuid::Uuid;

/// Users at most: all of them are in memory.
const MOST: usize = 10_000;

impl Access {
    /// All users, by name.
    pub fn users(&self) -> Vec<User> {
        let live = self.live();
        let used = live.used_by_id();
        let mut sessions: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for session in &live.sessions {
            sessions.entry(session.user).or_default().push(session.id);
        }
        let users = live.users.iter().map(|user| {
            let sessions = sessions.get(&user.id).map_or(&[][..], Vec::as_slice);
            let used = sessions.iter().filter_map(|session| used.get(session).copied());
            User {
                name: user.name.clone(),
                role: user.role,
                disabled: user.disabled,
                has_password: user.password.is_some(),
                created_at: user.created_at,
                used_at: used.chain(user.used_at).max(),
                sessions: sessions.len() as u32,
            }
        });
        users.collect()
    }

    pub fn user(&self, name: &str) -> Result<User, AccessError> {
        let same = |user: &User| user.name.eq_ignore_ascii_case(name);
        self.users().into_iter().find(same).ok_or_else(|| no_user(name))
    }

    /// Makes a user.
    pub async fn add_user(&self, by: &Caller, new: NewUser) -> Result<User, AccessError> {
        names::check(&new.name)?;
        if self.live().users.len() >= MOST {
            return Err(AccessError::Conflict(format!(
                "there are {MOST} users, the most there may be"
            )));
        }
        let password = match new.password {
            Some(password) => Some(self.0.passwords.hash(password, &new.name).await?),
            None => None,
        };
        let (name, role) = (new.name.clone(), new.role);
        let insert = move |tx: &Transaction<'_>| {
            insert(tx, Uuid::now_v7(), &name, password.as_deref(), role)
        };
        self.change_by(by, insert).await?;
        self.user(&new.name)
    }

    /// Changes what is given of a user. There is always an admin who is not disabled.
    pub async fn change_user(
        &self,
        by: &Caller,
        name: &str,
        change: UserChange,
    ) -> Result<User, AccessError> {
        let id = self.live().user(name).ok_or_else(|| no_user(name))?.id;
        if let Some(name) = &change.name {
            names::check(name)?;
        }
        let called = change.name.clone().unwrap_or_else(|| name.to_owned());
        let password = match change.password {
            Some(password) => Some(self.0.passwords.hash(password, &called).await?),
            None => None,
        };
        self.change_by(by, move |tx| {
            let before = admins(tx)?;
            if let Some(name) = &change.name {
                tx.execute(
                    "UPDATE users SET name = ?2 WHERE id = ?1",
                    params![id.as_bytes(), name],
                )
                .map_err(|error| taken(error, name))?;
            }
            if let Some(role) = change.role {
                let role = role.as_str();
                tx.execute(
                    "UPDATE users SET role = ?2 WHERE id = ?1",
                    params![id.as_bytes(), role],
                )?;
            }
            if let Some(disabled) = change.disabled {
                let to = params![id.as_bytes(), disabled];
                tx.execute("UPDATE users SET disabled = ?2 WHERE id = ?1", to)?;
            }
            if let Some(password) = &password {
                let to = params![id.as_bytes(), password];
                tx.execute("UPDATE users SET password = ?2 WHERE id = ?1", to)?;
            }
            if password.is_some() || change.disabled == Some(true) {
                tx.execute("DELETE FROM sessions WHERE user = ?", [id.as_bytes()])?;
            }
            an_admin_is_left(tx, before)
        })
        .await?;
        self.user(&called)
    }

    /// Removes a user and ends its sessions. What it did stays in the log.
    pub async fn delete_user(&self, by: &Caller, name: &str) -> Result<(), AccessError> {
        let id = self.live().user(name).ok_or_else(|| no_user(name))?.id;
        self.change_by(by, move |tx| {
            let before = admins(tx)?;
            tx.execute("DELETE FROM users WHERE id = ?", [id.as_bytes()])?;
            an_admin_is_left(tx, before)
        })
        .await
    }

    /// One's own new password. The session `keep`, which asks for it, goes on; every other of the user ends.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] if `current` is not the password, or no longer; [`AccessError::Ended`] if the session
    /// ended meanwhile.
    pub async fn set_password(
        &self,
        name: &str,
        current: Option<String>,
        password: String,
        keep: Uuid,
    ) -> Result<(), AccessError> {
        let UserRow { id, password: old, .. } =
            self.live().user(name).cloned().ok_or_else(|| no_user(name))?;
        let wrong = || {
            let rule = "is not the password that you have now".to_owned();
            AccessError::Invalid { field: "current", rule }
        };
        if let Some(old) = old.clone() {
            // Counted apart: nobody else can use these up.
            let guess = format!("{} own", name.to_ascii_lowercase());
            self.0.by_name.take(&guess).map_err(AccessError::TooMany)?;
            let current = current.unwrap_or_default();
            if !self.0.passwords.is(current, Some(old)).await? {
                return Err(wrong());
            }
            self.0.by_name.give_back(&guess);
        }
        let hash = self.0.passwords.hash(password, name).await?;
        self.change(move |tx| {
            let of_user = "SELECT EXISTS (SELECT 1 FROM sessions WHERE id = ?1 AND user = ?2)";
            let session = params![keep.as_bytes(), id.as_bytes()];
            // An admin may have been asked for help: what the admin decided stays.
            if !tx.query_row(of_user, session, |row| row.get(0))? {
                return Err(AccessError::Ended);
            }
            let update = "UPDATE users SET password = ?2 WHERE id = ?1 AND password IS ?3";
            if tx.execute(update, params![id.as_bytes(), hash, old])? == 0 {
                return Err(wrong());
            }
            let others = params![id.as_bytes(), keep.as_bytes()];
            tx.execute("DELETE FROM sessions WHERE user = ?1 AND id <> ?2", others)?;
            Ok(())
        })
        .await
    }
}

pub(crate) fn insert(
    tx: &Transaction<'_>,
    id: Uuid,
    name: &str,
    password: Option<&str>,
    role: Role,
) -> Result<(), AccessError> {
    let row = params![id.as_bytes(), name, password, role.as_str(), Timestamp::now().0];
    tx.execute(
        "INSERT INTO users (id, name, password, role, created_at) VALUES (?, ?, ?, ?, ?)",
        row,
    )
    .map_err(|error| taken(error, name))?;
    Ok(())
}

/// Admins who are not disabled: all of them, and those who can sign in again.
type Admins = (u32, u32);

fn admins(tx: &Transaction<'_>) -> Result<Admins, AccessError> {
    let count = "SELECT count(*), count(password) FROM users WHERE role = 'admin' AND NOT disabled";
    Ok(tx.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Where there were admins there is still one, and one who can sign in where there was such. A board that only
/// keys rule has none to lose.
fn an_admin_is_left(tx: &Transaction<'_>, before: Admins) -> Result<(), AccessError> {
    let after = admins(tx)?;
    if (before.0 == 0 || after.0 > 0) && (before.1 == 0 || after.1 > 0) {
        return Ok(());
    }
    let last = "this is the last admin; make another user an admin first";
    Err(AccessError::Conflict(last.to_owned()))
}

fn no_user(name: &str) -> AccessError {
    AccessError::NotFound(format!("user {name:?}"))
}

/// What a name that is there already means.
pub(crate) fn taken(error: rusqlite::Error, name: &str) -> AccessError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
        AccessError::Conflict(format!("the name {name:?} is taken"))
    } else {
        error.into()
    }
}
