//! How a reader likes logs: kept by the browser for all of them.

use leptos::prelude::*;

/// What stands before a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Times {
    Off,
    /// Since the run began.
    Relative,
    /// Of day, where the reader is.
    #[default]
    Absolute,
}

/// A cheap handle; the signals live with the viewer.
#[derive(Clone, Copy)]
pub struct Prefs {
    pub times: RwSignal<Times>,
    pub wraps: RwSignal<bool>,
}

const ALL: [Times; 3] = [Times::Absolute, Times::Relative, Times::Off];
const KEY: &str = "log";

// === impl Times ===

impl Times {
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Relative => "relative",
            Self::Absolute => "absolute",
        }
    }
}

// === impl Prefs ===

impl Prefs {
    /// As every first render has them; then as this reader left them.
    pub fn new() -> Self {
        let prefs = Self { times: RwSignal::default(), wraps: RwSignal::new(false) };
        Effect::new(move |_| {
            let kept = storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
            let Some(kept) = kept else { return };
            if let Some(times) = ALL.into_iter().find(|times| kept.contains(times.word())) {
                prefs.times.set(times);
            }
            prefs.wraps.set(kept.contains("wraps"));
        });
        prefs
    }

    pub fn next_times(self) {
        self.times.update(|times| {
            let at = ALL.iter().position(|one| one == times).unwrap_or_default();
            *times = ALL[(at + 1) % ALL.len()];
        });
        self.keep();
    }

    pub fn toggle_wraps(self) {
        self.wraps.update(|wraps| *wraps = !*wraps);
        self.keep();
    }

    /// A browser that keeps nothing shows it all the same.
    fn keep(self) {
        let wraps = if self.wraps.get_untracked() { " wraps" } else { "" };
        let kept = format!("{}{wraps}", self.times.get_untracked().word());
        if let Some(storage) = storage() {
            let _ = storage.set_item(KEY, &kept);
        }
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}
