//! Whether a job belongs to a list: one function, used by server and browser.

use crate::{ConnectionId, Job, JobState, Timestamp};
use serde::{Deserialize, Serialize};

/// What a jobs list shows. Empty means no restriction.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct JobFilter {
    pub connections: Vec<ConnectionId>,
    pub states: Vec<JobState>,
    pub queue: Option<String>,
    pub worker: Option<String>,
    pub pipeline: Option<String>,
    /// Created at or after this.
    pub from: Option<Timestamp>,
    /// Created before this.
    pub to: Option<Timestamp>,
    /// Words in name, parameters or error.
    pub q: Option<String>,
}

impl JobFilter {
    /// Whether this job belongs to the list, as far as its row says: `q` is not looked at, see
    /// [`JobFilter::is_decidable`].
    pub fn matches(&self, job: &Job) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        (self.connections.is_empty() || self.connections.contains(&job.connection_id))
            && (self.states.is_empty() || self.states.contains(&job.state))
            && is(&self.queue, Some(&job.queue))
            && is(&self.worker, job.worker.as_deref())
            && is(&self.pipeline, job.pipeline.as_deref())
            && self.from.is_none_or(|from| job.created_at >= from)
            && self.to.is_none_or(|to| job.created_at < to)
    }

    /// Whether [`JobFilter::matches`] says all there is to say. Where it does not, only the store knows.
    pub fn is_decidable(&self) -> bool {
        self.q.is_none()
    }

    /// The same list whatever the state: what the counts by state are taken from.
    pub fn any_state(&self) -> Self {
        Self { states: Vec::new(), ..self.clone() }
    }
}

/// The order of a jobs list, always downwards.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobSort {
    /// Newest first.
    #[default]
    Created,
    /// Ended last first; jobs that are not over are not in it.
    Finished,
    /// Longest first; jobs that are not over are not in it.
    Duration,
}

impl JobSort {
    pub const ALL: [Self; 3] = [Self::Created, Self::Finished, Self::Duration];

    /// The word used in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Finished => "finished",
            Self::Duration => "duration",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an order is one of created, finished, duration")]
pub struct BadJobSort;

impl std::str::FromStr for JobSort {
    type Err = BadJobSort;

    fn from_str(text: &str) -> Result<Self, BadJobSort> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text).ok_or(BadJobSort)
    }
}
