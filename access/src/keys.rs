//! API keys: a name, a role, and a token that is shown once.

use crate::{
    Access, AccessError,
    audit::Entry,
    names,
    secret::{self, Digest, KEY_PREFIX},
    users::taken,
};
use engine::Caller;
use rusqlite::{Transaction, params};
use shared::{
    Role, Timestamp,
    access::{ApiKey, KeyMade, NewKey, Via},
};
use uuid::Uuid;

/// Keys at most: all of them are in memory.
const MOST: usize = 10_000;
/// What a token that somebody else made has at least behind its prefix: 128 bits as hexadecimal digits.
const SHORTEST: usize = 32;
const LONGEST: usize = 256;

impl Access {
    /// Whose key this is, while it works.
    pub fn key(&self, token: &str) -> Option<Caller> {
        self.live().find(token, Via::Key)
    }

    /// All keys, those in use first, by name. What is revoked is shown for 30 days.
    pub fn keys(&self) -> Vec<ApiKey> {
        let live = self.live();
        let used = live.used_by_id();
        let keys = live.keys.iter().map(|key| ApiKey {
            id: key.id,
            name: key.name.clone(),
            role: key.role,
            created_at: key.created_at,
            created_by: key.created_by.clone(),
            used_at: used.get(&key.id).copied().or(key.used_at),
            until: key.until,
            revoked_at: key.revoked_at,
        });
        keys.collect()
    }

    /// Makes a key.
    pub async fn add_key(&self, by: &Caller, new: NewKey) -> Result<KeyMade, AccessError> {
        if new.until.is_some_and(|until| until <= Timestamp::now()) {
            let rule = "is in the past".to_owned();
            return Err(AccessError::Invalid { field: "until", rule });
        }
        let token = format!("{KEY_PREFIX}{}", secret::random::<32>()?);
        let key = self.insert_key(by, new, &token).await?;
        Ok(KeyMade { key, token })
    }

    /// Makes the first admin's key of a token from the environment, if there is neither user nor key; whether it
    /// did. What was revoked is not given back its power.
    pub async fn bootstrap(&self, token: &str) -> Result<bool, AccessError> {
        let random = token.strip_prefix(KEY_PREFIX).unwrap_or_default();
        let usual =
            random.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if !(SHORTEST..=LONGEST).contains(&random.len()) || !usual {
            let rule = format!(
                "has to be {KEY_PREFIX:?} and {SHORTEST} to {LONGEST} letters, digits, '_' or '-', at random"
            );
            return Err(AccessError::Invalid { field: "TAILBOARD_BOOTSTRAP_TOKEN", rule });
        }
        let digest = Digest::of(token);
        if self.has_anyone() || self.live().keys.iter().any(|key| key.digest.is(&digest)) {
            return Ok(false);
        }
        let new = NewKey { name: "bootstrap".to_owned(), role: Role::Admin, until: None };
        let key = self.insert_key(&Caller::board(), new, token).await?;
        let role = Some(key.role.as_str().to_owned());
        self.audit(Entry::of_board("environment", "key.create", &key.name, role)).await;
        Ok(true)
    }

    async fn insert_key(
        &self,
        by: &Caller,
        new: NewKey,
        token: &str,
    ) -> Result<ApiKey, AccessError> {
        names::check(&new.name)?;
        if self.live().keys.len() >= MOST {
            return Err(AccessError::Conflict(format!(
                "there are {MOST} keys, the most there may be"
            )));
        }
        let key = ApiKey {
            id: Uuid::now_v7(),
            name: new.name,
            role: new.role,
            created_at: Timestamp::now(),
            created_by: by.name.to_string(),
            used_at: None,
            until: new.until,
            revoked_at: None,
        };
        let (row, digest) = (key.clone(), Digest::of(token));
        self.change_by(by, move |tx| {
            tx.execute(
                "INSERT INTO keys (id, digest, name, role, created_at, created_by, until) \
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
                params![
                    row.id.as_bytes(),
                    digest.0,
                    row.name,
                    row.role.as_str(),
                    row.created_at.0,
                    row.created_by,
                    row.until.map(|at| at.0)
                ],
            )
            .map_err(|error| taken(error, &row.name))?;
            Ok(())
        })
        .await?;
        Ok(key)
    }

    /// Revokes a key at once; gives its name.
    ///
    /// # Errors
    /// [`AccessError::Conflict`] if no admin could get in any more.
    pub async fn revoke_key(&self, by: &Caller, id: Uuid) -> Result<String, AccessError> {
        let name = self.live().keys.iter().find(|key| key.id == id).map(|key| key.name.clone());
        let name = name.ok_or_else(|| AccessError::NotFound(format!("key {id}")))?;
        self.change_by(by, move |tx| {
            let now = Timestamp::now();
            let before = an_admin_gets_in(tx, now)?;
            tx.execute(
                "UPDATE keys SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1",
                params![id.as_bytes(), now.0],
            )?;
            if before && !an_admin_gets_in(tx, now)? {
                let last = "no admin could get in without this key; make another one with the role admin, or an \
                    admin with a password, first";
                return Err(AccessError::Conflict(last.to_owned()));
            }
            Ok(())
        })
        .await?;
        Ok(name)
    }
}

/// Whether an admin has a key that works, or a password.
fn an_admin_gets_in(tx: &Transaction<'_>, now: Timestamp) -> Result<bool, AccessError> {
    let ways = "SELECT EXISTS (SELECT 1 FROM users WHERE role = 'admin' AND NOT disabled AND password IS NOT NULL) \
        OR EXISTS (SELECT 1 FROM keys WHERE role = 'admin' AND revoked_at IS NULL AND coalesce(until > ?, true))";
    Ok(tx.query_row(ways, [now.0], |row| row.get(0))?)
}
