//! Everything that is true without a browser.
//!
//! Data flows one way: a source (the [`runner`]) turns what its system does into
//! [`Observation`]s; the [`board`] applies them (the only place where a state changes, the only place
//! that gives out event numbers), the [`store`] commits them, the [`hub`] publishes them.
//! An attempt of a local job is a process of its own, the [`executor`], which writes its output
//! with [`logs`] and outlives the server.
//!
//! What is past its time is deleted by `retention`; [`backup`] copies all there is, whoever uses it.
//!
//! [`Engine`] is the handle the server holds; every question to it is asked by a [`Caller`].

pub mod backup;
pub mod board;
pub mod caller;
pub mod definition;
pub mod engine;
pub mod executor;
pub mod hub;
mod linux;
pub mod logs;
pub mod observation;
pub mod params;
pub mod pipeline_log;
pub mod retention;
pub mod runner;
pub mod schedule;
pub mod store;

pub use caller::Caller;
pub use definition::{
    Definition, OnLost, OnShutdown, QueueDef, Retention, Retry, ScheduleDef, SecretKind, Settings,
    StepDef,
};
pub use engine::{
    CancelError, DeleteError, EditError, Engine, LogSearch, Measures, PauseError, PipelineLog, Put,
    ReadError, Reloaded, RestartError, RetryError, RetryRequest, RunError, RunRequest, StartError,
    SwitchError, make_private,
};
pub use linux::{init::run as run_as_init, use_small_pages};
pub use observation::Observation;
pub use shared::Role;
