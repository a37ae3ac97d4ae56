//! Everything that happened to the job, in order. Folded away: for the day something is odd.

use super::model::JobModel;
use crate::{
    format,
    parts::{text, time::When},
};
use leptos::prelude::*;
use shared::{StoryEntry, StoryKind};

#[component]
pub fn Story(model: JobModel) -> impl IntoView {
    let entries = model.part(|detail| detail.timeline.clone());
    view! {
        <details class="story">
            <summary class="num">
                {text(move || format::plural(entries.with(|e| e.len() as u64), "event", "events"))}
                " in its story"
            </summary>
            <ol>
                <For
                    each=move || entries.get()
                    key=|entry| entry.n
                    children=|entry| {
                        let at = Some(entry.at);
                        view! {
                            <li class="story-entry">
                                <span class="dim num">{entry.n}</span>
                                <span class="dim"><When at/></span>
                                <span>{words(&entry)}</span>
                            </li>
                        }
                    }
                />
            </ol>
        </details>
    }
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
