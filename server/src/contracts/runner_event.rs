//! The events of contract 5, and where a client of it stands.

use serde::{Serialize, Serializer};
use shared::{JobDetail, JobId, JobState, Phase, Step, StepId, StoryEntry, StoryKind};
use std::{collections::HashMap, fmt, str::FromStr};

/// How far a client has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Position {
    /// `<ordinal>.<offset>`: events other than output, counted from 1, and bytes of the log.
    At { ordinal: u64, offset: u64 },
    /// `end`: it has had everything.
    End,
}

impl Position {
    pub const START: Self = Self::At { ordinal: 0, offset: 0 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At { ordinal, offset } => write!(f, "{ordinal}.{offset}"),
            Self::End => f.write_str(super::sse::END),
        }
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// It is no id of an event of such a stream.
#[derive(Debug, PartialEq, Eq)]
pub struct BadPosition;

impl FromStr for Position {
    type Err = BadPosition;

    fn from_str(text: &str) -> Result<Self, BadPosition> {
        if text == super::sse::END {
            return Ok(Self::End);
        }
        // Digits only: `parse` alone would take a sign.
        let number = |digits: &str| match digits.bytes().all(|b| b.is_ascii_digit()) {
            true => digits.parse().map_err(|_| BadPosition),
            false => Err(BadPosition),
        };
        let (ordinal, offset) = text.split_once('.').ok_or(BadPosition)?;
        Ok(Self::At { ordinal: number(ordinal)?, offset: number(offset)? })
    }
}

/// One event, as a frame of a WebSocket has it.
#[derive(Serialize)]
pub struct Event {
    pub id: Option<Position>,
    #[serde(rename = "event")]
    pub name: &'static str,
    pub data: Data,
}

/// Data of an event. The mixed case of its fields is the contract's.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub enum Data {
    #[serde(rename_all = "camelCase")]
    StepStarted {
        step_id: StepId,
        name: String,
        phase: Phase,
    },
    #[serde(rename_all = "camelCase")]
    StepOutput {
        step_id: StepId,
        chunk: String,
    },
    StepCompleted {
        #[serde(rename = "stepId")]
        step_id: StepId,
        /// `completed`, `failed`, `skipped` or `cancelled`.
        status: String,
        duration_ms: Option<u64>,
    },
    Job {
        #[serde(rename = "jobId")]
        job_id: JobId,
        status: JobState,
        duration_ms: Option<u64>,
    },
    #[serde(rename_all = "camelCase")]
    Complete {
        job_id: JobId,
        status: JobState,
    },
    Error {
        error: &'static str,
    },
}

/// Something that happened, and what of the log comes before it.
pub struct Happening {
    /// Its place among the events that are no output; none for the last one, whose id is `end`.
    pub ordinal: Option<u64>,
    /// So many lines of the log were written before it.
    pub lines: u64,
    /// Attempt and ordinal of the step that begins with it.
    pub begins: Option<(u32, u32)>,
    pub name: &'static str,
    pub data: Data,
}

impl Happening {
    /// All that a job's story tells, in its order.
    pub fn all(job: &JobDetail) -> Vec<Self> {
        let mut steps = Steps { job, attempt: 0, ids: HashMap::new() };
        let told = job.timeline.iter().filter_map(|entry| Self::of(job, entry, &mut steps));
        let numbered = told.zip(1_u64..).map(|(told, n)| Self { ordinal: Some(n), ..told });
        let last = job.job.state.is_over().then_some(Self {
            ordinal: None,
            lines: u64::MAX,
            begins: None,
            name: "stream.complete",
            data: Data::Complete { job_id: job.job.id, status: job.job.state },
        });
        numbered.chain(last).collect()
    }

    /// None: an entry that is nothing to a client of this contract.
    fn of(job: &JobDetail, entry: &StoryEntry, steps: &mut Steps<'_>) -> Option<Self> {
        let of_job = |status, duration_ms| Data::Job { job_id: job.job.id, status, duration_ms };
        let lines = entry.log_line.unwrap_or(0);
        let plain = |name, data| Self { ordinal: None, lines, begins: None, name, data };
        match entry.kind {
            StoryKind::Started => Some(plain("job.started", of_job(JobState::Active, None))),
            StoryKind::StepStarted => {
                let (step_id, step) = (entry.step_id?, steps.of(entry)?);
                let (name, phase) = (step.name.clone(), step.phase);
                let begins = Some((entry.attempt, step.ordinal));
                let data = Data::StepStarted { step_id, name, phase };
                Some(Self { begins, ..plain("step.started", data) })
            }
            StoryKind::StepEnded => {
                let (status, duration_ms) = (entry.state.clone()?, entry.duration_ms);
                let data = Data::StepCompleted { step_id: entry.step_id?, status, duration_ms };
                Some(plain("step.completed", data))
            }
            StoryKind::Retrying => {
                Some(plain("job.retrying", of_job(JobState::Retrying, entry.duration_ms)))
            }
            StoryKind::Ended => {
                let name = match job.job.state {
                    JobState::Completed => "job.completed",
                    JobState::Cancelled => "job.cancelled",
                    _ => "job.failed",
                };
                let data = of_job(job.job.state, job.job.duration_ms);
                // Whatever is in the log was written before.
                Some(Self { lines: u64::MAX, ..plain(name, data) })
            }
            StoryKind::Queued | StoryKind::CancelRequested | StoryKind::Lost => None,
        }
    }
}

/// The steps of one attempt by their ids; a job has the rows of its newest attempt only, but its plan
/// is the same in each.
struct Steps<'a> {
    job: &'a JobDetail,
    attempt: u32,
    ids: HashMap<StepId, &'a Step>,
}

impl<'a> Steps<'a> {
    fn of(&mut self, entry: &StoryEntry) -> Option<&'a Step> {
        if self.attempt != entry.attempt || self.ids.is_empty() {
            self.attempt = entry.attempt;
            let id = |step: &Step| StepId::of(self.job.job.id, entry.attempt, step.ordinal);
            self.ids = self.job.steps.iter().map(|step| (id(step), step)).collect();
        }
        self.ids.get(&entry.step_id?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_as_written_and_nothing_else_is_one() {
        for position in [Position::START, Position::At { ordinal: 3, offset: 120 }, Position::End] {
            assert_eq!(position.to_string().parse(), Ok(position));
        }
        for text in ["", "3", "3.", ".3", "+3.1", "3.-1", "3.1.2", "END", "3.99999999999999999999"]
        {
            assert_eq!(text.parse::<Position>(), Err(BadPosition), "{text}");
        }
    }
}
