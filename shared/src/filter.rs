//! Whether a job belongs to a list: one function, used by server and browser.

use crate::{ConnectionId, Job, JobState};
use serde::{Deserialize, Serialize};

/// What a jobs list shows. Empty means no restriction.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct JobFilter {
    pub connections: Vec<ConnectionId>,
    pub states: Vec<JobState>,
    pub queue: Option<String>,
    pub pipeline: Option<String>,
}

impl JobFilter {
    /// Whether this job belongs to the list.
    pub fn matches(&self, job: &Job) -> bool {
        (self.connections.is_empty() || self.connections.contains(&job.connection_id))
            && (self.states.is_empty() || self.states.contains(&job.state))
            && self.queue.as_ref().is_none_or(|queue| *queue == job.queue)
            && self.pipeline.as_ref().is_none_or(|name| job.pipeline.as_ref() == Some(name))
    }

    /// The same list whatever the state: what the counts by state are taken from.
    pub fn any_state(&self) -> Self {
        Self { states: Vec::new(), ..self.clone() }
    }
}
