//! The data directory: one server at a time, on a file system with locks, and the same one as before.

use super::{FILE, StoreError};
use crate::linux;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{File, Permissions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    time::UNIX_EPOCH,
};

const LOCK_FILE: &str = "tailboard.lock";

/// Whether a directory has a store in it.
pub fn is_data_dir(dir: &Path) -> bool {
    dir.join(FILE).is_file()
}

/// Holds the directory's lock until it is dropped, or the process is gone.
#[derive(Debug)]
pub struct DirectoryLock(#[expect(dead_code, reason = "held, not used")] File);

impl DirectoryLock {
    /// Makes the directory if it is not there, and locks it.
    ///
    /// # Errors
    /// When somebody has it, or its file system has no locks that others see.
    pub fn take(dir: &Path) -> Result<Self, StoreError> {
        let fail = |source: io::Error| StoreError::Io { path: dir.to_path_buf(), source };
        std::fs::create_dir_all(dir).map_err(fail)?;
        let path = dir.join(LOCK_FILE);
        let mut options = File::options();
        let file = options.create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(|source| StoreError::Io { path, source })?;
        if let Some(kind) = linux::files::remote(&file).map_err(fail)? {
            return Err(StoreError::Remote { dir: dir.to_path_buf(), kind });
        }
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::Locked(dir.to_path_buf())),
            Err(error) => Err(fail(error.into())),
        }
    }
}

/// Makes the database if it is not there, and it and the files beside it their owner's alone, whatever the
/// mode of their directory is. SQLite gives those that it makes later the mode of the database.
pub(super) fn make_private(db: &Path) -> Result<(), StoreError> {
    let private = |path: &Path, create: bool| {
        let file =
            File::options().create(create).truncate(false).write(true).mode(0o600).open(path)?;
        file.set_permissions(Permissions::from_mode(0o600))
    };
    private(db, true).map_err(|source| StoreError::Io { path: db.to_path_buf(), source })?;
    for beside in ["-wal", "-shm"] {
        let mut path = db.as_os_str().to_owned();
        path.push(beside);
        match private(path.as_ref(), false) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::Io { path: path.into(), source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// What tells a directory from a copy of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Identity {
    pub device: i64,
    pub inode: i64,
    /// Nanoseconds since 1970; 0 where the file system does not keep it.
    pub born: i64,
}

impl Identity {
    pub fn of(dir: &Path) -> Result<Self, StoreError> {
        let fail = |source: io::Error| StoreError::Io { path: dir.to_path_buf(), source };
        let meta = std::fs::metadata(dir).map_err(fail)?;
        let born = meta.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        Ok(Self {
            device: meta.dev() as i64,
            inode: meta.ino() as i64,
            born: born.map_or(0, |at| i64::try_from(at.as_nanos()).unwrap_or(i64::MAX)),
        })
    }
}
