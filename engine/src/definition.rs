//! What the configuration defines: settings, queues and pipelines, already checked.

use serde::{Deserialize, Serialize};
use shared::{Origin, Overlap, ParamDef, Phase};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

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
    /// Secrets that never reach a log, whoever prints them.
    pub redact: Vec<SecretKind>,
    pub retention: Retention,
    /// Whether admins may make, change and delete pipelines over the API, and those that were made are
    /// there at all.
    pub allow_pipeline_editing: bool,
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
            redact: Vec::new(),
            retention: Retention::default(),
            allow_pipeline_editing: false,
            queues: Vec::new(),
            pipelines: Vec::new(),
        }
    }
}

impl Settings {
    pub fn pipeline(&self, name: &str) -> Option<&Definition> {
        self.pipelines.iter().find(|pipeline| pipeline.name == name)
    }

    /// Keys, as the configuration file has them, of what `other` says otherwise, pipelines apart.
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        // Taken apart as a whole, so that no setting is forgotten.
        let Self {
            on_shutdown,
            inherit_env,
            grace,
            max_log_bytes,
            min_free_disk,
            redact,
            retention: Retention { completed, failed, jobs, log_bytes },
            allow_pipeline_editing,
            queues,
            pipelines: _,
        } = self;
        let kept = &other.retention;
        let differs = [
            ("on_shutdown", *on_shutdown != other.on_shutdown),
            ("inherit_env", *inherit_env != other.inherit_env),
            ("grace", *grace != other.grace),
            ("max_log_bytes", *max_log_bytes != other.max_log_bytes),
            ("min_free_disk", *min_free_disk != other.min_free_disk),
            ("redact", *redact != other.redact),
            ("retention.completed", *completed != kept.completed),
            ("retention.failed", *failed != kept.failed),
            ("retention.jobs", *jobs != kept.jobs),
            ("retention.log_bytes", *log_bytes != kept.log_bytes),
            ("allow_pipeline_editing", *allow_pipeline_editing != other.allow_pipeline_editing),
            ("queue", *queues != other.queues),
        ];
        differs.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueDef {
    pub name: String,
    /// Jobs of it that run at a time, at least 1.
    pub concurrency: u32,
}

/// A pipeline. A job carries the definition it was queued with, so this is stored as JSON too; what an
/// older board did not know of is at its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Definition {
    pub name: String,
    /// Not stored: where it is kept says it.
    #[serde(skip)]
    pub origin: Origin,
    pub description: Option<String>,
    pub queue: String,
    /// Bound on each attempt, cleanup apart.
    pub timeout: Option<Duration>,
    pub params: Vec<ParamDef>,
    pub env: BTreeMap<String, String>,
    /// Absolute path of a file of `NAME=value` lines, read at the start of each attempt; every value
    /// is a secret and never stored.
    pub env_file: Option<PathBuf>,
    /// Absolute path where steps begin; None: the attempt's fresh directory.
    pub cwd: Option<PathBuf>,
    /// Program and arguments before the command; empty: `sh -c`.
    pub shell: Vec<String>,
    pub retry: Retry,
    /// What becomes of a run whose executor is gone without a last word.
    pub on_lost: OnLost,
    /// Higher ones are claimed first.
    pub priority: i32,
    /// Runs that go on at a time at most.
    pub max_concurrent: Option<u32>,
    /// Bytes one of its jobs may log; None: as [`Settings`] has it.
    pub max_log_bytes: Option<u64>,
    /// Secrets that never reach the log of one of its jobs; None: as [`Settings`] has it.
    pub redact: Option<Vec<SecretKind>>,
    pub schedule: Option<ScheduleDef>,
    pub steps: Vec<StepDef>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepDef {
    pub name: String,
    pub phase: Phase,
    /// Given to the shell.
    pub run: String,
    pub timeout: Option<Duration>,
    pub env: BTreeMap<String, String>,
    /// As in [`Definition`], for this step.
    pub cwd: Option<PathBuf>,
    /// As in [`Definition`], for this step; empty: the pipeline's.
    pub shell: Vec<String>,
    /// Its failure is shown, and the run goes on as if it had not failed.
    pub continue_on_error: bool,
}

/// Secrets that are known by their looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretKind {
    /// Access key ids, and what is named as a secret access key or a session token.
    Aws,
    /// Tokens of users, apps and actions.
    Github,
    /// Signed JSON web tokens.
    Jwt,
    /// Private keys between `BEGIN` and `END`.
    Pem,
    /// API keys of this board.
    Tailboard,
    /// Passwords in URLs.
    Url,
}

impl SecretKind {
    /// All there are, by the names they have in a configuration.
    pub const ALL: [(&str, Self); 6] = [
        ("aws", Self::Aws),
        ("github", Self::Github),
        ("jwt", Self::Jwt),
        ("pem", Self::Pem),
        ("tailboard", Self::Tailboard),
        ("url", Self::Url),
    ];
}

/// When and how often a failed run is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retry {
    /// Attempts after the first; 0 to 100.
    pub retries: u32,
    /// Before the second attempt; it doubles with each further one.
    pub delay: Duration,
    /// The longest pause.
    pub max_delay: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { retries: 0, delay: Duration::from_secs(10), max_delay: Duration::from_secs(15 * 60) }
    }
}

/// What becomes of a lost run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLost {
    #[default]
    Fail,
    /// Another attempt, even when no retries are left.
    Retry,
}

/// When a pipeline runs by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleDef {
    /// Five fields: minute, hour, day of the month, month, day of the week.
    pub cron: String,
    /// IANA name.
    pub timezone: String,
    pub overlap: Overlap,
    /// Whether times that passed while no board ran are made up for, by one run.
    pub catch_up: bool,
}

/// What is kept of jobs that are over; the active ones always are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Age, from its end on, at which a job that did not fail is deleted; None: never.
    pub completed: Option<Duration>,
    /// The same for one that failed.
    pub failed: Option<Duration>,
    /// Jobs that are over at most.
    pub jobs: u64,
    /// Bytes of all logs at most; the oldest are deleted first, those of failures last.
    pub log_bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        Self {
            completed: Some(30 * DAY),
            failed: Some(90 * DAY),
            jobs: 1_000_000,
            log_bytes: 50 << 30,
        }
    }
}
