//! Why access cannot be given, or changed.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("{field} {rule}")]
    Invalid { field: &'static str, rule: String },
    #[error("{0}")]
    Conflict(String),
    #[error("there is no {0}")]
    NotFound(String),
    /// A name and password that are not right, or no longer; never says which.
    #[error("the name or the password is not right")]
    SignIn,
    /// Who asked for something may not ask for anything any more.
    #[error("your access has ended; nothing was done")]
    Ended,
    /// Seconds to wait.
    #[error("too many attempts; try again in {0} s")]
    TooMany(u64),
    #[error("{} was written by a newer version (schema {found}, this one knows {known}): use that version", path.display())]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("access store: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the operating system gives no random numbers")]
    Random,
    #[error("the password could not be hashed")]
    Hash,
    #[error("the issuer's keys: {0}")]
    Keys(String),
    #[error("the server is ending")]
    Gone,
}
