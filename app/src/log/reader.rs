//! What part of the log is looked at: where the reader is, and whether he holds on to the end.

use super::{
    FIRST_LINES,
    address::Lines,
    cache::Cache,
    extent::{Extent, ROW},
    found::Found,
    outline::{Outline, Place},
    prefs::Prefs,
};
use crate::parts::{rows::Row, time::Clock};
use leptos::{ev::WheelEvent, prelude::*};
use send_wrapper::SendWrapper;
use shared::{
    JobId, Step,
    log::{LogInfo, LogWindow, OpenLine},
};
use std::{
    collections::BTreeSet,
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use web_sys::HtmlDivElement;

/// The reader of one log. A cheap handle.
#[derive(Clone)]
pub struct Reader(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub id: JobId,
    pub info: ArcRwSignal<LogInfo>,
    pub steps: Memo<Vec<Step>>,
    pub prefs: Prefs,
    pub clock: Clock,
    pub follow: ArcRwSignal<bool>,
    /// Lines that came since the end was let go of.
    pub new_lines: ArcRwSignal<u64>,
    /// Rows there are.
    pub rows: ArcRwSignal<u64>,
    pub found: ArcRwSignal<Found>,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub elements: Option<SendWrapper<Elements>>,
    pub cache: Cache,
    /// Lines a window told of; the stream may be behind it, or ahead.
    pub lines: u64,
    pub open: Vec<OpenLine>,
    /// Counts states of the open lines.
    pub open_version: u64,
    /// What the stream said of the log when the open lines were asked for last.
    pub open_seen: (u64, bool),
    /// Position in rows of what is at the top.
    pub top_row: f64,
    /// The first row that is drawn.
    pub first: u64,
    /// Lines there were when the end was let go of.
    pub let_go_at: u64,
    /// Where the browser was put last: a scroll event that says the same is no reader's doing.
    pub scroll_top: f64,
    /// Rows that are drawn.
    pub rows: Vec<Row>,
    /// Steps whose lines are not shown, by index.
    pub folded: BTreeSet<usize>,
    /// Lines that were pointed at, in the address or by a step.
    pub marked: Option<Lines>,
    /// What matches are shown by.
    pub pattern: Option<SendWrapper<js_sys::RegExp>>,
    /// Counts searches: an answer for another one than the last is passed over.
    pub search: u64,
    /// All rows are drawn and the browser scrolls them as they are, whatever their heights.
    pub whole: bool,
    pub drawing: bool,
    pub reading: bool,
    /// The last window brought nothing; not before the log changes, or a moment has passed.
    pub waiting: bool,
}

pub(super) struct Elements {
    pub lines: HtmlDivElement,
    pub space: HtmlDivElement,
    pub sheet: HtmlDivElement,
}

// === impl Reader ===

impl Reader {
    pub fn new(
        id: JobId,
        window: Option<LogWindow>,
        info: ArcRwSignal<LogInfo>,
        steps: Memo<Vec<Step>>,
        prefs: Prefs,
        clock: Clock,
    ) -> Self {
        let log = info.get_untracked();
        let mut state = State { open_seen: (log.open, log.closed), ..State::default() };
        if let Some(window) = window {
            state.take_in(window, &(1..=u64::MAX));
        }
        let reader = Self(Arc::new(Inner {
            id,
            info,
            steps,
            prefs,
            clock,
            follow: ArcRwSignal::new(true),
            new_lines: ArcRwSignal::new(0),
            rows: ArcRwSignal::new(0),
            found: ArcRwSignal::default(),
            state: Mutex::new(state),
        }));
        // The first render, on both sides: the end of the log as far as it came along.
        let mut state = reader.state();
        let outline = reader.outline(&state);
        let first = state.lines.saturating_sub(u64::from(FIRST_LINES)) + 1;
        let mut from = outline.row_of(first);
        while from > 0 && matches!(outline.at(from - 1), Place::Step(_)) {
            from -= 1;
        }
        let rows = outline.rows();
        state.rows = reader.drawn(&state, &outline, (from.min(rows), rows));
        reader.0.rows.set(rows);
        drop(state);
        reader
    }

    /// The rows that are drawn, as HTML.
    pub fn html(&self) -> String {
        self.state().rows.iter().map(|row| row.html.as_str()).collect()
    }

    /// The page lives: takes its elements over.
    pub fn mount(&self, lines: HtmlDivElement, space: HtmlDivElement, sheet: HtmlDivElement) {
        // The style sheet holds the end at the foot until here; from here on this does.
        // The name is a valid one.
        let _ = lines.set_attribute("data-live", "");
        self.state().elements = Some(SendWrapper::new(Elements { lines, space, sheet }));
        self.go_where_the_address_says();
        self.draw();
    }

    /// The page is gone.
    pub fn unmount(&self) {
        self.state().elements = None;
    }

    /// Goes to the end and stays there.
    pub fn follow(&self) {
        self.set_follow(true);
        self.draw_soon();
    }

    pub fn toggle_follow(&self) {
        self.set_follow(!self.0.follow.get_untracked());
        self.draw_soon();
    }

    /// Shows the lines of the step that is at the top, or hides them.
    pub(super) fn fold_here(&self) {
        let state = self.state();
        let step = self.outline(&state).step_at(state.top_row.ceil() as u64);
        drop(state);
        if let Some(step) = step {
            self.fold(step);
        }
    }

    /// Shows the lines of a step or hides them.
    pub fn fold(&self, step: usize) {
        let mut state = self.state();
        if !state.folded.remove(&step) {
            state.folded.insert(step);
        }
        drop(state);
        self.set_follow(false);
        self.draw_soon();
    }

    /// The browser scrolled. Away from the end lets go of it, back to it takes hold again.
    pub fn scrolled(&self) {
        let mut state = self.state();
        let Some((extent, scroll_top)) = self.extent(&state) else { return };
        if (scroll_top - state.scroll_top).abs() < 1.0 {
            return;
        }
        state.scroll_top = scroll_top;
        let at_end = match state.elements.as_ref().filter(|_| state.whole) {
            Some(elements) => {
                let foot = f64::from(elements.sheet.offset_height()) - extent.viewport;
                state.top_row = elements.row_at(scroll_top).0;
                scroll_top >= foot - 1.0
            }
            None => {
                state.top_row = extent.top_row(scroll_top);
                extent.is_at_end(state.top_row)
            }
        };
        drop(state);
        self.set_follow(at_end);
        self.draw_soon();
    }

    /// Where a pixel stands for many rows the wheel moves by rows, else a turn would skip pages.
    pub fn wheel(&self, event: &WheelEvent) {
        let rows = match event.delta_mode() {
            WheelEvent::DOM_DELTA_PIXEL => event.delta_y() / ROW,
            WheelEvent::DOM_DELTA_LINE => event.delta_y(),
            _ => event.delta_y() * 20.0,
        };
        if event.delta_x().abs() < event.delta_y().abs() && self.move_by(|_| rows) {
            event.prevent_default();
        }
    }

    /// Moves by rows of the usual height if the browser cannot; whether it did.
    pub(super) fn move_by(&self, rows: impl Fn(Extent) -> f64) -> bool {
        let mut state = self.state();
        let scaled = |(extent, _): &(Extent, f64)| extent.is_scaled() && !state.whole;
        let Some((extent, _)) = self.extent(&state).filter(scaled) else {
            return false;
        };
        let rows = rows(extent);
        let wraps = state.elements.as_ref().filter(|_| extent.wraps);
        state.top_row = match wraps.and_then(|elements| {
            // By what rows measure: half a screen of one long line is not half a screen of rows.
            let at = elements.top_of((state.top_row.floor() - state.first as f64) as u32);
            let pixels = at.0 + state.top_row.fract() * at.1 + rows * ROW;
            (pixels >= 0.0).then(|| elements.row_at(pixels).0 + state.first as f64)
        }) {
            Some(row) => row,
            None => state.top_row + rows,
        };
        state.top_row = state.top_row.clamp(0.0, extent.last_top());
        let at_end = extent.is_at_end(state.top_row) && rows > 0.0;
        drop(state);
        self.set_follow(at_end);
        self.draw_soon();
        true
    }

    pub(super) fn set_follow(&self, follow: bool) {
        if self.0.follow.get_untracked() != follow {
            let mut state = self.state();
            state.let_go_at = state.lines;
            drop(state);
            self.0.follow.set(follow);
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lines there are, as far as it is known.
    pub(super) fn known(&self, state: &State) -> u64 {
        state.lines.max(self.0.info.with_untracked(|info| info.lines))
    }

    pub(super) fn outline(&self, state: &State) -> Outline {
        // While the end is followed those that a window told of: the stream is always a little
        // ahead, and in a flood the end would be nothing but lines to come.
        let lines = if self.0.follow.get_untracked() { state.lines } else { self.known(state) };
        let open = state.open.len();
        self.0.steps.with_untracked(|steps| Outline::new(steps, lines, open, &state.folded))
    }
}

// === impl State ===

impl State {
    pub fn take_in(&mut self, window: LogWindow, wanted: &RangeInclusive<u64>) {
        self.lines = self.lines.max(window.total);
        if self.open != window.open {
            self.open = window.open;
            self.open_version += 1;
        }
        self.cache.put(window.lines, wanted);
    }
}
