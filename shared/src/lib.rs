//! What travels: the words of Tailboard as types. No I/O; builds for the server and for the browser.
//!
//! - [`ids`], [`time`]: identifiers, event ids, UTC time on the wire
//! - [`job`], [`step`], [`queue`], [`worker`], [`connection`], [`pipeline`], [`log`]: the rows
//! - [`event`]: the live events of the dashboard stream, one struct per event name
//! - [`param`]: what may be given to a run
//! - [`filter`]: whether a job belongs to a list; one function for server and browser
//! - [`page`]: what a page or a list of the API answers with; every one carries `as_of`
//! - [`access`]: who may do what, and what was done
//! - [`size`]: bytes in words
//! - [`problem`]: RFC 9457 problem details

pub mod access;
pub mod connection;
pub mod event;
pub mod filter;
pub mod ids;
pub mod job;
pub mod log;
pub mod page;
pub mod param;
pub mod pipeline;
pub mod problem;
pub mod queue;
pub mod size;
pub mod step;
pub mod time;
pub mod worker;

pub use access::Role;
pub use connection::{Connection, ConnectionKind, Freshness};
pub use filter::{JobFilter, JobSort};
pub use ids::{ConnectionId, Epoch, EventId, JobId, StepId};
pub use job::{CancelRequest, Job, JobDetail, JobState, StoryEntry, StoryKind};
pub use page::{Page, Rows, Total};
pub use param::{ParamDef, ParamType};
pub use pipeline::{Origin, Overlap, Pipeline, PipelineStep, Schedule};
pub use queue::{Percentiles, Queue, QueueStats};
pub use size::bytes;
pub use step::{Phase, Step, StepState};
pub use time::Timestamp;
pub use worker::{RunningJob, Worker, WorkerJobs, WorkerState};
