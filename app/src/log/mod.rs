//! The log viewer: shows a log of any length and never holds more of it than what is near the eye.
//!
//! It does not tail line by line. It hears how long the log is (`job:log`, on the page's one
//! stream) and reads windows, so a flood costs one window per tick and nothing is lost, repeated
//! or piled up. [`outline`] says which row is what, [`extent`] where a row is on the screen,
//! [`cache`] what is known and what is to be fetched; [`reader`] drives them, [`row`] draws.

mod cache;
mod extent;
mod outline;
mod reader;
mod row;

use crate::{
    format,
    parts::{
        icon::{self, Icon},
        rows, text,
        time::Clock,
    },
};
use leptos::{ev, html, prelude::*};
use reader::Reader;
use row::Drawn;
use shared::{
    JobId, Step,
    log::{LogInfo, LogWindow},
};
use std::sync::Arc;

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
    let reader = Reader::new(id, window, info.clone(), steps);
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
            reader.draw_soon();
        }
    });
    Effect::new({
        let (reader, jump) = (reader.clone(), jump.clone());
        move |_| {
            if let Some(n) = jump.0.get() {
                reader.show_line(n);
            }
        }
    });
    Effect::new({
        let reader = reader.clone();
        move |_| {
            let resized = reader.clone();
            let handle = window_event_listener(ev::resize, move |_| resized.draw_soon());
            let reader = reader.clone();
            on_cleanup(move || {
                handle.remove();
                reader.unmount();
            });
        }
    });

    let time = RwSignal::new(true);
    let empty = {
        let (info, reader) = (info.clone(), reader.clone());
        move || {
            (reader.rows() == 0)
                .then(|| if info.get().closed { "No output" } else { "No output yet" })
        }
    };
    let (shown, clock) = (reader.shown(), expect_context::<Clock>());
    let rows = rows::keep(
        sheet,
        Arc::new(move || {
            let marked = jump.0.get();
            steps.with(|steps| {
                let drawn = Drawn { id, clock: &clock, steps, marked };
                shown.with(|shown| shown.iter().map(|shown| drawn.row(shown)).collect())
            })
        }),
    );
    let (scrolled, wheeled, keyed) = (reader.clone(), reader.clone(), reader.clone());
    view! {
        <section class="card log" aria-label="Log">
            <Bar id info reader=reader.clone() time/>
            <div class="log-body">
                <div
                    node_ref=lines
                    class="log-lines"
                    class:no-time=move || !time.get()
                    role="log"
                    aria-live="off"
                    aria-label="Lines of the log"
                    tabindex="0"
                    on:scroll=move |_| scrolled.scrolled()
                    on:wheel=move |event| wheeled.wheel(&event)
                    on:keydown=move |event| keyed.key(&event)
                >
                    <div node_ref=space class="log-space">
                        <div node_ref=sheet class="log-sheet" inner_html=rows></div>
                    </div>
                    <p class="log-empty dim">{empty}</p>
                </div>
                <NewLines reader/>
            </div>
        </section>
    }
}

/// What is above the lines: how long the log is, and what can be done with it.
#[component]
fn Bar(
    id: JobId,
    info: ArcRwSignal<LogInfo>,
    reader: Reader,
    time: RwSignal<bool>,
) -> impl IntoView {
    let size = text(move || {
        let info = info.get();
        format!("{} · {}", format::plural(info.lines, "line", "lines"), format::bytes(info.bytes))
    });
    let follow = reader.following();
    let pressed = text(move || follow.get().to_string());
    view! {
        <div class="log-bar">
            <h2>"Log"</h2>
            <span class="dim num log-size">{size}</span>
            <button
                type="button"
                class="toggle log-bar-end"
                aria-pressed=text(move || time.get().to_string())
                on:click=move |_| time.update(|time| *time = !*time)
            >
                "Time"
            </button>
            <button type="button" class="toggle" aria-pressed=pressed on:click=move |_| reader.toggle_follow()>
                "Follow"
            </button>
            <a
                class="button"
                href=format!("/api/jobs/{id}/logs/static")
                download=format!("tailboard-{id}.log")
                rel="external"
            >
                <Icon path=icon::DOWNLOAD/>
                "Download"
            </a>
        </div>
    }
}

/// Says how much came since the reader let go of the end, and leads back to it.
#[component]
fn NewLines(reader: Reader) -> impl IntoView {
    let held = reader.new_lines();
    let new = Memo::new(move |_| held.get());
    let to_end = move |_| reader.follow();
    view! {
        {move || {
            let to_end = to_end.clone();
            (new.get() > 0)
                .then(|| {
                    view! {
                        <button type="button" class="pill pill-foot num" on:click=to_end>
                            <Icon path=icon::DOWN/>
                            {text(move || format::plural(new.get(), "new line", "new lines"))}
                        </button>
                    }
                })
        }}
    }
}
