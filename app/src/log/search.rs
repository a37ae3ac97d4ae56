//! Looking for something in the whole log: the server looks, part by part, and this adds up.

use super::{
    found::{Found, Query, Way},
    reader::Reader,
};
use crate::api;
use leptos::{prelude::*, task::spawn_local};
use send_wrapper::SendWrapper;
use std::time::Duration;

/// Numbers asked for at once.
const LIMIT: usize = 10_000;
/// How long to wait before a log that grew is looked at again.
const PAUSE: Duration = Duration::from_millis(500);

impl Reader {
    /// Looks for something else; for nothing if it is empty.
    pub fn search(&self, query: Query) {
        if self.0.found.with_untracked(|found| found.query == query) {
            return;
        }
        let mut state = self.state();
        state.search += 1;
        state.pattern = pattern(&query).map(SendWrapper::new);
        drop(state);
        self.0.found.set(Found::new(query));
        self.draw_soon();
        self.search_on();
    }

    /// Looks at what was not looked at yet, one part at a time.
    pub fn search_on(&self) {
        let (query, from, room) = {
            let found = self.0.found.read_untracked();
            let known = self.0.info.with_untracked(|info| info.lines);
            let done = found.next > known && found.next > 1;
            if !found.is_on() || found.busy || found.error.is_some() || done {
                return;
            }
            (found.query.clone(), found.next, found.room())
        };
        self.0.found.update(|found| found.busy = true);
        let number = self.state().search;
        let this = self.clone();
        spawn_local(async move {
            let limit = room.min(LIMIT);
            let answer = api::log_search(this.0.id, &query, Way::Down, from, limit, false).await;
            if this.state().search != number {
                return;
            }
            let done = this.0.found.try_update(|found| {
                found.busy = false;
                match answer {
                    Ok(part) => found.take_in(&part),
                    Err(why) => found.error = Some(why.words()),
                }
                found.is_done()
            });
            // A log that grows is looked at again, not at every line.
            match done {
                Some(true) => {
                    let this = this.clone();
                    set_timeout(move || this.search_on(), PAUSE);
                }
                _ => this.search_on(),
            }
            this.draw_soon();
        });
    }

    /// Goes to the next match, from the one before or from what is at the top.
    pub fn go_to_match(&self, way: Way) {
        let (query, at, known) = {
            let found = self.0.found.read_untracked();
            if !found.is_on() || found.error.is_some() {
                return;
            }
            let at = found.current.unwrap_or_else(|| self.line_beside_the_top(way));
            (found.query.clone(), at, found.beside(at, way))
        };
        if known.is_some() {
            return self.show_match(known);
        }
        let number = self.state().search;
        let this = self.clone();
        spawn_local(async move {
            let mut from = match way {
                Way::Down => Some(at + 1),
                Way::Up => Some(at),
            };
            // Part by part until there is one.
            while let Some(at) = from {
                let Ok(part) = api::log_search(this.0.id, &query, way, at, 1, true).await else {
                    return;
                };
                if this.state().search != number {
                    return;
                }
                if let Some(n) = part.lines.first() {
                    return this.show_match(Some(*n));
                }
                from = part.next;
            }
        });
    }

    /// The line before the first one in view, or the one after it.
    pub(super) fn line_beside_the_top(&self, way: Way) -> u64 {
        let state = self.state();
        let outline = self.outline(&state);
        let row = state.top_row.ceil() as u64;
        let line = (row..outline.rows()).find_map(|row| match outline.at(row) {
            super::outline::Place::Line(n) => Some(n),
            _ => None,
        });
        let line = line.unwrap_or(outline.lines() + 1);
        if way == Way::Down { line.saturating_sub(1) } else { line }
    }

    fn show_match(&self, n: Option<u64>) {
        if let Some(n) = n {
            self.0.found.update(|found| found.current = Some(n));
            self.bring_up(n);
        }
    }

    /// Marks beside the scrollbar: where in the log the matches are; HTML.
    pub fn marks(&self) -> String {
        let state = self.state();
        let outline = self.outline(&state);
        // A log that fits has no scrollbar; its marks stand beside their lines.
        let page = self.extent(&state).map_or(1.0, |(extent, _)| extent.page());
        let rows = (outline.rows() as f64).max(page).max(1.0);
        let mut html = String::new();
        let mut last = u32::MAX;
        self.0.found.with(|found| {
            for n in &found.marks {
                // A thousandth of the height each.
                let y = (outline.row_of(*n) as f64 * 1000.0 / rows) as u32;
                if y != last {
                    html += &format!("<rect y=\"{y}\" width=\"1\" height=\"3\"></rect>");
                    last = y;
                }
            }
        });
        html
    }
}

/// What matches are shown by in the lines that are drawn. The server's expressions are close to the
/// browser's; where one is not known here its lines are found but not coloured.
fn pattern(query: &Query) -> Option<js_sys::RegExp> {
    let source = if query.regex { query.q.clone() } else { escape(&query.q) };
    if source.is_empty() {
        return None;
    }
    let flags = if query.case { "gu" } else { "giu" };
    // `new RegExp` throws what it cannot read; this tells instead.
    let arguments = js_sys::Array::of2(&source.into(), &flags.into());
    let constructor = js_sys::Reflect::get(&window(), &"RegExp".into()).ok()?;
    js_sys::Reflect::construct(&constructor.into(), &arguments).ok().map(Into::into)
}

/// A text as an expression that matches it and nothing else.
fn escape(text: &str) -> String {
    let mut source = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\^$.*+?()[]{}|/".contains(c) {
            source.push('\\');
        }
        source.push(c);
    }
    source
}
