//! What was done: written in groups by one thread, and as lines of the server's log.

use crate::{Access, AccessError, store::Store, throttle::Throttle};
use engine::Caller;
use rusqlite::{Row, Transaction, params};
use shared::{
    Timestamp,
    access::{AuditEntry, AuditPage, Via},
};
use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};
use tokio::sync::oneshot;

/// Entries of a page of the log at most.
pub const MOST: u32 = 200;
/// Entries that may wait to be written; who has one more waits, too.
const WAITING: usize = 1024;
/// Entries written in one transaction.
const GROUP: usize = 256;
/// Characters of a field.
const LONGEST: usize = 500;
/// Statuses of who may not, or not so often; the migration's index has the same.
const REFUSED: [u16; 4] = [401, 403, 421, 429];
/// Refusals a minute that are written down of one caller, of failed sign-ins, and of all whom nobody knows; what is
/// beyond is counted.
const REFUSALS: u32 = 120;
/// Entries kept: of refusals, which anybody can cause, and of all.
const REFUSALS_KEPT: i64 = 100_000;
const KEPT: i64 = 10_000_000;
/// Entries between two looks at what is past its time.
const TRIM_EVERY: u64 = 1_000;

/// What is to be written down; its number and time are given then.
#[derive(Clone, Debug)]
pub struct Entry {
    pub caller: Option<String>,
    pub via: Option<Via>,
    pub address: String,
    pub action: String,
    pub target: String,
    pub status: u16,
    pub detail: Option<String>,
}

impl Entry {
    /// What the board did, asked for in another way than over the network: `from` says which.
    pub fn of_board(from: &str, action: &str, target: &str, detail: Option<String>) -> Self {
        let board = Caller::board();
        Self {
            caller: Some(board.name.to_string()),
            via: Some(board.via),
            address: from.to_owned(),
            action: action.to_owned(),
            target: target.to_owned(),
            status: 200,
            detail,
        }
    }
}

/// What to look for in the log. Absent: everything.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    pub caller: Option<String>,
    /// An action, or what it begins with before a dot.
    pub action: Option<String>,
    /// Older than this entry.
    pub before: Option<i64>,
    pub limit: Option<u32>,
}

enum Task {
    Write(Timestamp, Entry, oneshot::Sender<()>),
    Flush(oneshot::Sender<()>),
}

pub(crate) struct Audit {
    line: mpsc::SyncSender<Task>,
    refusals: Throttle<String>,
    passed_over: AtomicU64,
}

impl Audit {
    pub fn start(store: Store, kept: Duration) -> Self {
        let (line, tasks) = mpsc::sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("audit".to_owned());
        if let Err(error) = thread.spawn(move || write_all(&store, &tasks, kept)) {
            // The channel is closed then: entries go to the server's log alone.
            tracing::error!(%error, "the audit log cannot be written");
        }
        let refusals = Throttle::new(REFUSALS, Duration::from_secs(60));
        Self { line, refusals, passed_over: AtomicU64::new(0) }
    }

    /// Returns when all that was given before is written.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.send(Task::Flush(done)).await {
            let _ = written.await;
        }
    }

    async fn send(&self, task: Task) -> bool {
        match self.line.try_send(task) {
            Ok(()) => true,
            Err(mpsc::TrySendError::Disconnected(_)) => false,
            Err(mpsc::TrySendError::Full(task)) => {
                let line = self.line.clone();
                let sent = tokio::task::spawn_blocking(move || line.send(task).is_ok());
                sent.await.unwrap_or(false)
            }
        }
    }
}

impl Access {
    /// Writes an entry down and returns when it is on the disk. Refusals are written as far as there is room: nobody
    /// fills a disk, or pushes others' entries out, by asking for what it may not have.
    pub async fn audit(&self, mut entry: Entry) {
        let audit = &self.0.audit;
        if REFUSED.contains(&entry.status) {
            let who = match (entry.caller.as_deref(), entry.action.as_str()) {
                (Some(caller), _) => caller,
                (None, action @ ("sign-in" | "set-up")) => action,
                (None, _) => "",
            };
            if audit.refusals.take(who).is_err() {
                audit.passed_over.fetch_add(1, Ordering::Relaxed);
                return;
            }
            let passed_over = audit.passed_over.swap(0, Ordering::Relaxed);
            if passed_over > 0 {
                let detail = entry.detail.unwrap_or_default();
                let detail = format!("{detail} ({passed_over} refusals before it are left out)");
                entry.detail = Some(detail.trim_start().to_owned());
            }
        }
        tracing::info!(
            target: "audit",
            caller = entry.caller.as_deref(),
            via = entry.via.map(Via::as_str),
            address = entry.address,
            action = entry.action,
            target = entry.target,
            status = entry.status,
            detail = entry.detail,
        );
        let (done, written) = oneshot::channel();
        if audit.send(Task::Write(Timestamp::now(), entry, done)).await {
            let _ = written.await;
        }
    }

    /// The log, newest first.
    pub async fn audit_log(&self, query: AuditQuery) -> Result<AuditPage, AccessError> {
        let limit = query.limit.unwrap_or(50).clamp(1, MOST);
        self.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT id, at, caller, via, address, action, target, status, detail FROM audit \
                 WHERE id < ?1 AND (?2 IS NULL OR caller = ?2) \
                 AND (?3 IS NULL OR action = ?3 OR substr(action, 1, length(?3) + 1) = ?3 || '.') \
                 ORDER BY id DESC LIMIT ?4",
            )?;
            let before = query.before.unwrap_or(i64::MAX);
            let rows =
                select.query_map(params![before, query.caller, query.action, limit + 1], entry)?;
            let mut items: Vec<AuditEntry> = rows.collect::<Result<_, _>>()?;
            let more = items.len() > limit as usize;
            items.truncate(limit as usize);
            let next = items.last().filter(|_| more).map(|entry| entry.id);
            Ok(AuditPage { items, next })
        })
        .await
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let via: Option<String> = row.get(3)?;
    Ok(AuditEntry {
        id: row.get(0)?,
        at: Timestamp(row.get(1)?),
        caller: row.get(2)?,
        via: via.and_then(|word| Via::ALL.into_iter().find(|via| via.as_str() == word)),
        address: row.get(4)?,
        action: row.get(5)?,
        target: row.get(6)?,
        status: row.get(7)?,
        detail: row.get(8)?,
    })
}

/// Writes what comes until the last handle is gone, as much at a time as has gathered.
fn write_all(store: &Store, tasks: &mpsc::Receiver<Task>, kept: Duration) {
    let mut written = 0;
    while let Ok(first) = tasks.recv() {
        let group: Vec<Task> = std::iter::once(first).chain(tasks.try_iter().take(GROUP)).collect();
        let before = written;
        written += group.len() as u64;
        let trim = written / TRIM_EVERY > before / TRIM_EVERY || before == 0;
        let done = store.write(|tx| {
            for task in &group {
                if let Task::Write(at, entry, _) = task {
                    insert(tx, *at, entry)?;
                }
            }
            if trim { remove_old(tx, kept) } else { Ok(()) }
        });
        if let Err(error) = done {
            tracing::error!(%error, "entries of the audit log are lost");
        }
        for task in group {
            let (Task::Write(_, _, done) | Task::Flush(done)) = task;
            // Who asked may be gone.
            let _ = done.send(());
        }
    }
}

fn insert(tx: &Transaction<'_>, at: Timestamp, entry: &Entry) -> rusqlite::Result<()> {
    let cut = |text: &str| text.chars().take(LONGEST).collect::<String>();
    tx.prepare_cached(
        "INSERT INTO audit (at, caller, via, address, action, target, status, detail) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        at.0,
        entry.caller.as_deref().map(cut),
        entry.via.map(Via::as_str),
        cut(&entry.address),
        cut(&entry.action),
        cut(&entry.target),
        entry.status,
        entry.detail.as_deref().map(cut),
    ])?;
    Ok(())
}

fn remove_old(tx: &Transaction<'_>, kept: Duration) -> rusqlite::Result<()> {
    let kept = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
    tx.execute(
        "DELETE FROM audit WHERE status IN (401, 403, 421, 429) AND id <= (SELECT id FROM audit \
         WHERE status IN (401, 403, 421, 429) ORDER BY id DESC LIMIT 1 OFFSET ?)",
        [REFUSALS_KEPT],
    )?;
    // Ids grow with time, so both ends of the log are found without reading it.
    tx.execute(
        "DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?1 OR id < coalesce( \
         (SELECT id FROM audit WHERE at >= ?2 ORDER BY id LIMIT 1), (SELECT max(id) FROM audit))",
        [KEPT, Timestamp::now().0.saturating_sub(kept)],
    )?;
    Ok(())
}
