//! The windows that are read for what is looked at, one at a time.

use super::{
    FIRST_LINES,
    outline::{Outline, Place},
    reader::{Reader, State},
};
use crate::api;
use leptos::{prelude::*, task::spawn_local};
use shared::log::LogWindow;
use std::{ops::RangeInclusive, time::Duration};

/// Lines read at once.
const WINDOW: u64 = 300;
/// How long to wait after a window that did not come.
const RETRY: Duration = Duration::from_secs(2);

impl Reader {
    /// Reads the window that is missing, one at a time: what is asked for meanwhile is seen to
    /// when it has come.
    pub(super) fn read(&self, state: &mut State, outline: &Outline, (first, past): (u64, u64)) {
        if state.reading || state.waiting {
            return;
        }
        let places = (first..past).map(|row| outline.at(row));
        let numbers = places.clone().filter_map(|place| match place {
            Place::Line(n) => Some(n),
            _ => None,
        });
        // None in view: an unfinished line may be all there is.
        let (lowest, highest) = numbers.clone().min().zip(numbers.max()).unwrap_or((1, 0));
        let wanted = lowest..=highest;
        let info = self.0.info.get_untracked();
        let at_end = past == outline.rows();
        let open_changed = state.open_seen != (info.open, info.closed);
        let gap = state.cache.gap(&wanted);
        let (from, count) = if self.0.follow.get_untracked() {
            if gap.is_none() && info.lines <= state.lines && !open_changed {
                return;
            }
            let count = (past - first).clamp(u64::from(FIRST_LINES), WINDOW);
            (-(count as i64), count)
        } else {
            match gap {
                Some(gap) => (*gap.start() as i64, (gap.end() - gap.start() + 1).min(WINDOW)),
                None if at_end && open_changed => (-1, 1),
                None => return,
            }
        };
        state.reading = true;
        if at_end {
            state.open_seen = (info.open, info.closed);
        }
        let this = self.clone();
        spawn_local(async move {
            // The count is at most `WINDOW`.
            let answer = api::log_window(this.0.id, from, count as u32).await;
            this.took_in(answer.ok(), info.lines, wanted);
        });
    }

    /// `told`: the lines there were by then. A window that does not know of them, or has none of
    /// what was asked for, would be asked for again and again at once.
    fn took_in(&self, window: Option<LogWindow>, told: u64, wanted: RangeInclusive<u64>) {
        let mut state = self.state();
        state.reading = false;
        if state.elements.is_none() {
            return;
        }
        let brought = window
            .as_ref()
            .is_some_and(|w| w.total >= told && (w.total == 0 || !w.lines.is_empty()));
        if let Some(window) = window {
            state.take_in(window, &wanted);
        }
        if !brought {
            state.waiting = true;
            let this = self.clone();
            set_timeout(
                move || {
                    this.state().waiting = false;
                    this.draw_soon();
                },
                RETRY,
            );
        }
        drop(state);
        if self.0.follow.get_untracked() {
            // One window a frame is enough of a flood.
            self.draw_soon();
        } else {
            // What was gone to is to be in the next frame, not in the one after it.
            self.draw();
        }
    }

    /// Reads a line whole that is too long for a window.
    pub(super) fn read_whole(&self, n: u64) {
        let this = self.clone();
        spawn_local(async move {
            if let Ok(line) = api::log_line(this.0.id, n).await {
                this.state().cache.replace(line);
                this.draw_soon();
            }
        });
    }
}
