//! The numbered migrations, embedded; `user_version` says which were applied.

use super::{StoreError, directory::Identity};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use shared::Epoch;
use std::path::Path;
use uuid::Uuid;

/// Number n is at place n - 1. What was released is never edited, only added to.
const MIGRATIONS: [&str; 9] = [
    include_str!("migrations/0001_spine.sql"),
    include_str!("migrations/0002_runner.sql"),
    include_str!("migrations/0003_lists.sql"),
    include_str!("migrations/0004_retention.sql"),
    include_str!("migrations/0005_sorted.sql"),
    include_str!("migrations/0006_counted.sql"),
    include_str!("migrations/0007_pipelines.sql"),
    include_str!("migrations/0008_events_off.sql"),
    include_str!("migrations/0009_tried_again.sql"),
];

/// What this board is, read or made when the store is opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Board {
    pub epoch: Epoch,
    pub install_id: Uuid,
    /// The last event number that may have been given out.
    pub reserved: u64,
    /// Found now: the directory is not the one it was last opened in.
    pub is_copy: bool,
}

/// Brings the store up to date and settles what board it is, in one transaction.
pub(super) fn prepare(
    db: &mut Connection,
    path: &Path,
    identity: Identity,
) -> Result<Board, StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let known = MIGRATIONS.len() as u32;
    let found: u32 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_path_buf(), found, known });
    }
    for migration in &MIGRATIONS[found as usize..] {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "user_version", known)?;
    let board = settle(&tx, identity)?;
    tx.commit()?;
    Ok(board)
}

fn settle(db: &Connection, identity: Identity) -> rusqlite::Result<Board> {
    let Identity { device, inode, born } = identity;
    let row = db.query_row(
        "SELECT epoch, install_id, reserved, device, inode, born FROM board",
        [],
        |row| {
            let board = Board {
                epoch: Epoch(row.get(0)?),
                install_id: Uuid::from_bytes(row.get(1)?),
                reserved: row.get::<_, i64>(2)? as u64,
                is_copy: false,
            };
            let last: [Option<i64>; 3] = [row.get(3)?, row.get(4)?, row.get(5)?];
            Ok((board, last))
        },
    );
    let (last, mut board) = match row.optional()? {
        Some((board, last)) if last == [Some(device), Some(inode), Some(born)] => return Ok(board),
        Some((board, _)) => (Some(board.epoch), Board { is_copy: true, ..board }),
        None => {
            (None, Board { epoch: Epoch(0), install_id: Uuid::nil(), reserved: 0, is_copy: false })
        }
    };
    board.install_id = Uuid::new_v4();
    // The epoch of a copy must differ from the original's.
    board.epoch = loop {
        let epoch = Epoch(Uuid::new_v4().as_fields().0);
        if Some(epoch) != last {
            break epoch;
        }
    };
    // Ids in stored frames are of the old epoch; the numbers go on, since rows carry them as revisions.
    db.execute("DELETE FROM events", [])?;
    db.execute("UPDATE connections SET floor = ?", [board.reserved as i64])?;
    db.execute(
        "REPLACE INTO board (one, epoch, install_id, reserved, device, inode, born) VALUES (1, ?, ?, ?, ?, ?, ?)",
        params![board.epoch.0, board.install_id.as_bytes(), board.reserved as i64, device, inode, born],
    )?;
    Ok(board)
}
