//! States by colour *and* shape: one look per state, the same for jobs and steps, and one for each thing that needs
//! attention.

use shared::{JobState, StepState, page::AttentionKind};

/// How a state looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Class that sets the state's colours.
    pub class: &'static str,
    pub word: &'static str,
    /// Path in a box of 12 units, drawn as a line.
    path: &'static str,
}

const RING: &str = "M6 1.8a4.2 4.2 0 100 8.4a4.2 4.2 0 100-8.4";
const CLOCK: &str = "M6 1.8a4.2 4.2 0 100 8.4a4.2 4.2 0 100-8.4M6 3.5V6l1.8 1";
const PLAY: &str = "M4.2 3.2l4.6 2.8-4.6 2.8z";
const AGAIN: &str = "M9.5 4A4 4 0 102 6.5M9.5 1.5V4H7";
const CHECK: &str = "M2.5 6.5l2.3 2.3L9.5 3.7";
const CROSS: &str = "M3 3l6 6M9 3l-6 6";
const DASH: &str = "M3 6h6";
const PAUSE: &str = "M4.2 3v6M7.8 3v6";
const DOTS: &str = "M2.4 6h.2M5.9 6h.2M9.4 6h.2";

impl From<JobState> for Look {
    fn from(state: JobState) -> Self {
        let (class, word, path) = match state {
            JobState::Unknown => ("is-unknown", "Unknown", DOTS),
            JobState::Queued => ("is-queued", "Queued", RING),
            JobState::Scheduled => ("is-scheduled", "Scheduled", CLOCK),
            JobState::Active => ("is-active", "Active", PLAY),
            JobState::Retrying => ("is-retrying", "Retrying", AGAIN),
            JobState::Completed => ("is-completed", "Completed", CHECK),
            JobState::Failed => ("is-failed", "Failed", CROSS),
            JobState::Cancelled => ("is-cancelled", "Cancelled", DASH),
        };
        Self { class, word, path }
    }
}

impl From<StepState> for Look {
    fn from(state: StepState) -> Self {
        let (class, word, path) = match state {
            StepState::Pending => ("is-queued", "Pending", RING),
            StepState::Active => ("is-active", "Active", PLAY),
            StepState::Completed => ("is-completed", "Completed", CHECK),
            StepState::Failed => ("is-failed", "Failed", CROSS),
            StepState::Skipped => ("is-cancelled", "Skipped", DOTS),
            StepState::Cancelled => ("is-cancelled", "Cancelled", DASH),
        };
        Self { class, word, path }
    }
}

impl From<AttentionKind> for Look {
    fn from(kind: AttentionKind) -> Self {
        let (class, word, path) = match kind {
            AttentionKind::DiskLow => ("is-failed", "Disk low", DASH),
            AttentionKind::WorkerOffline => ("is-active", "No worker", PLAY),
            AttentionKind::Failing => ("is-failed", "Failing", CROSS),
            AttentionKind::RetryStorm => ("is-retrying", "Retry storm", AGAIN),
            AttentionKind::WaitingLong => ("is-queued", "Waiting long", CLOCK),
            AttentionKind::QueuePaused => ("is-scheduled", "Paused", PAUSE),
            AttentionKind::LogCut => ("is-queued", "Log cut", DOTS),
        };
        Self { class, word, path }
    }
}

// === impl Look ===

impl Look {
    /// The shape alone, for beside a word; HTML.
    pub fn shape(self) -> String {
        let Self { path, .. } = self;
        format!(
            "<svg class=\"shape\" viewBox=\"0 0 12 12\" aria-hidden=\"true\"><path d=\"{path}\"></path></svg>"
        )
    }

    /// The shape in its colour; HTML.
    pub fn mark(self) -> String {
        format!("<span class=\"step-mark {}\">{}</span>", self.class, self.shape())
    }

    /// Shape and word on a tint; HTML.
    pub fn badge(self) -> String {
        format!("<span class=\"badge {}\">{}{}</span>", self.class, self.shape(), self.word)
    }
}
