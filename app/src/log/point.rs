//! Lines that are pointed at: by the address, by a click on their number, by a key.

use super::{address, found::Way, reader::Reader};
use leptos::prelude::*;

impl Reader {
    /// Shows a line, a little under the top, and marks it.
    pub fn show_line(&self, n: u64) {
        self.state().marked = Some(n..=n);
        self.bring_up(n);
    }

    pub fn go_where_the_address_says(&self) {
        if let Some(lines) = address::here() {
            let mut state = self.state();
            // An address can say more than there is.
            let last = self.known(&state).max(1);
            let first = last.min(*lines.start());
            state.marked = Some(first..=last.min(*lines.end()));
            drop(state);
            self.bring_up(first);
        }
    }

    /// Points at a line, or at all from the first one that was pointed at to this one.
    pub fn point_at(&self, n: u64, range: bool) {
        let mut state = self.state();
        let from = state.marked.as_ref().map(|lines| *lines.start()).filter(|_| range);
        let lines = from.unwrap_or(n).min(n)..=from.unwrap_or(n).max(n);
        address::set(&lines);
        state.marked = Some(lines);
        drop(state);
        self.draw_soon();
    }

    /// Brings a line into view; one that is in view stays where it is.
    pub(super) fn bring_up(&self, n: u64) {
        self.set_follow(false);
        let mut state = self.state();
        if let Some(step) = self.outline(&state).fold_of(n) {
            state.folded.remove(&step);
        }
        let row = self.outline(&state).row_of(n) as f64;
        let page = self.extent(&state).map_or(0.0, |(extent, _)| extent.page());
        if row < state.top_row || row > state.top_row + page - 2.0 {
            state.top_row = (row - 3.0).max(0.0);
            state.scroll_top = -1.0;
        }
        if let Some(elements) = &state.elements {
            // As little as it takes to have it in the window.
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            elements.lines.scroll_into_view_with_scroll_into_view_options(&options);
        }
        drop(state);
        // At once: what is missing there is asked for without waiting for a frame.
        self.draw();
    }

    /// Puts the link to the line that was pointed at or found last, else to the first one in view, into the
    /// address and the clipboard; or to a `range`, from the line that was pointed at to the one found or in view.
    pub(super) fn copy_link(&self, range: bool) {
        let state = self.state();
        let marked = state.marked.as_ref().map(|lines| *lines.start());
        let last = self.known(&state);
        drop(state);
        let found = self.0.found.with_untracked(|found| found.current);
        let known = if range { found.filter(|n| Some(*n) != marked) } else { found.or(marked) };
        let n = known.unwrap_or_else(|| self.line_beside_the_top(Way::Up));
        self.point_at(n.min(last), range);
        // Where the browser refuses it the address is still there to be copied.
        let _ = window().navigator().clipboard().write_text(&location().href().unwrap_or_default());
    }
}
