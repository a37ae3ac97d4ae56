//! What only Linux has: all of the engine that another system would need another body for.
//!
//! - [`process`]: pidfds, `/proc`, subreaper, signals, what a step is given
//! - [`directories`]: wake-ups for changed files (inotify); `readable`: waiting on a descriptor
//! - [`init`]: being process 1
//! - [`files`]: room that is reserved, file systems whose locks cannot be trusted

pub mod directories;
pub mod files;
pub mod init;
pub mod process;
mod readable;

pub use process::*;
pub use readable::readable;
