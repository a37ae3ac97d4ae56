//! What the configuration defines: settings, queues and pipelines, already checked.

use serde::{Deserialize, Serialize};
use shared::Phase;
use std::{collections::BTreeMap, time::Duration};

/// Default time a `cleanup` step may take.
pub const CLEANUP_TIMEOUT: Duration = Duration::from_secs(60);

/// What becomes of running jobs when the server is asked to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnShutdown {
    /// Executors go on; the next server adopts them.
    #[default]
    Leave,
    Cancel,
}

/// The whole configuration of the built-in runner.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub on_shutdown: OnShutdown,
    /// Names of variables of the server's environment that steps get too.
    pub inherit_env: Vec<String>,
    /// Time between TERM and KILL when a step is ended.
    pub grace: Duration,
    /// Bytes a job may log; past it output is drained and counted, not kept.
    pub max_log_bytes: u64,
    /// Bytes that stay free on the disk of the data directory.
    pub min_free_disk: u64,
    pub queues: Vec<QueueDef>,
    pub pipelines: Vec<Definition>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            on_shutdown: OnShutdown::default(),
            inherit_env: Vec::new(),
            grace: Duration::from_secs(10),
            max_log_bytes: 2 << 30,
            min_free_disk: 1 << 30,
            queues: Vec::new(),
            pipelines: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueDef {
    pub name: String,
    /// Jobs of it that run at a time, at least 1.
    pub concurrency: u32,
}

/// A pipeline. A job carries the definition it was queued with, so this is stored as JSON too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    pub name: String,
    pub description: Option<String>,
    pub queue: String,
    /// Bound on the whole attempt, cleanup apart.
    pub timeout: Option<Duration>,
    pub env: BTreeMap<String, String>,
    pub steps: Vec<StepDef>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepDef {
    pub name: String,
    pub phase: Phase,
    /// Given to `sh -c`.
    pub run: String,
    pub timeout: Option<Duration>,
    pub env: BTreeMap<String, String>,
}
