//! What part of the log is looked at, and the windows that are read for it.

use super::{
    FIRST_LINES,
    cache::Cache,
    extent::{Extent, ROW},
    outline::{Outline, Place, Shown},
};
use crate::api;
use leptos::{
    ev::{KeyboardEvent, WheelEvent},
    prelude::*,
    task::spawn_local,
};
use send_wrapper::SendWrapper;
use shared::{
    JobId, Step,
    log::{LogInfo, LogWindow, OpenLine},
};
use std::{
    ops::{Deref, RangeInclusive},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use web_sys::HtmlDivElement;

/// Rows drawn on each side of what is seen.
const OVER: u64 = 12;
/// Lines read at once.
const WINDOW: u64 = 300;
/// How long to wait after a window that did not come.
const RETRY: Duration = Duration::from_secs(2);

/// The reader of one log. A cheap handle.
#[derive(Clone)]
pub struct Reader(Arc<Inner>);

struct Inner {
    id: JobId,
    info: ArcRwSignal<LogInfo>,
    steps: Memo<Vec<Step>>,
    shown: ArcRwSignal<Vec<Shown>>,
    follow: ArcRwSignal<bool>,
    /// Lines that came since the end was let go of.
    new_lines: ArcRwSignal<u64>,
    /// Rows there are.
    rows: ArcRwSignal<u64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    elements: Option<SendWrapper<Elements>>,
    cache: Cache,
    /// Lines a window told of; the stream may be behind it, or ahead.
    lines: u64,
    open: Vec<OpenLine>,
    /// Counts states of the open lines.
    open_version: u64,
    /// What the stream said of the log when the open lines were asked for last.
    open_seen: (u64, bool),
    /// Position in rows of what is at the top.
    top_row: f64,
    /// Lines there were when the end was let go of.
    let_go_at: u64,
    /// Where the browser was put last: a scroll event that says the same is no reader's doing.
    scroll_top: f64,
    drawing: bool,
    reading: bool,
    /// The last window brought nothing; not before the log changes, or a moment has passed.
    waiting: bool,
}

struct Elements {
    lines: HtmlDivElement,
    space: HtmlDivElement,
    sheet: HtmlDivElement,
}

// === impl Reader ===

impl Reader {
    pub fn new(
        id: JobId,
        window: Option<LogWindow>,
        info: ArcRwSignal<LogInfo>,
        steps: Memo<Vec<Step>>,
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
            shown: ArcRwSignal::default(),
            follow: ArcRwSignal::new(true),
            new_lines: ArcRwSignal::new(0),
            rows: ArcRwSignal::new(0),
            state: Mutex::new(state),
        }));
        // The first render, on both sides: the end of the log as far as it came along.
        let state = reader.state();
        let outline = reader.outline(&state);
        let first = state.lines.saturating_sub(u64::from(FIRST_LINES)) + 1;
        let mut from = outline.row_of(first);
        while from > 0 && matches!(outline.at(from - 1), Place::Step(_)) {
            from -= 1;
        }
        let rows = outline.rows();
        reader.0.shown.set(state.rows(&outline, (from.min(rows), rows)));
        reader.0.rows.set(rows);
        drop(state);
        reader
    }

    pub fn shown(&self) -> ArcRwSignal<Vec<Shown>> {
        self.0.shown.clone()
    }

    pub fn following(&self) -> ArcRwSignal<bool> {
        self.0.follow.clone()
    }

    pub fn new_lines(&self) -> ArcRwSignal<u64> {
        self.0.new_lines.clone()
    }

    /// Rows there are; tracked.
    pub fn rows(&self) -> u64 {
        self.0.rows.get()
    }

    /// The page lives: takes its elements over.
    pub fn mount(&self, lines: HtmlDivElement, space: HtmlDivElement, sheet: HtmlDivElement) {
        // The style sheet holds the end at the foot until here; from here on this does.
        // The name is a valid one.
        let _ = lines.set_attribute("data-live", "");
        self.state().elements = Some(SendWrapper::new(Elements { lines, space, sheet }));
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
        let follow = self.0.follow.get_untracked();
        self.set_follow(!follow);
        self.draw_soon();
    }

    /// Shows a line, a little under the top.
    pub fn show_line(&self, n: u64) {
        self.set_follow(false);
        let mut state = self.state();
        let row = self.outline(&state).row_of(n);
        state.top_row = row.saturating_sub(3) as f64;
        state.scroll_top = -1.0;
        if let Some(elements) = &state.elements {
            elements.lines.scroll_into_view_with_bool(false);
        }
        drop(state);
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
        state.top_row = extent.top_row(scroll_top);
        let at_end = extent.is_at_end(state.top_row);
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

    /// The same for keys.
    pub fn key(&self, event: &KeyboardEvent) {
        let moved = match event.key().as_str() {
            "ArrowUp" => self.move_by(|_| -1.0),
            "ArrowDown" => self.move_by(|_| 1.0),
            "PageUp" => self.move_by(|extent| 1.0 - extent.page()),
            "PageDown" => self.move_by(|extent| extent.page() - 1.0),
            _ => false,
        };
        if moved {
            event.prevent_default();
        }
    }

    /// Moves by rows if the browser cannot; whether it did.
    fn move_by(&self, rows: impl Fn(Extent) -> f64) -> bool {
        let mut state = self.state();
        let Some((extent, _)) = self.extent(&state).filter(|(extent, _)| extent.is_scaled()) else {
            return false;
        };
        state.top_row = (state.top_row + rows(extent)).clamp(0.0, extent.last_top());
        let at_end = extent.is_at_end(state.top_row);
        drop(state);
        self.set_follow(at_end);
        self.draw_soon();
        true
    }

    fn set_follow(&self, follow: bool) {
        if self.0.follow.get_untracked() != follow {
            let mut state = self.state();
            state.let_go_at = state.lines;
            drop(state);
            self.0.follow.set(follow);
        }
    }

    /// Draws in the next frame, once.
    pub fn draw_soon(&self) {
        if !std::mem::replace(&mut self.state().drawing, true) {
            let this = self.clone();
            request_animation_frame(move || this.draw());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lines there are, as far as it is known.
    fn known(&self, state: &State) -> u64 {
        state.lines.max(self.0.info.with_untracked(|info| info.lines))
    }

    /// Lines that are drawn. While the end is followed those that a window told of: the stream is
    /// always a little ahead, and in a flood the end would be nothing but lines to come.
    fn outline_lines(&self, state: &State) -> u64 {
        if self.0.follow.get_untracked() { state.lines } else { self.known(state) }
    }

    fn outline(&self, state: &State) -> Outline {
        let lines = self.outline_lines(state);
        self.0.steps.with_untracked(|steps| Outline::new(steps, lines, state.open.len()))
    }

    fn extent(&self, state: &State) -> Option<(Extent, f64)> {
        let lines = &state.elements.as_ref()?.lines;
        let viewport = f64::from(lines.client_height());
        let rows = self.outline(state).rows();
        Some((Extent { rows, viewport }, f64::from(lines.scroll_top())))
    }

    /// Brings the screen to what is known, and asks for what is not.
    fn draw(&self) {
        let follow = self.0.follow.get_untracked();
        let mut state = self.state();
        state.drawing = false;
        let Some((extent, scroll_top)) = self.extent(&state) else { return };
        if follow {
            state.top_row = extent.last_top();
        }
        let outline = self.outline(&state);
        let range = extent.range(state.top_row, OVER);
        let rows = state.rows(&outline, range);
        let to = extent.scroll_top(state.top_row);
        let offset = if extent.is_scaled() {
            to + (range.0 as f64 - state.top_row) * ROW
        } else {
            range.0 as f64 * ROW
        };
        let mut grown = false;
        if let Some(elements) = &state.elements {
            // Properties with values of our own making: setting them does not fail.
            let set = |element: &HtmlDivElement, name: &str, value: String| {
                let _ = element.deref().style().set_property(name, &value);
            };
            set(&elements.space, "height", format!("{}px", extent.height()));
            set(&elements.sheet, "transform", format!("translateY({offset}px)"));
            // A short log is no higher than its rows, so the window grows with the first of them.
            grown = f64::from(elements.lines.client_height()) != extent.viewport;
            if (to - scroll_top).abs() >= 1.0 {
                elements.lines.set_scroll_top(to.round() as i32);
                let reached = f64::from(elements.lines.scroll_top());
                state.scroll_top = reached;
            }
        }
        let new = if follow { 0 } else { self.known(&state).saturating_sub(state.let_go_at) };
        drop(state);
        let same = self.0.shown.with_untracked(|old| {
            old.len() == rows.len() && old.iter().zip(&rows).all(|(a, b)| a.key() == b.key())
        });
        if !same {
            self.0.shown.set(rows);
        }
        for (signal, value) in [(&self.0.rows, outline.rows()), (&self.0.new_lines, new)] {
            if signal.get_untracked() != value {
                signal.set(value);
            }
        }
        if grown {
            self.draw_soon();
        }
        self.read(&outline, range);
    }

    /// Reads the window that is missing, one at a time: what is asked for meanwhile is seen to
    /// when it has come.
    fn read(&self, outline: &Outline, (first, past): (u64, u64)) {
        let mut state = self.state();
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
        drop(state);
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
        self.draw_soon();
    }
}

// === impl State ===

impl State {
    fn take_in(&mut self, window: LogWindow, wanted: &RangeInclusive<u64>) {
        self.lines = self.lines.max(window.total);
        if self.open != window.open {
            self.open = window.open;
            self.open_version += 1;
        }
        self.cache.put(window.lines, wanted);
    }

    fn rows(&self, outline: &Outline, (first, past): (u64, u64)) -> Vec<Shown> {
        let shown = |row| match outline.at(row) {
            Place::Step(index) => Some(Shown::Step(index)),
            Place::Line(n) => Some(self.cache.get(n).map_or(Shown::Awaited(n), Shown::Line)),
            Place::Open(at) => Some(Shown::Open(at, self.open_version, self.open.get(at)?.clone())),
        };
        (first..past).filter_map(shown).collect()
    }
}
