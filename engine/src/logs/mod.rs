//! The log of a job: what its steps printed, and an index of its lines.
//!
//! Two files in the job's directory. `log` has the bytes, each stream's in their order, nothing added
//! or taken away; lines of the two streams alternate whole, in the order in which they were
//! completed. `log.idx` has one record per line ([`index`]). Data is written first, then its records,
//! then readers are told; so every line that a reader has seen is in the files, whatever process
//! died since.
//!
//! [`writer`] is used by the executor, [`reader`] by whoever shows a log, [`repair`] makes the files
//! whole again after a crash. [`live`] is what is not in them yet: unfinished lines. [`ansi`] turns a
//! line into runs of text that are safe to show. [`search`] finds lines by what is seen of them; [`output`]
//! is for those who count in bytes.

pub mod ansi;
mod copy;
pub mod index;
pub mod live;
pub mod output;
pub mod reader;
mod repair;
pub mod search;
pub mod writer;

pub use copy::copy;
pub use reader::{Log, RawLine, Size, Window};
pub use repair::repair;

/// Name of the data file in a job's directory.
pub(crate) const LOG: &str = "log";
/// Name of the index.
pub(crate) const INDEX: &str = "log.idx";

/// Bytes of a line, its `\n` included. One that goes on is cut there.
pub const MAX_LINE: usize = 64 << 10;

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("the log cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
    #[error("the log's index is none that this version knows")]
    Version,
    #[error("the log is not whole: its index ends at byte {indexed}, its data at {data}")]
    NotWhole { indexed: u64, data: u64 },
}
