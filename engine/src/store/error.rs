//! Why the store cannot be used.

use std::path::PathBuf;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{} is in use by another server", .0.display())]
    Locked(PathBuf),
    #[error("{} is on {kind}, where locks cannot be relied on: use a local file system", dir.display())]
    Remote { dir: PathBuf, kind: &'static str },
    #[error("{} was written by a newer version (schema {found}, this one knows {known}): use that version", path.display())]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// The read was ended: it held up too much for too long.
    #[error("the list took too long; narrow the filter")]
    Slow,
    #[error("store: {0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        // Nothing but the bound of a read interrupts a statement.
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::OperationInterrupted) => Self::Slow,
            _ => Self::Sqlite(error),
        }
    }
}

/// Why a list cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error(transparent)]
    Cursor(#[from] super::BadCursor),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for QueryError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}
