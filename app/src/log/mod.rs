//! The log viewer: shows a log of any length and never holds more of it than what is near the eye.
//!
//! It does not tail line by line. It hears how long the log is (`job:log`, on the page's one
//! stream) and reads windows, so a flood costs one window per tick and nothing is lost, repeated
//! or piled up. [`outline`] says which row is what, [`extent`] where a row is on the screen,
//! [`cache`] what is known; [`reader`] is where the reader is, [`draw`] brings the screen there,
//! [`fetch`] what is missing, [`row`] is one row. [`search`] looks through the whole of it,
//! [`found`] is what it knows; [`address`] names lines in a link, [`point`] points at them, [`prefs`] is what a reader likes.

mod address;
mod bar;
mod cache;
mod draw;
mod extent;
mod fetch;
mod found;
mod keys;
mod outline;
mod point;
mod prefs;
mod reader;
mod row;
mod search;

use crate::parts::{text, time::Clock};
use bar::{Bar, NewLines};
pub use found::{Query, Way};
use leptos::{ev, html, prelude::*};
use prefs::{Prefs, Times};
use reader::Reader;
use shared::{
    JobId, Step,
    log::{LogInfo, LogWindow},
};

/// Lines rendered by the server: the end of the log, a screenful and a bit.
pub const FIRST_LINES: u32 = 60;

/// Asks the viewer to show a line. A cheap handle.
#[derive(Clone, Default)]
pub struct Jump(ArcRwSignal<Option<u64>>);

impl Jump {
    /// Shows line `n` (1-based) and marks it.
    pub fn to(&self, n: u64) {
        self.0.set(Some(n));
    }
}

/// The viewer. `window` is the end of the log as the server rendered it.
#[component]
pub fn LogViewer(
    id: JobId,
    window: Option<LogWindow>,
    info: ArcRwSignal<LogInfo>,
    steps: Memo<Vec<Step>>,
    jump: Jump,
) -> impl IntoView {
    let (lines, space, sheet) =
        (NodeRef::<html::Div>::new(), NodeRef::<html::Div>::new(), NodeRef::<html::Div>::new());
    let prefs = Prefs::new();
    let clock = expect_context::<Clock>();
    let reader = Reader::new(id, window, info.clone(), steps, prefs, clock.clone());
    let first = reader.html();
    Effect::new({
        let reader = reader.clone();
        move |_| {
            if let (Some(lines), Some(space), Some(sheet)) = (lines.get(), space.get(), sheet.get())
            {
                reader.mount(lines, space, sheet);
            }
        }
    });
    Effect::new({
        let (reader, info) = (reader.clone(), info.clone());
        move |_| {
            info.track();
            steps.track();
            prefs.times.track();
            prefs.wraps.track();
            clock.minutes_east();
            reader.search_on();
            reader.draw_soon();
        }
    });
    Effect::new({
        let reader = reader.clone();
        move |_| {
            if let Some(n) = jump.0.get() {
                reader.show_line(n);
            }
        }
    });
    Effect::new({
        let reader = reader.clone();
        move |_| {
            let (resized, moved, reader) = (reader.clone(), reader.clone(), reader.clone());
            let resize = window_event_listener(ev::resize, move |_| resized.draw_soon());
            let hash = window_event_listener(ev::hashchange, move |_| {
                moved.go_where_the_address_says();
            });
            on_cleanup(move || {
                resize.remove();
                hash.remove();
                reader.unmount();
            });
        }
    });

    let empty = {
        let (info, rows) = (info.clone(), reader.0.rows.clone());
        move || {
            (rows.get() == 0).then(|| if info.get().closed { "No output" } else { "No output yet" })
        }
    };
    let marks = {
        let (reader, rows) = (reader.clone(), reader.0.rows.clone());
        text(move || {
            rows.track();
            reader.marks()
        })
    };
    let size = info.clone();
    let class = text(move || {
        // Numbers have room for the last one.
        let digits = size.with(|info| info.lines).checked_ilog10().unwrap_or(0) + 1;
        let times = if prefs.times.get() == Times::Off { " no-time" } else { "" };
        let wraps = if prefs.wraps.get() { " wraps" } else { "" };
        format!("log-lines digits-{digits}{times}{wraps}")
    });
    let (scrolled, wheeled, keyed, clicked) =
        (reader.clone(), reader.clone(), reader.clone(), reader.clone());
    view! {
        <section class="card log" aria-label="Log">
            <Bar id info reader=reader.clone()/>
            <div class="log-body">
                <div
                    node_ref=lines
                    class=class
                    role="log"
                    aria-live="off"
                    aria-label="Lines of the log"
                    tabindex="0"
                    on:scroll=move |_| scrolled.scrolled()
                    on:wheel=move |event| wheeled.wheel(&event)
                    on:keydown=move |event| keyed.key(&event)
                    on:click=move |event| clicked.click(&event)
                >
                    <div node_ref=space class="log-space">
                        <div node_ref=sheet class="log-sheet" inner_html=first></div>
                    </div>
                    <p class="log-empty dim">{empty}</p>
                </div>
                <svg
                    class="log-marks"
                    viewBox="0 0 1 1000"
                    preserveAspectRatio="none"
                    aria-hidden="true"
                    inner_html=marks
                ></svg>
                <NewLines reader/>
            </div>
        </section>
    }
}
