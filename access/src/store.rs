//! `access.db`: one connection, since it is written rarely and read from memory.

use crate::{AccessError, secret::Digest};
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};
use shared::{Role, Timestamp};
use std::{
    fs::{File, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use uuid::Uuid;

pub(crate) const FILE: &str = "access.db";
/// Number n is at place n - 1. What was released is never edited, only added to.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001_access.sql")];
/// How long a statement waits for a lock: somebody backs the file up, or looks into it.
const BUSY: Duration = Duration::from_secs(5);
/// How long a revoked key is still shown.
const REVOKED_KEPT_MS: i64 = 30 * 86_400_000;

/// Handle of the store; its methods block.
#[derive(Clone)]
pub(crate) struct Store(Arc<Mutex<Connection>>);

/// All that decides who gets in, as of one moment.
pub(crate) struct Rows {
    pub users: Vec<UserRow>,
    pub sessions: Vec<SessionRow>,
    pub keys: Vec<KeyRow>,
}

#[derive(Clone)]
pub(crate) struct UserRow {
    pub id: Uuid,
    pub name: String,
    pub password: Option<String>,
    pub role: Role,
    pub disabled: bool,
    pub created_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

#[derive(Clone)]
pub(crate) struct SessionRow {
    pub id: Uuid,
    pub digest: Digest,
    pub user: Uuid,
    pub created_at: Timestamp,
    pub used_at: Timestamp,
    pub until: Timestamp,
    pub address: String,
    pub agent: String,
}

#[derive(Clone)]
pub(crate) struct KeyRow {
    pub id: Uuid,
    pub digest: Digest,
    pub name: String,
    pub role: Role,
    pub created_at: Timestamp,
    pub created_by: String,
    pub used_at: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl Store {
    pub fn open(dir: &Path) -> Result<Self, AccessError> {
        let path = dir.join(FILE);
        // Its owner's alone, from the first moment; SQLite gives the files beside it the same mode.
        let made = File::options().create(true).truncate(false).write(true).open(&path);
        made.and_then(|file| file.set_permissions(Permissions::from_mode(0o600)))
            .map_err(|source| AccessError::Io { path: path.clone(), source })?;
        let mut db = Connection::open(&path)?;
        db.busy_timeout(BUSY)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "foreign_keys", true)?;
        let known = MIGRATIONS.len() as u32;
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: u32 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > known {
            return Err(AccessError::Newer { path, found, known });
        }
        for migration in &MIGRATIONS[found as usize..] {
            tx.execute_batch(migration)?;
        }
        tx.pragma_update(None, "user_version", known)?;
        tx.commit()?;
        Ok(Self(Arc::new(Mutex::new(db))))
    }

    /// All or nothing; `follow` sees what is stored after it, before anybody else can change it.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, AccessError>,
        follow: impl FnOnce(Rows),
    ) -> Result<T, AccessError> {
        let mut db = self.lock();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let made = change(&tx)?;
        let rows = rows(&tx)?;
        tx.commit()?;
        follow(rows);
        Ok(made)
    }

    /// The same for what decides nothing about access: the log.
    pub fn write(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), AccessError> {
        let mut db = self.lock();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        write(&tx)?;
        Ok(tx.commit()?)
    }

    pub fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, AccessError> {
        Ok(read(&self.lock())?)
    }

    pub fn rows(&self) -> Result<Rows, AccessError> {
        self.read(rows)
    }

    /// A transaction that was not committed is rolled back when it is dropped.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rows(db: &Connection) -> rusqlite::Result<Rows> {
    let mut users = db.prepare_cached(
        "SELECT id, name, password, role, disabled, created_at, used_at FROM users ORDER BY name",
    )?;
    let users = users.query_map([], |row| {
        Ok(UserRow {
            id: uuid(row, 0)?,
            name: row.get(1)?,
            password: row.get(2)?,
            role: role(row, 3)?,
            disabled: row.get(4)?,
            created_at: Timestamp(row.get(5)?),
            used_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
        })
    })?;
    let mut sessions = db.prepare_cached(
        "SELECT id, digest, user, created_at, used_at, until, address, agent FROM sessions",
    )?;
    let sessions = sessions.query_map([], |row| {
        Ok(SessionRow {
            id: uuid(row, 0)?,
            digest: Digest(row.get(1)?),
            user: uuid(row, 2)?,
            created_at: Timestamp(row.get(3)?),
            used_at: Timestamp(row.get(4)?),
            until: Timestamp(row.get(5)?),
            address: row.get(6)?,
            agent: row.get(7)?,
        })
    })?;
    let mut keys = db.prepare_cached(
        "SELECT id, digest, name, role, created_at, created_by, used_at, until, revoked_at FROM keys \
         ORDER BY revoked_at IS NOT NULL, name",
    )?;
    let keys = keys.query_map([], |row| {
        Ok(KeyRow {
            id: uuid(row, 0)?,
            digest: Digest(row.get(1)?),
            name: row.get(2)?,
            role: role(row, 3)?,
            created_at: Timestamp(row.get(4)?),
            created_by: row.get(5)?,
            used_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
            until: row.get::<_, Option<i64>>(7)?.map(Timestamp),
            revoked_at: row.get::<_, Option<i64>>(8)?.map(Timestamp),
        })
    })?;
    Ok(Rows {
        users: users.collect::<Result<_, _>>()?,
        sessions: sessions.collect::<Result<_, _>>()?,
        keys: keys.collect::<Result<_, _>>()?,
    })
}

fn uuid(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    Ok(Uuid::from_bytes(row.get(column)?))
}

/// What cannot be read has the least role.
fn role(row: &Row<'_>, column: usize) -> rusqlite::Result<Role> {
    let word: String = row.get(column)?;
    Ok(Role::parse(&word).unwrap_or_default())
}

/// When a session, or a key, was used last.
pub(crate) struct Used {
    pub credential: Uuid,
    pub at: Timestamp,
}

/// Writes down when credentials were used, and removes sessions that ended and keys revoked long ago.
pub(crate) fn keep_used(
    tx: &Transaction<'_>,
    used: &[Used],
    longest_idle: Duration,
) -> Result<(), AccessError> {
    for Used { credential, at } in used {
        let at = params![credential.as_bytes(), at.0];
        tx.prepare_cached("UPDATE sessions SET used_at = max(used_at, ?2) WHERE id = ?1")?
            .execute(at)?;
        tx.prepare_cached(
            "UPDATE users SET used_at = max(coalesce(used_at, 0), ?2) \
             WHERE id = (SELECT user FROM sessions WHERE id = ?1)",
        )?
        .execute(at)?;
        tx.prepare_cached("UPDATE keys SET used_at = max(coalesce(used_at, 0), ?2) WHERE id = ?1")?
            .execute(at)?;
    }
    let now = Timestamp::now().0;
    let idle = i64::try_from(longest_idle.as_millis()).unwrap_or(i64::MAX);
    tx.execute("DELETE FROM sessions WHERE until <= ?1 OR used_at <= ?1 - ?2", [now, idle])?;
    tx.execute("DELETE FROM keys WHERE revoked_at < ?", [now - REVOKED_KEPT_MS])?;
    Ok(())
}
