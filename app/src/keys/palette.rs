//! The palette: every page, every pipeline, a run of it, and a search, a few letters away.

use super::PLACES;
use crate::{
    api,
    parts::{
        html::escape,
        rows::{self, Row},
    },
    reader::may_act,
    url::encode,
};
use leptos::{ev, html, prelude::*, task::spawn_local, wasm_bindgen::JsCast};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use web_sys::{Element, HtmlElement};

/// Entries that are shown.
const MOST: usize = 12;
/// The button that the theme is switched with.
const THEME: &str = ".side-theme";

/// A place to go, or a form to send.
#[derive(Clone, PartialEq)]
struct Entry {
    words: String,
    path: String,
    /// It is sent, not gone to.
    acts: bool,
}

#[component]
pub fn Palette() -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let field = NodeRef::<html::Input>::new();
    let typed = RwSignal::new(String::new());
    let at = RwSignal::new(0_usize);
    let pipelines = RwSignal::new(Vec::<Entry>::new());
    let navigate = use_navigate();
    let entries =
        Signal::derive(move || typed.with(|typed| pipelines.with(|known| found(typed, known))));
    // Asked for when it is first opened; the newest the next time.
    let focused = move |_| {
        typed.set(String::new());
        at.set(0);
        if let Some(field) = field.get_untracked() {
            field.set_value("");
        }
        spawn_local(async move {
            if let Ok(page) = api::pipelines().await {
                // Runs are for who may act.
                let hidden = if may_act() { 0 } else { 1 };
                let shown = |pipeline| of_pipeline(pipeline).into_iter().skip(hidden);
                pipelines.set(page.pipelines.iter().flat_map(shown).collect());
            }
        });
    };
    let go = move |entry: Entry| {
        let navigate = navigate.clone();
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
        if entry.path == THEME {
            let button = document().query_selector(THEME).ok().flatten();
            if let Some(button) = button {
                button.unchecked_into::<HtmlElement>().click();
            }
            return;
        }
        if !entry.acts {
            return super::go(&navigate, &entry.path);
        }
        spawn_local(async move {
            if let Ok(sent) = api::submit(&entry.path, String::new()).await
                && let Some(to) = sent.to
            {
                navigate(&to, NavigateOptions::default());
            }
        });
    };
    let keyed = {
        let go = go.clone();
        move |event: ev::KeyboardEvent| {
            let last = entries.with_untracked(Vec::len).saturating_sub(1);
            match event.key().as_str() {
                "ArrowDown" => at.update(|at| *at = (*at + 1).min(last)),
                "ArrowUp" => at.update(|at| *at = at.saturating_sub(1)),
                "Enter" => {
                    if let Some(entry) =
                        entries.with_untracked(|all| all.get(at.get_untracked()).cloned())
                    {
                        go(entry);
                    }
                }
                _ => return,
            }
            event.prevent_default();
        }
    };
    let clicked = move |event: ev::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let found = target.and_then(|target| target.closest("[data-at]").ok().flatten());
        let at = found.and_then(|found| found.get_attribute("data-at")?.parse::<usize>().ok());
        let entry = at.and_then(|at| entries.with_untracked(|all| all.get(at).cloned()));
        if let Some(entry) = entry {
            go(entry);
        }
    };
    let list = rows::pieces("palette-list", move || {
        let chosen = at.get();
        let option = |(n, entry): (usize, &Entry)| {
            let selected = n == chosen;
            Row::new(
                n.to_string(),
                format!(
                    "<div role=\"option\" class=\"palette-entry\" id=\"entry-{n}\" data-at=\"{n}\" aria-selected=\"{selected}\">{}</div>",
                    escape(&entry.words)
                ),
            )
        };
        entries.with(|all| all.iter().enumerate().map(option).collect())
    });
    view! {
        <dialog node_ref=dialog class="dialog palette" aria-label="Go to">
            <input
                node_ref=field
                class="input"
                role="combobox"
                aria-label="Go to a page, run a pipeline, search"
                aria-expanded="true"
                aria-controls="palette"
                aria-activedescendant=move || format!("entry-{}", at.get())
                placeholder="Go to, run, search …"
                autofocus
                on:focus=focused
                on:input=move |event| {
                    typed.set(event_target_value(&event));
                    at.set(0);
                }
                on:keydown=keyed
            />
            <div id="palette" role="listbox" aria-label="Found" on:click=clicked>
                {list}
            </div>
        </dialog>
    }
}

/// Its run, then its page.
fn of_pipeline(pipeline: &shared::Pipeline) -> [Entry; 2] {
    let (name, path) = (&pipeline.name, format!("/pipelines/{}", encode(&pipeline.name)));
    // One that wants parameters is run from its page.
    let acts = pipeline.params.is_empty();
    let run = if acts { format!("{path}/run") } else { path.clone() };
    [
        Entry { words: format!("Run {name}"), path: run, acts },
        Entry { words: format!("Pipeline {name}"), path, acts: false },
    ]
}

/// What fits the letters, in the order of what is most likely meant.
fn found(typed: &str, pipelines: &[Entry]) -> Vec<Entry> {
    let wanted = typed.trim().to_lowercase();
    let place = |(_, path, words): &(&str, &str, &str)| Entry {
        words: (*words).to_owned(),
        path: (*path).to_owned(),
        acts: false,
    };
    let theme = Entry { words: "Switch the theme".to_owned(), path: THEME.to_owned(), acts: true };
    let fits = |entry: &Entry| {
        let words = entry.words.to_lowercase();
        wanted.split(' ').all(|part| words.contains(part))
    };
    let mut all: Vec<_> = PLACES
        .iter()
        .map(place)
        .chain([theme])
        .chain(pipelines.iter().cloned())
        .filter(fits)
        .collect();
    all.truncate(MOST);
    if !wanted.is_empty() {
        let words = format!("Search jobs for {}", typed.trim());
        all.push(Entry { words, path: format!("/jobs?q={}", encode(typed.trim())), acts: false });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_find_places_runs_and_always_a_search() {
        let known = [Entry { words: "Run nightly backup".into(), path: "/r".into(), acts: true }];
        let words =
            |typed| -> Vec<String> { found(typed, &known).into_iter().map(|e| e.words).collect() };
        assert_eq!(
            words(""),
            [
                "Overview",
                "Jobs",
                "Queues",
                "Workers",
                "Pipelines",
                "Settings",
                "Switch the theme",
                "Run nightly backup"
            ]
        );
        assert_eq!(words("BACK night"), ["Run nightly backup", "Search jobs for BACK night"]);
        assert_eq!(
            found("a&b", &known).last().map(|e| e.path.clone()).as_deref(),
            Some("/jobs?q=a%26b")
        );
    }
}
