//! One attempt of a local job as a process of its own, so that a server that is upgraded, killed or
//! crashes does not take the work with it.
//!
//! Two sides meet in a job's directory; its files are the only protocol between them:
//!
//! - the executor process ([`main`]): `session` (the process itself), `attempt` (the steps in their
//!   order), `step` (one of them), `watch` (the one poll loop), `output` (pipes to log, without
//!   what `mask` and `redact` hide; `progress` of a step), `family`
//!   (ending what steps leave behind).
//! - the runner's side: [`launch`] starts one, [`lock`] says whether it lives, [`journal`] what it
//!   did, [`cancel`] asks it to end, [`sweep`] ends what a lost one left behind.
//!
//! [`plan`] is what is sent to it, [`environment`] what a step is given, [`env_file`] its secrets. What only Linux has is in
//! `linux`.

mod attempt;
pub mod cancel;
pub mod env_file;
pub mod environment;
mod family;
pub mod journal;
pub mod launch;
pub mod lock;
mod mask;
mod output;
pub mod plan;
mod progress;
mod redact;
mod session;
mod step;
pub mod sweep;
mod watch;

pub use attempt::remove_work;
pub use session::main;
