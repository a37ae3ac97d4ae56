//! States by colour *and* shape: one look per state, the same for jobs and steps.

use super::text;
use leptos::prelude::*;
use shared::{JobState, StepState};

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

/// The shape alone, for beside a word.
#[component]
pub fn Shape(#[prop(into)] look: Signal<Look>) -> impl IntoView {
    view! {
        <svg
            class="shape"
            viewBox="0 0 12 12"
            fill="none"
            stroke="currentColor"
            stroke-width="1.8"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
        >
            <path d=text(move || look.get().path)></path>
        </svg>
    }
}

/// Shape and word on a tint.
#[component]
pub fn Badge(#[prop(into)] look: Signal<Look>) -> impl IntoView {
    view! {
        <span class=text(move || format!("badge {}", look.get().class))>
            <Shape look/>
            {text(move || look.get().word)}
        </span>
    }
}
