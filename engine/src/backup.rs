//! A copy of a data directory while a server uses it.
//!
//! First the databases, each as it is at one moment (SQLite's online backup, in one step: it holds up no
//! commit); then, job by job as the copied store has them, logs and journals. Files of a job that is over
//! change no more, so they are linked where both directories are on one file system; of a job that runs they
//! are copied up to where they are now, which is at least what the store knew. What a copy is opened as is
//! settled by its first start: it knows that it is one.

use crate::{
    logs,
    runner::job_dir,
    store::{FILE, NOT_OVER_STATES, is_data_dir},
};
use rusqlite::{Connection, OpenFlags, backup::StepResult};
use shared::JobId;
use std::{
    fs::{self, DirBuilder, File, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// How long a database is tried that somebody holds up, and the pause between two tries.
const BUSY: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);
/// What of a job's directory is kept, beside its log: what its executors did.
const JOURNAL: &str = "journal-";

/// What a backup has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackedUp {
    pub jobs: u64,
    /// Of all logs, whether copied or linked.
    pub log_bytes: u64,
    /// Of all databases.
    pub database_bytes: u64,
    /// Jobs that were deleted meanwhile: the copied store has them, their logs are gone.
    pub gone: u64,
}

/// Why there is no backup. What is there by then has no store, so no server takes it for one.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{} is no data directory: there is no {FILE} in it", .0.display())]
    NoData(PathBuf),
    #[error("{} is not empty: a backup is made into a directory of its own", .0.display())]
    NotEmpty(PathBuf),
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is in the data directory: a backup belongs elsewhere", .0.display())]
    Inside(PathBuf),
    #[error("the log of job {job} cannot be copied: {source}")]
    Log { job: JobId, source: logs::LogError },
    #[error("database {name}: {source}")]
    Database { name: String, source: rusqlite::Error },
}

/// Backs `data_dir` up into `into`, which must be empty or absent. Returns when it is on the disk.
///
/// # Errors
/// When something of it cannot be read or written; `into` is incomplete then.
pub fn backup(data_dir: &Path, into: &Path) -> Result<BackedUp, BackupError> {
    let fail = |path: &Path| {
        let path = path.to_path_buf();
        move |source| BackupError::Io { path, source }
    };
    if !is_data_dir(data_dir) {
        return Err(BackupError::NoData(data_dir.to_path_buf()));
    }
    private().create(into).map_err(fail(into))?;
    let place = |path: &Path| path.canonicalize().map_err(fail(path));
    if place(into)?.starts_with(place(data_dir)?) {
        // Made just now, or empty before: nothing is lost by it.
        let _ = fs::remove_dir(into);
        return Err(BackupError::Inside(into.to_path_buf()));
    }
    // One that was there may be open to others; what comes into it is not for them.
    fs::set_permissions(into, Permissions::from_mode(0o700)).map_err(fail(into))?;
    if fs::read_dir(into).map_err(fail(into))?.next().is_some() {
        return Err(BackupError::NotEmpty(into.to_path_buf()));
    }
    let mut done = BackedUp::default();
    // Under another name until all is there.
    let draft = into.join("incomplete");
    let store = copy_database(&data_dir.join(FILE), &draft)?;
    for entry in fs::read_dir(data_dir).map_err(fail(data_dir))? {
        let name = entry.map_err(fail(data_dir))?.file_name();
        let is_database = Path::new(&name).extension().is_some_and(|extension| extension == "db");
        if is_database && name != FILE {
            copy_database(&data_dir.join(&name), &into.join(&name))?;
            done.database_bytes += length(&into.join(&name));
        }
    }
    let database = |source| BackupError::Database { name: FILE.to_owned(), source };
    each_job(&store, database, |Copied { job, is_over, had_attempt }| {
        done.jobs += 1;
        let (from, to) = (job_dir(&data_dir.join("jobs"), job), job_dir(&into.join("jobs"), job));
        match copy_job(&from, &to, is_over) {
            Ok(Some(bytes)) => done.log_bytes += bytes,
            // One that was never claimed has no directory.
            Ok(None) => done.gone += u64::from(had_attempt),
            Err(source) => return Err(BackupError::Log { job, source }),
        }
        Ok(())
    })?;
    store.close().map_err(|(_, source)| database(source))?;
    done.database_bytes += length(&draft);
    sync(into).map_err(fail(into))?;
    fs::rename(&draft, into.join(FILE)).map_err(fail(into))?;
    sync(into).map_err(fail(into))?;
    Ok(done)
}

/// Directories of their owner's alone.
fn private() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |meta| meta.len())
}

/// All of the file system that the directory is on: one call for however many files.
fn sync(dir: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(dir)?)?)
}

/// The copy of a database, open.
fn copy_database(from: &Path, to: &Path) -> Result<Connection, BackupError> {
    let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let copied = || -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let source = Connection::open_with_flags(from, flags)?;
        source.busy_timeout(BUSY)?;
        // Its owner's alone from its first byte on; SQLite keeps the mode that it finds.
        let made = File::options().write(true).create_new(true).mode(0o600).open(to);
        made.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let mut copy = Connection::open(to)?;
        let backup = rusqlite::backup::Backup::new(&source, &mut copy)?;
        let began = Instant::now();
        // All pages in one step, so that they are of one moment.
        while backup.step(-1)? != StepResult::Done {
            if began.elapsed() > BUSY {
                return Err(rusqlite::Error::SqliteFailure(
                    rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                    Some("it is held up by another process".to_owned()),
                ));
            }
            thread::sleep(PAUSE);
        }
        drop(backup);
        // One file, without a log of writes beside it; a server that opens it makes that anew.
        copy.pragma_update(None, "journal_mode", "DELETE")?;
        Ok(copy)
    };
    copied().map_err(|source| BackupError::Database { name, source })
}

/// A job as the copied store has it.
struct Copied {
    job: JobId,
    is_over: bool,
    had_attempt: bool,
}

fn each_job(
    store: &Connection,
    database: impl Fn(rusqlite::Error) -> BackupError + Copy,
    mut each: impl FnMut(Copied) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let sql = format!("SELECT id, state NOT IN ({NOT_OVER_STATES}), attempt > 0 FROM jobs");
    let mut query = store.prepare(&sql).map_err(database)?;
    let mut rows = query.query([]).map_err(database)?;
    while let Some(row) = rows.next().map_err(database)? {
        let job = JobId(Uuid::from_bytes(row.get(0).map_err(database)?));
        let (is_over, had_attempt) = (row.get(1).map_err(database)?, row.get(2).map_err(database)?);
        each(Copied { job, is_over, had_attempt })?;
    }
    Ok(())
}

/// Bytes of the job's log; none: it has no directory.
fn copy_job(from: &Path, to: &Path, is_over: bool) -> Result<Option<u64>, logs::LogError> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        entries => entries?,
    };
    private().create(to)?;
    let mut bytes = 0;
    if !is_over {
        bytes = logs::copy(from, to)?;
    }
    for entry in entries {
        let name = entry?.file_name();
        let is_log = name == logs::LOG || name == logs::INDEX;
        let is_journal = name.to_string_lossy().starts_with(JOURNAL);
        let (source, target) = (from.join(&name), to.join(&name));
        let copied = match (is_over, is_log, is_journal) {
            (true, true, _) | (true, _, true) => link(&source, &target),
            (false, _, true) => fs::copy(&source, &target).map(|_| ()),
            // The lock, a request to cancel, what steps left: of no use to a copy.
            _ => continue,
        };
        match copied {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            copied => copied?,
        }
        if is_over && name == logs::LOG {
            bytes = length(&target);
        }
    }
    Ok(Some(bytes))
}

/// A second name for a file, or where there can be none, a second file.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() != ErrorKind::NotFound => fs::copy(from, to).map(|_| ()),
        linked => linked,
    }
}
