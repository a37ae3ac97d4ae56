//! The rows of the list: only those near the eye are drawn, more are fetched as the end comes near,
//! and several can be acted on at once.

use super::model::JobsModel;
use crate::parts::{
    html::element,
    jobs,
    rows::{self, Row},
    time::Clock,
};
use leptos::{ev, html, prelude::*, wasm_bindgen::JsCast};
use std::{collections::BTreeSet, sync::Arc};
use web_sys::{HtmlInputElement, HtmlTableSectionElement};

/// A list of so many rows is drawn whole.
const WHOLE: usize = 40;
/// Rows drawn on each side of what is seen.
const OVER: f64 = 12.0;

#[component]
pub fn JobsList(model: JobsModel) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let body = NodeRef::<html::Tbody>::new();
    let chosen = RwSignal::new(BTreeSet::<String>::new());
    // The first row that is drawn, one past the last, and the height of one, in pixels.
    let seen = RwSignal::new((0_usize, usize::MAX, 36.0));
    let jobs = model.jobs.clone();
    let first = rows::keep(
        body,
        Arc::new(move || {
            let (first, past, height) = seen.get();
            let count = jobs.count();
            let (first, past) =
                if count <= WHOLE { (0, count) } else { (first.min(count), past.min(count)) };
            let space = |key: &str, rows: usize| {
                let height = rows as f64 * height;
                // In the first column alone: a cell over columns that are hidden would bring their room back.
                let html = format!(
                    "<tr class=\"space\" aria-hidden=\"true\"><td><svg width=\"1\" height=\"{height}\"></svg></td></tr>"
                );
                (rows > 0).then(|| Row::new(key, html))
            };
            let mut rows = Vec::with_capacity(past - first + 2);
            rows.extend(space("above", first));
            chosen.with(|chosen| {
                rows.extend(jobs.range(first..past, |job| {
                    let id = job.id.to_string();
                    let html = jobs::select(job, chosen.contains(&id)) + &jobs::cells(&clock, job);
                    Row::new(id, element("tr", &html))
                }));
            });
            rows.extend(space("below", count - past));
            rows
        }),
    );
    Effect::new({
        let model = model.clone();
        move |_| {
            let model = model.clone();
            let look = move || {
                if let Some(body) = body.get_untracked() {
                    look(&body, &model, seen);
                }
            };
            let (scrolled, resized) = (look.clone(), look.clone());
            // All rows were rendered, for who reads without a script.
            look();
            let scroll = window_event_listener(ev::scroll, move |_| scrolled());
            let resize = window_event_listener(ev::resize, move |_| resized());
            on_cleanup(move || {
                scroll.remove();
                resize.remove();
            });
        }
    });
    let all = model.jobs.clone();
    let choose = move |event: ev::Event| {
        let target = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        let Some(target) = target else { return };
        chosen.update(|chosen| match (target.has_attribute("data-all"), target.checked()) {
            (true, true) => chosen.extend(untrack(|| all.map(|job| job.id.to_string()))),
            (true, false) => chosen.clear(),
            (false, true) => drop(chosen.insert(target.value())),
            (false, false) => drop(chosen.remove(&target.value())),
        });
    };
    let bar = rows::pieces("bulk", move || chosen.with(|chosen| vec![Row::new("", bar(chosen))]));
    view! {
        <form method="post" action="/jobs/selected" on:change=choose on:reset=move |_| chosen.update(BTreeSet::clear)>
            <table class="rows" aria-label="Jobs">
                <thead inner_html=jobs::SELECTABLE></thead>
                <tbody node_ref=body inner_html=first></tbody>
            </table>
            {bar}
        </form>
    }
}

/// Looks where the reader is.
fn look(body: &HtmlTableSectionElement, model: &JobsModel, seen: RwSignal<(usize, usize, f64)>) {
    let place = body.get_bounding_client_rect();
    let row = body.query_selector("tr:not(.space)").ok().flatten();
    let height = row.map_or(36.0, |row| row.get_bounding_client_rect().height()).max(1.0);
    let view = window().inner_height().ok().and_then(|view| view.as_f64()).unwrap_or(1000.0);
    let top = (-place.top() / height).floor();
    let now =
        ((top - OVER).max(0.0) as usize, (top + view / height + OVER).max(0.0) as usize, height);
    // In steps: a pixel is not worth drawing all rows again.
    let before = seen.get_untracked();
    if before.0.abs_diff(now.0) > 8 || before.1.abs_diff(now.1) > 8 {
        seen.set(now);
    }
    if place.bottom() < view * 2.0 && place.top() < 0.0 {
        model.grow();
    }
}

/// What can be done with those that are chosen. Those that are not drawn at the moment count too.
fn bar(chosen: &BTreeSet<String>) -> String {
    let hidden =
        chosen.iter().map(|id| format!("<input type=\"hidden\" name=\"id\" value=\"{id}\">"));
    let count = match chosen.len() {
        0 => String::new(),
        count => format!("<b class=\"num\">{count} selected</b>"),
    };
    let act = |act: &str, word: &str, class: &str| {
        format!("<button class=\"button {class}\" name=\"act\" value=\"{act}\">{word}</button>")
    };
    let html = [
        count,
        hidden.collect(),
        act("cancel", "Cancel", ""),
        act("retry", "Run again", ""),
        "<details class=\"again\"><summary class=\"button\">Delete …</summary><div class=\"fields\">\
         <p>They go with their logs. This cannot be undone.</p>"
            .to_owned(),
        act("delete", "Delete them", "button-danger"),
        "</div></details><button type=\"reset\" class=\"button\">Clear</button>".to_owned(),
    ];
    element(
        "div class=\"bulk-bar\" role=\"group\" aria-label=\"With the selected jobs\"",
        &html.concat(),
    )
}
