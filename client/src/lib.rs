//! The command line of a board: everything that asks a server, over HTTP like everybody else.
//!
//! - [`Verb`]: what can be asked; one file per verb, or per kind of them, in `verbs`
//! - [`reach`]: which board is asked, and with which token; [`login`] keeps both
//! - [`api`]: requests and their answers; [`live`]: streams that go on after a break, read by [`sse`]; [`long`]: answers that do
//! - [`door`]: the two ways to users and keys; [`prompt`]: what a person is asked
//! - [`job_ref`]: which job is meant by the few characters that were typed
//! - [`console`]: what is printed, and how; [`table`], [`words`], [`plain`]: rows, figures, untrusted text
//! - [`failure`]: what went wrong, what to do next, and with which status the command ends
//!
//! Nothing here knows the engine: what a verb can do, a script with `curl` can.

mod api;
mod console;
mod door;
mod failure;
mod job_ref;
mod live;
mod login;
mod long;
mod pause;
mod plain;
mod prompt;
mod reach;
mod session;
mod sse;
mod table;
mod verbs;
mod words;

pub use door::Door;
pub use failure::{Failure, Refusal};
pub use verbs::Verb;

use std::{io::Write, path::Path, process::ExitCode};

/// Does what was asked. Statuses: 0 done, 1 failed, 2 wrong use, 3 cancelled, 4 out of time, 5 the board
/// cannot be reached or lets nobody in. `open` gives the way to users and keys of a data directory, and makes
/// it if it may.
pub fn run<D: Door>(verb: Verb, open: impl FnOnce(&Path, bool) -> Result<D, Failure>) -> ExitCode {
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(verbs::run(verb, open)));
    done.unwrap_or_else(|failure| {
        let text = failure.to_string();
        if !text.is_empty() {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
        failure.code()
    })
}
