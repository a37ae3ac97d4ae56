//! SQLite: jobs, steps, stories, and the events that a stream may still resume from.
//!
//! One writing connection, owned by the board ([`Writer`]); a few reading ones behind [`Store`], whose methods
//! block and belong into `spawn_blocking`.

use crate::Caller;
use shared::{
    CancelRequest, Epoch, Job, JobFilter, JobId, Step, StoryEntry, Total, job::Attempt,
    page::StateCount,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// Handle of the store; cheap to clone. The data directory stays locked while one exists.
#[derive(Clone)]
pub struct Store {}

/// The writing connection; there is one.
pub struct Writer {}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{0} is in use by another server")]
    Locked(PathBuf),
    #[error("{dir} is on {kind}, which cannot be locked reliably: use a local file system")]
    Remote { dir: PathBuf, kind: &'static str },
    #[error(
        "{path} was written by a newer version (schema {found}, this one knows {known}): use that version"
    )]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("store: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A row that this version cannot have written.
    #[error("store: {0}")]
    Corrupt(String),
}

/// Why a list cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error("the cursor is not one of this list: {0}")]
    Cursor(&'static str),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One page of jobs, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobsQuery {
    pub filter: JobFilter,
    /// `next_cursor` of the page before, of the same filter.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; what is outside is brought inside.
    pub limit: u32,
}

/// A page as the store has it: without `as_of`, which was read before.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRows {
    pub items: Vec<Job>,
    pub next_cursor: Option<String>,
    pub total: Total,
}

/// All that is stored of one job.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredJob {
    pub job: Job,
    pub params: BTreeMap<String, String>,
    pub created_by: String,
    /// As it was queued with, as JSON.
    pub definition: Option<String>,
    pub cancel: Option<CancelRequest>,
    /// Why its attempt has not begun to run yet, in one sentence.
    pub delay: Option<String>,
    /// Of the newest attempt (of the first while none was claimed), in the order of the plan.
    pub steps: Vec<Step>,
    pub attempts: Vec<Attempt>,
    pub story: Vec<StoryEntry>,
}

/// A job that was not over when the store was last written: what the runner goes on with after a start.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfinished {
    pub job: Job,
    pub params: BTreeMap<String, String>,
    /// As it was queued with, as JSON.
    pub definition: Option<String>,
    pub cancel: Option<CancelRequest>,
    /// Boot in which the newest attempt was claimed; none while there is no attempt.
    pub boot_id: Option<String>,
    /// Bytes of the newest attempt's journal that are in these rows.
    pub journal_position: u64,
}

impl Store {
    /// Locks the data directory, opens or creates the store in it and brings it up to date.
    pub fn open(_dir: &Path) -> Result<(Self, Writer), StoreError> {
        unimplemented!()
    }

    /// Part of every event id; another one means that history cannot be continued.
    pub fn epoch(&self) -> Epoch {
        unimplemented!()
    }

    /// Made with the data directory; marks the processes that belong to it.
    pub fn install_id(&self) -> Uuid {
        unimplemented!()
    }

    /// The directory is a copy of another one, found at this start: runs in it are somebody else's.
    pub fn is_copy(&self) -> bool {
        unimplemented!()
    }

    /// A page of jobs, newest first.
    pub fn jobs(&self, _caller: &Caller, _query: &JobsQuery) -> Result<JobRows, QueryError> {
        unimplemented!()
    }

    /// Jobs by state, whatever states the filter names; all eight, counted up to 10,000 each.
    pub fn counts(
        &self,
        _caller: &Caller,
        _filter: &JobFilter,
    ) -> Result<Vec<StateCount>, StoreError> {
        unimplemented!()
    }

    /// The row of one job.
    pub fn job(&self, _caller: &Caller, _id: JobId) -> Result<Option<Job>, StoreError> {
        unimplemented!()
    }

    /// All of one job.
    pub fn job_detail(
        &self,
        _caller: &Caller,
        _id: JobId,
    ) -> Result<Option<StoredJob>, StoreError> {
        unimplemented!()
    }

    /// Every job that is not over, oldest first.
    pub fn unfinished(&self) -> Result<Vec<Unfinished>, StoreError> {
        unimplemented!()
    }
}
