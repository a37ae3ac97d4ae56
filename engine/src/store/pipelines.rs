//! Pipelines that were made over the API.

use super::{Store, StoreError};
use crate::Definition;
use rusqlite::{Transaction, params};
use shared::{Origin, Timestamp};

impl Store {
    /// Every one of them, by name. One that this version cannot read is left out, and said so.
    pub fn pipelines(&self) -> Result<Vec<Definition>, StoreError> {
        self.read_unhurried(|db| {
            let mut query =
                db.prepare_cached("SELECT name, definition FROM pipelines ORDER BY name")?;
            let rows = query.query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?;
            let mut pipelines = Vec::new();
            for row in rows {
                let (name, json) = row?;
                match serde_json::from_str::<Definition>(&json) {
                    Ok(found) => pipelines.push(Definition { origin: Origin::Api, ..found }),
                    Err(error) => {
                        tracing::error!(pipeline = name, %error, "a stored pipeline cannot be read");
                    }
                }
            }
            Ok(pipelines)
        })
    }
}

/// Makes a pipeline, or changes it.
pub(super) fn put(
    tx: &Transaction<'_>,
    name: &str,
    definition: &str,
    by: &str,
    at: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO pipelines (name, definition, made_by, made_at) VALUES (?, ?, ?, ?)",
    )?
    .execute(params![name, definition, by, at.0])?;
    Ok(())
}

pub(super) fn remove(tx: &Transaction<'_>, name: &str) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM pipelines WHERE name = ?")?.execute([name])?;
    Ok(())
}
