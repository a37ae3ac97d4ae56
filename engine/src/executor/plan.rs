//! What an executor is told: everything it needs, once, in one message on its standard input.

use super::environment::{Inherited, Marker};
use crate::definition::{CLEANUP_TIMEOUT, Definition, SecretKind, Settings};
use serde::{Deserialize, Serialize};
use shared::{JobId, Phase};
use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    path::PathBuf,
    time::Duration,
};

/// Version of the message; an executor refuses any other.
const VERSION: u32 = 1;
/// A message over this is refused: it is no plan.
const MAX_BYTES: u32 = 64 << 20;

/// The plan of one attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    version: u32,
    pub job: JobId,
    /// 1-based.
    pub attempt: u32,
    pub steps: Vec<PlannedStep>,
    /// Bound on the whole attempt, cleanup steps apart.
    pub timeout: Option<Duration>,
    /// Time between TERM and KILL when a step is ended.
    pub grace: Duration,
    /// Bytes the log may have, those of earlier attempts included.
    pub max_log_bytes: u64,
    /// Bytes that stay free on the disk of the job's directory.
    pub min_free_disk: u64,
    /// Soft limit of open files that steps get; none: as it is.
    pub open_files: Option<u64>,
    pub umask: u32,
    /// Values that are not to be in the log.
    pub secrets: Vec<String>,
    /// Neither are these.
    pub redact: Vec<SecretKind>,
}

/// One step, in the order in which they run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    pub name: String,
    pub phase: Phase,
    /// Given to the shell.
    pub run: String,
    pub timeout: Option<Duration>,
    /// The whole environment of the step.
    pub env: BTreeMap<String, String>,
    /// Where it begins; none: the attempt's own directory.
    pub cwd: Option<PathBuf>,
    /// Program and arguments before the command; none: `sh -c`.
    pub shell: Vec<String>,
    /// Its failure fails nothing else.
    pub continue_on_error: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("the plan did not come whole: {0}")]
    Io(#[from] io::Error),
    #[error("the plan cannot be read: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("the plan has version {0}, this executor knows version {VERSION}")]
    Version(u32),
    #[error("a plan of {0} bytes is too long")]
    TooLong(u64),
}

impl Plan {
    /// The plan of one attempt of a run of `definition` with these parameters
    /// and secrets (by name).
    pub fn of(
        definition: &Definition,
        settings: &Settings,
        inherited: &Inherited,
        params: &BTreeMap<String, String>,
        secrets: &BTreeMap<String, String>,
        marker: &Marker,
    ) -> Self {
        let steps = definition
            .steps
            .iter()
            .map(|step| PlannedStep {
                name: step.name.clone(),
                phase: step.phase,
                run: step.run.clone(),
                timeout: match step.phase {
                    Phase::Cleanup => Some(step.timeout.unwrap_or(CLEANUP_TIMEOUT)),
                    _ => step.timeout,
                },
                env: inherited.of_step(settings, definition, step, params, secrets, marker),
                cwd: step.cwd.clone().or_else(|| definition.cwd.clone()),
                shell: match step.shell.as_slice() {
                    [] => definition.shell.clone(),
                    own => own.to_vec(),
                },
                continue_on_error: step.continue_on_error,
            })
            .collect();
        Self {
            version: VERSION,
            job: marker.job,
            attempt: marker.attempt,
            steps,
            timeout: definition.timeout,
            grace: settings.grace,
            max_log_bytes: definition.max_log_bytes.unwrap_or(settings.max_log_bytes),
            min_free_disk: settings.min_free_disk,
            open_files: inherited.open_files,
            umask: inherited.umask,
            secrets: secrets.values().cloned().collect(),
            redact: definition.redact.clone().unwrap_or_else(|| settings.redact.clone()),
        }
    }

    /// The message: length in four bytes, big-endian, then JSON.
    pub fn encode(&self) -> Result<Vec<u8>, PlanError> {
        let mut message = vec![0; 4];
        serde_json::to_writer(&mut message, self)?;
        let length = message.len() - 4;
        match u32::try_from(length) {
            Ok(n) if n <= MAX_BYTES => message[..4].copy_from_slice(&n.to_be_bytes()),
            _ => return Err(PlanError::TooLong(length as u64)),
        }
        Ok(message)
    }

    /// Sends the message; a reader that saw less than all of it does nothing.
    pub fn write(&self, mut to: impl Write) -> Result<(), PlanError> {
        Ok(to.write_all(&self.encode()?)?)
    }

    pub(super) fn read(mut from: impl Read) -> Result<Self, PlanError> {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        if length > MAX_BYTES {
            return Err(PlanError::TooLong(length.into()));
        }
        let mut message = vec![0; length as usize];
        from.read_exact(&mut message)?;
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let head: Head = serde_json::from_slice(&message)?;
        if head.version != VERSION {
            return Err(PlanError::Version(head.version));
        }
        Ok(serde_json::from_slice(&message)?)
    }
}
