//! Everything that happened to the job, in order. Folded away: for the day something is odd.

use crate::{
    format,
    parts::{
        html::{element, text},
        time::{Clock, when},
    },
};
use shared::{StoryEntry, StoryKind};

/// As HTML.
pub fn story(clock: &Clock, entries: &[StoryEntry]) -> String {
    let count = format::plural(entries.len() as u64, "event", "events");
    let entries = entries.iter().map(|entry| {
        let cells = [
            format!("<span class=\"dim num\">{}</span>", entry.n),
            element("span class=\"dim\"", &when(clock, Some(entry.at))),
            text("span", &words(entry)),
        ];
        element("li class=\"story-entry\"", &cells.concat())
    });
    let entries = element("ol", &entries.collect::<String>());
    format!(
        "<details class=\"story\"><summary class=\"num\">{count} in its story</summary>{entries}</details>"
    )
}

/// `step dump failed after 24.6 s, exit code 3: disk full`.
fn words(entry: &StoryEntry) -> String {
    let state = entry.state.as_deref().unwrap_or("ended");
    let step = entry.step.as_deref().unwrap_or("");
    let mut text = match entry.kind {
        StoryKind::Queued => "queued".to_owned(),
        StoryKind::Started => format!("attempt {} started", entry.attempt),
        StoryKind::StepStarted => format!("step {step} started"),
        StoryKind::StepEnded => format!("step {step} {state}"),
        StoryKind::CancelRequested => "cancel asked for".to_owned(),
        StoryKind::Retrying => format!("attempt {} is to be tried again", entry.attempt),
        StoryKind::Lost => "lost".to_owned(),
        StoryKind::Ended => state.to_owned(),
    };
    if let Some(ms) = entry.duration_ms {
        text.push_str(&format!(" after {}", format::duration(ms)));
    }
    if let Some(exit) = format::exit(entry.exit_code, entry.signal).filter(|_| state == "failed") {
        text.push_str(&format!(", {exit}"));
    }
    if let Some(detail) = &entry.detail {
        text.push_str(&format!(": {detail}"));
    }
    text
}
