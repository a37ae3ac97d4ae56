//! SQLite: jobs, steps, stories, and the events that a stream may still resume over.
//!
//! - [`Writer`]: the one writing connection, owned by the board; what it commits is a list of [`Change`]s
//! - [`Store`]: a few reading connections. Its methods block and belong into `spawn_blocking`
//! - `directory`: the lock of the data directory, and whether it is a copy; `schema`: migrations
//! - `jobs`, `ranges`, `cursor`: lists; `search`: by words; `detail`: one job; `unfinished`: what a start goes on with; `events`: history;
//!   `requests`: what may be repeated; `retention`: what is past its time;
//!   `recent`: the last hour
//!
//! WAL, `synchronous=FULL`: what is acknowledged survives a power loss, and the cost of it is shared by all
//! that gathered for one commit.

mod change;
mod cursor;
mod detail;
mod directory;
mod error;
mod events;
mod jobs;
mod ranges;
mod recent;
mod requests;
mod retention;
mod row;
mod schema;
mod search;
mod unfinished;
mod writer;

pub use change::{Change, Plan};
pub use cursor::BadCursor;
pub use detail::StoredJob;
pub use error::{QueryError, StoreError};
pub use events::{History, StoredEvent};
pub use jobs::{JobRows, JobsQuery};
pub use requests::{Paused, Stand};
pub use unfinished::Unfinished;
pub use writer::{EVENTS_KEPT, Head, Writer};

use directory::{DirectoryLock, Identity};
use rusqlite::{Connection, OpenFlags};
use shared::Epoch;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use uuid::Uuid;

const FILE: &str = "tailboard.db";
/// Reading connections: enough for two cores and a slow one.
const READERS: usize = 4;
/// How long a statement waits for a lock that SQLite itself needs (recovery, checkpoint).
const BUSY: Duration = Duration::from_secs(5);
/// The same for a commit: short, since the board tries again and says so when it takes too long.
const BUSY_WRITER: Duration = Duration::from_millis(200);
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

    /// Reads in one transaction, so that all that is read is of one moment. Waits for its turn.
    fn read<T, E>(&self, read: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E>
    where
        E: From<rusqlite::Error>,
    {
        let turn = Turn::take(&self.0);
        let idle = turn.readers().idle.pop();
        let db = idle.map_or_else(|| open_reader(&self.0.path), Ok)?;
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
