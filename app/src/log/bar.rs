//! What is above the lines: how long the log is, a search, and what can be done with it.

use super::{
    found::{Query, Way},
    reader::Reader,
};
use crate::{
    format,
    parts::{
        icon::{self, Icon},
        text,
    },
};
use leptos::{ev, html, prelude::*};
use shared::{JobId, log::LogInfo};
use std::time::Duration;

/// How long to wait for another letter before it is looked for.
const TYPING: Duration = Duration::from_millis(200);

#[component]
pub fn Bar(id: JobId, info: ArcRwSignal<LogInfo>, reader: Reader) -> impl IntoView {
    let size = text(move || {
        let info = info.get();
        format!("{} · {}", format::plural(info.lines, "line", "lines"), format::bytes(info.bytes))
    });
    let prefs = reader.0.prefs;
    let follow = reader.0.follow.clone();
    let following = text(move || follow.get().to_string());
    let wraps = text(move || prefs.wraps.get().to_string());
    let times = text(move || format!("Time: {}", prefs.times.get().word()));
    let href = format!("/api/jobs/{id}/logs/static");
    let gzip = format!("/api/v1/jobs/{id}/log/download?format=gzip");
    let name = format!("tailboard-{id}.log");
    view! {
        <div class="log-bar">
            <h2>"Log"</h2>
            <span class="dim num log-size">{size}</span>
            <Search reader=reader.clone()/>
            <button type="button" class="toggle" title="t" on:click=move |_| prefs.next_times()>
                {times}
            </button>
            <button type="button" class="toggle" title="w" aria-pressed=wraps on:click=move |_| prefs.toggle_wraps()>
                "Wrap"
            </button>
            <button
                type="button"
                class="toggle"
                title="f"
                aria-pressed=following
                on:click=move |_| reader.toggle_follow()
            >
                "Follow"
            </button>
            <a class="button" href=href download=name rel="external">
                <Icon path=icon::DOWNLOAD/>
                "Download"
            </a>
            <a class="button" href=gzip download="" rel="external" aria-label=".gz, the compressed log">
                ".gz"
            </a>
        </div>
    }
}

/// Looks through the whole log as it is typed. Enter leads on, with shift back; Escape ends it.
#[component]
fn Search(reader: Reader) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    let (regex, case) = (RwSignal::new(false), RwSignal::new(false));
    let begin = {
        let reader = reader.clone();
        move || {
            let q = field.get_untracked().map(|field| field.value()).unwrap_or_default();
            reader.search(Query { q, regex: regex.get_untracked(), case: case.get_untracked() });
        }
    };
    let typed = {
        let begin = begin.clone();
        let waiting = StoredValue::new(0_u32);
        move |_| {
            let begin = begin.clone();
            waiting.update_value(|n| *n += 1);
            let mine = waiting.get_value();
            set_timeout(
                move || {
                    if waiting.try_get_value() == Some(mine) {
                        begin();
                    }
                },
                TYPING,
            );
        }
    };
    let keyed = {
        let (reader, begin) = (reader.clone(), begin.clone());
        move |event: ev::KeyboardEvent| match event.key().as_str() {
            "Enter" => {
                event.prevent_default();
                begin();
                reader.go_to_match(if event.shift_key() { Way::Up } else { Way::Down });
            }
            "Escape" => {
                if let Some(field) = field.get_untracked() {
                    field.set_value("");
                    let _ = field.blur();
                }
                begin();
            }
            _ => {}
        }
    };
    // The viewer's letters work wherever nothing is typed.
    Effect::new({
        let reader = reader.clone();
        move |_| {
            let reader = reader.clone();
            let keys = window_event_listener(ev::keydown, move |event| {
                if crate::keys::is_typing(&event) || event.default_prevented() {
                    return;
                }
                if reader.letter(&event.key()) {
                    event.prevent_default();
                }
            });
            on_cleanup(move || keys.remove());
        }
    });
    let switch = move |signal: RwSignal<bool>, begin: &dyn Fn()| {
        signal.update(|on| *on = !*on);
        begin();
    };
    let (on_case, on_regex) = (begin.clone(), begin);
    let found = reader.0.found.clone();
    let words = {
        let found = found.clone();
        text(move || found.with(|found| if found.is_on() { found.words() } else { String::new() }))
    };
    let wrong = text(move || {
        if found.with(|found| found.error.is_some()) {
            "log-found is-failed"
        } else {
            "log-found num"
        }
    });
    let (up, down) = (reader.clone(), reader);
    view! {
        <search class="log-search">
            <input
                node_ref=field
                id="q"
                type="search"
                class="chip search"
                placeholder="Search the log"
                aria-label="Search the log"
                title="/"
                on:input=typed
                on:keydown=keyed
            />
            <button
                type="button"
                class="toggle"
                aria-label="Match case"
                title="Match case"
                aria-pressed=text(move || case.get().to_string())
                on:click=move |_| switch(case, &on_case)
            >
                "Aa"
            </button>
            <button
                type="button"
                class="toggle mono"
                aria-label="Regular expression"
                title="Regular expression"
                aria-pressed=text(move || regex.get().to_string())
                on:click=move |_| switch(regex, &on_regex)
            >
                ".*"
            </button>
            <button type="button" class="toggle" aria-label="Previous match" title="Shift+Enter, N" on:click=move |_| up.go_to_match(Way::Up)>
                <Icon path=icon::UP/>
            </button>
            <button type="button" class="toggle" aria-label="Next match" title="Enter, n" on:click=move |_| down.go_to_match(Way::Down)>
                <Icon path=icon::DOWN/>
            </button>
            <output class=wrong>{words}</output>
        </search>
    }
}

/// Says how much came since the reader let go of the end, and leads back to it.
#[component]
pub fn NewLines(reader: Reader) -> impl IntoView {
    let held = reader.0.new_lines.clone();
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
