//! The published streams, one file each over a common core.
//!
//! The core: [`streams`] (which are open, their shared tick and end), [`body`] (first bytes, pieces,
//! end; nothing is queued), [`sse`] (writing events), [`too_many`] (a stream too many).
//! On it: [`dashboard`] (contract 1), [`job`] with [`job_status`], [`job_logs`] and
//! [`job_download`] (contract 2), [`executions`] with [`execution_event`] (contract 3, which reads a
//! [`story`]), [`pipeline_logs`] (contract 4, plain text), [`runner_job`] and [`runner_socket`] over [`runner_events`] (contract 5). Each keeps its own shape of errors.

mod body;
#[cfg(test)]
mod conformance;
mod dashboard;
mod execution_event;
mod executions;
mod job;
mod job_download;
mod job_logs;
mod job_status;
mod pipeline_logs;
mod runner_event;
mod runner_events;
mod runner_job;
mod runner_output;
mod runner_socket;
mod sse;
mod story;
mod streams;
mod too_many;

pub use body::come_again;
pub use streams::{KEEP_ALIVE, Streams};
pub use too_many::TooMany;

use crate::auth::Routes;

/// The routes of all contracts.
pub fn routes() -> Routes {
    dashboard::routes()
        .merge(job::routes())
        .merge(executions::routes())
        .merge(pipeline_logs::routes())
        .merge(runner_job::routes())
}
