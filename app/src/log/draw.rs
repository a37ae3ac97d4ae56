//! Brings the screen to what is known: which rows are drawn, and where.

use super::{
    extent::{Extent, ROW},
    outline::{Outline, Place, Shown},
    prefs::Times,
    reader::{Elements, Reader, State},
    row::Drawn,
};
use crate::parts::rows::{self, Row};
use leptos::{prelude::*, wasm_bindgen::JsCast};
use web_sys::HtmlElement;

/// Rows drawn on each side of what is seen.
const OVER: u64 = 12;
/// A log of so many rows is drawn whole when they wrap: the browser scrolls it as it is.
const WHOLE: u64 = 200;

impl Reader {
    /// Draws in the next frame, once.
    pub fn draw_soon(&self) {
        if !std::mem::replace(&mut self.state().drawing, true) {
            let this = self.clone();
            request_animation_frame(move || this.draw());
        }
    }

    pub(super) fn extent(&self, state: &State) -> Option<(Extent, f64)> {
        let lines = &state.elements.as_ref()?.lines;
        let viewport = f64::from(lines.client_height());
        let rows = self.outline(state).rows();
        let wraps = self.0.prefs.wraps.get_untracked();
        Some((Extent { rows, viewport, wraps }, f64::from(lines.scroll_top())))
    }

    /// Brings the screen to what is known, and asks for what is not.
    pub(super) fn draw(&self) {
        let follow = self.0.follow.get_untracked();
        let mut guard = self.state();
        let state = &mut *guard;
        state.drawing = false;
        let Some((extent, scroll_top)) = self.extent(state) else { return };
        if follow {
            state.top_row = extent.last_top();
        }
        let outline = self.outline(state);
        let whole = extent.wraps && extent.rows <= WHOLE;
        let range = match (whole, extent.wraps) {
            (true, _) => (0, extent.rows),
            (_, true) => extent.range(state.top_row, extent.page().ceil() as u64),
            (_, false) => extent.range(state.top_row, OVER),
        };
        state.whole = whole;
        let rows = self.drawn(state, &outline, range);
        let mut at_end = follow;
        let mut grown = false;
        if let Some(elements) = &state.elements {
            rows::update(&elements.sheet, &state.rows, &rows);
            (state.rows, state.first) = (rows, range.0);
            // Properties with values of our own making: setting them does not fail.
            let set = |element: &HtmlElement, name: &str, value: String| {
                let _ = HtmlElement::style(element).set_property(name, &value);
            };
            let mut to = extent.scroll_top(state.top_row);
            let mut height = extent.height();
            let offset = match (extent.wraps, extent.is_scaled()) {
                (true, _) if whole => {
                    height = f64::from(elements.sheet.offset_height());
                    to = match (follow, state.scroll_top < 0.0) {
                        (true, _) => (height - extent.viewport).max(0.0),
                        (_, true) => elements.top_of(state.top_row as u32).0,
                        (_, false) => scroll_top,
                    };
                    0.0
                }
                (true, _) => {
                    let placed = Placed::of(elements, extent, state.top_row, range);
                    if placed.at_end {
                        (at_end, state.top_row) = (true, placed.top_row);
                        to = extent.height() - extent.viewport;
                    }
                    to - placed.above
                }
                (_, true) => to + (range.0 as f64 - state.top_row) * ROW,
                (_, false) => range.0 as f64 * ROW,
            };
            set(&elements.space, "height", format!("{height}px"));
            set(&elements.sheet, "transform", format!("translateY({offset}px)"));
            // A short log is no higher than its rows, so the window grows with the first of them.
            grown = f64::from(elements.lines.client_height()) != extent.viewport;
            if (to - scroll_top).abs() >= 1.0 {
                elements.lines.set_scroll_top(to.round() as i32);
                state.scroll_top = f64::from(elements.lines.scroll_top());
            }
        }
        let new = if at_end { 0 } else { self.known(state).saturating_sub(state.let_go_at) };
        self.read(state, &outline, range);
        drop(guard);
        for (signal, value) in [(&self.0.rows, outline.rows()), (&self.0.new_lines, new)] {
            if signal.get_untracked() != value {
                signal.set(value);
            }
        }
        if at_end != follow {
            self.0.follow.set(at_end);
        }
        if grown {
            self.draw_soon();
        }
    }

    /// The rows of a range as HTML.
    pub(super) fn drawn(
        &self,
        state: &State,
        outline: &Outline,
        (first, past): (u64, u64),
    ) -> Vec<Row> {
        let shown = |row| match outline.at(row) {
            Place::Step(index) => Some(Shown::Step(index)),
            Place::Line(n) => Some(state.cache.get(n).map_or(Shown::Awaited(n), Shown::Line)),
            Place::Open(at) => {
                Some(Shown::Open(at, state.open_version, state.open.get(at)?.clone()))
            }
        };
        self.0.steps.with_untracked(|steps| {
            let began = steps.iter().find_map(|step| step.started_at);
            let times = self.0.prefs.times.get_untracked();
            self.0.found.with_untracked(|found| {
                let drawn = Drawn {
                    east: untrack(|| self.0.clock.minutes_east()),
                    steps,
                    times,
                    began: began.filter(|_| times == Times::Relative),
                    folded: &state.folded,
                    marked: state.marked.as_ref(),
                    pattern: state.pattern.as_ref(),
                    current: found.current,
                };
                (first..past).filter_map(shown).map(|shown| drawn.row(&shown)).collect()
            })
        })
    }
}

/// Where rows of any height came to stand.
struct Placed {
    /// Pixels of the sheet above the window.
    above: f64,
    /// The last row is at the foot of the window, or above it.
    at_end: bool,
    /// The row at the top then.
    top_row: f64,
}

impl Elements {
    /// Where the `at`th row that is drawn stands in the sheet, and its height.
    pub(super) fn top_of(&self, at: u32) -> (f64, f64) {
        self.sheet.children().item(at).map_or((0.0, ROW), |row| {
            let row = row.unchecked_into::<HtmlElement>();
            (f64::from(row.offset_top()), f64::from(row.offset_height()).max(1.0))
        })
    }

    /// The drawn row that is at so many pixels of the sheet, with the part of it that is above.
    pub(super) fn row_at(&self, pixels: f64) -> (f64, f64) {
        let mut at = self.sheet.child_element_count();
        while let Some(before) = at.checked_sub(1) {
            at = before;
            let (offset, height) = self.top_of(at);
            if offset <= pixels {
                return (f64::from(at) + (pixels - offset) / height, height);
            }
        }
        (0.0, ROW)
    }
}

impl Placed {
    fn of(elements: &Elements, extent: Extent, top_row: f64, (first, past): (u64, u64)) -> Self {
        let top = top_row.floor();
        let (above, height) = elements.top_of((top as u64).saturating_sub(first) as u32);
        let above = above + (top_row - top) * height;
        let foot = (f64::from(elements.sheet.offset_height()) - extent.viewport).max(0.0);
        if past < extent.rows || above < foot {
            return Self { above, at_end: false, top_row };
        }
        let top_row = first as f64 + elements.row_at(foot).0;
        Self { above: foot, at_end: true, top_row }
    }
}
