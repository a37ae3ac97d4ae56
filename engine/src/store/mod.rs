//! SQLite: jobs, steps, stories, and the events that a stream may still resume over.
//!
//! - [`Writer`]: the one writing connection, owned by the board; what it commits is a list of [`Change`]s, whose
//!   statements are in `apply`
//! - [`Store`]: a few reading connections. Its methods block and belong into `spawn_blocking`
//! - `directory`: the lock of the data directory, and whether it is a copy; `schema`: migrations
//! - `jobs`, `ranges`, `span`, `cursor`: lists; `search`: by words; `detail`: one job; `unfinished`: what a start goes on with; `events`: history;
//!   `pipelines`: those made over the API; `requests`: what may be repeated; `retention`: what is past its time;
//!   `recent`: the last hour; `again`: what was tried again in it; `counted`: what is counted with every change
//!
//! WAL, `synchronous=FULL`: what is acknowledged survives a power loss, and the cost of it is shared by all
//! that gathered for one commit.

mod again;
mod apply;
mod change;
mod counted;
mod cursor;
mod detail;
mod directory;
mod error;
mod events;
mod jobs;
mod pipelines;
mod ranges;
mod recent;
mod requests;
mod retention;
mod row;
mod schema;
mod search;
mod span;
mod unfinished;
mod writer;

pub use again::TriedAgain;
pub use change::{Change, Plan};
pub use counted::Counted;
pub use cursor::BadCursor;
pub use detail::StoredJob;
pub use directory::{DirectoryLock, is_data_dir};
pub use error::{QueryError, StoreError};
pub use events::{EventsOff, History, StoredEvent};
pub use jobs::{JobRows, JobsQuery};
pub use recent::Recent;
pub use requests::{Paused, Stand};
pub(crate) use unfinished::NOT_OVER_STATES;
pub use unfinished::Unfinished;
pub use writer::{EVENTS_KEPT, Head, Writer};

use directory::Identity;
use rusqlite::{Connection, OpenFlags};
use shared::Epoch;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Name of the store in a data directory.
pub(crate) const FILE: &str = "tailboard.db";
/// Reading connections: enough for two cores and a slow one.
const READERS: usize = 4;
/// How long a statement waits for a lock that SQLite itself needs (recovery, checkpoint).
const BUSY: Duration = Duration::from_secs(5);
/// The same for a commit: short, since the board tries again and says so when it takes too long.
const BUSY_WRITER: Duration = Duration::from_millis(200);
/// How long a reading transaction may last, and SQLite's steps between two looks at the clock: 1 ms.
const READ_TIME: Duration = Duration::from_secs(1);
const STEPS: i32 = 20_000;
/// Prepared statements kept per connection: all there are.
const STATEMENTS: usize = 64;

/// Handle of the store; cheap to clone. The data directory stays locked while one,
/// or the writer, exists.
#[derive(Clone, Debug)]
pub struct Store(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    board: schema::Board,
    readers: Mutex<Readers>,
    /// A reader came back.
    turn: Condvar,
    _lock: Arc<DirectoryLock>,
}

#[derive(Debug, Default)]
struct Readers {
    idle: Vec<Connection>,
    busy: usize,
}

impl Store {
    /// Locks the data directory, opens or creates the store in it and brings it up to date.
    pub fn open(dir: &Path) -> Result<(Self, Writer), StoreError> {
        let lock = Arc::new(DirectoryLock::take(dir)?);
        let path = dir.join(FILE);
        directory::make_private(&path)?;
        let mut db = Connection::open(&path)?;
        db.busy_timeout(BUSY)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "journal_size_limit", 64 << 20)?;
        let board = schema::prepare(&mut db, &path, Identity::of(dir)?)?;
        db.busy_timeout(BUSY_WRITER)?;
        let writer = Writer::new(db, lock.clone())?;
        let (readers, turn) = (Mutex::default(), Condvar::new());
        Ok((Self(Arc::new(Shared { path, board, readers, turn, _lock: lock })), writer))
    }

    /// Part of every event id; another one means that history cannot be continued.
    pub fn epoch(&self) -> Epoch {
        self.0.board.epoch
    }

    /// Made with the data directory; marks the processes that belong to it.
    pub fn install_id(&self) -> Uuid {
        self.0.board.install_id
    }

    /// The directory is a copy of another one, found at this start: what runs are there, not here.
    pub fn is_copy(&self) -> bool {
        self.0.board.is_copy
    }

    /// The last event number that may have been given out before this start: the head to begin with.
    pub fn reserved(&self) -> u64 {
        self.0.board.reserved
    }

    /// Reads in one transaction, so that all that is read is of one moment. Waits for its turn. What
    /// takes longer than a second ends with [`StoreError::Slow`]: while it goes on the log of writes grows.
    fn read<T, E>(&self, read: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E>
    where
        E: From<rusqlite::Error>,
    {
        self.read_within(Some(READ_TIME), read)
    }

    /// The same without a bound: for the start and for what goes on in the background.
    fn read_unhurried<T, E>(&self, read: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E>
    where
        E: From<rusqlite::Error>,
    {
        self.read_within(None, read)
    }

    fn read_within<T, E>(
        &self,
        time: Option<Duration>,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<rusqlite::Error>,
    {
        let turn = Turn::take(&self.0);
        let idle = turn.readers().idle.pop();
        let mut db = idle.map_or_else(|| open_reader(&self.0.path), Ok)?;
        let end = time.map(|time| Instant::now() + time);
        db.progress_handler(STEPS, end.map(|end| move || Instant::now() > end))?;
        let tx = db.unchecked_transaction()?;
        let answer = read(&tx);
        drop(tx);
        turn.readers().idle.push(db);
        answer
    }
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(db)
}

/// The right to use one of the reading connections; given back when dropped.
struct Turn<'a>(&'a Shared);

impl<'a> Turn<'a> {
    fn take(shared: &'a Shared) -> Self {
        let turn = Self(shared);
        let full = |readers: &mut Readers| readers.busy == READERS;
        let readers = shared.turn.wait_while(turn.readers(), full);
        readers.unwrap_or_else(PoisonError::into_inner).busy += 1;
        turn
    }

    fn readers(&self) -> MutexGuard<'a, Readers> {
        self.0.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.readers().busy -= 1;
        self.0.turn.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_store_are_their_owners_alone_in_any_directory() {
        use std::{fs, os::unix::fs::PermissionsExt};
        let dir = tempfile::tempdir().unwrap();
        let files =
            [FILE, "tailboard.db-wal", "tailboard.db-shm"].map(|name| dir.path().join(name));
        let set = |mode| {
            files.iter().for_each(|file| {
                fs::set_permissions(file, PermissionsExt::from_mode(mode)).unwrap()
            })
        };
        let modes = || {
            files.each_ref().map(|file| fs::metadata(file).unwrap().permissions().mode() & 0o777)
        };
        fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let (store, writer) = Store::open(dir.path()).unwrap();
        assert_eq!(modes(), [0o600; 3]);
        set(0o644);
        // As after a kill: the files beside it stay.
        let kept = files.each_ref().map(|file| fs::read(file).unwrap());
        drop((store, writer));
        files.iter().zip(kept).for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
        set(0o644);
        let _open = Store::open(dir.path()).unwrap();
        assert_eq!(modes(), [0o600; 3]);
    }

    #[test]
    fn a_read_that_takes_too_long_is_ended_and_the_next_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _writer) = Store::open(dir.path()).unwrap();
        let count = |upto: &str| {
            let sql = format!(
                "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {upto}) \
                 SELECT count(*) FROM n"
            );
            store.read(|db| Ok::<i64, StoreError>(db.query_row(&sql, [], |row| row.get(0))?))
        };
        assert!(matches!(count("1e18"), Err(StoreError::Slow)));
        assert_eq!(count("100000").unwrap(), 100_000);
    }
}
