//! What keys do on every page: ways to go, rows to walk, a sheet that says so, and a palette.

mod palette;

use crate::reader::may_act;
use leptos::{ev, html, prelude::*, wasm_bindgen::JsCast};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use palette::Palette;
use web_sys::{Element, HtmlDialogElement, HtmlElement, HtmlInputElement, KeyboardEvent};

/// `g` and then one of these.
const PLACES: [(&str, &str, &str); 6] = [
    ("o", "/", "Overview"),
    ("j", "/jobs", "Jobs"),
    ("q", "/queues", "Queues"),
    ("w", "/workers", "Workers"),
    ("p", "/pipelines", "Pipelines"),
    ("s", "/settings", "Settings"),
];

const KEYS: [(&str, &str); 16] = [
    ("Ctrl K", "Go anywhere, run anything"),
    ("g o · g j · g q · g w · g p · g s", "Overview, jobs, queues, workers, pipelines, settings"),
    ("/", "Search, in the list or in the log, else anywhere"),
    ("j · k", "Next and previous row or pipeline"),
    ("Enter", "Open the row"),
    ("x", "Select the row"),
    ("n · N", "Next and previous match in the log"),
    ("f", "Follow the end of the log"),
    ("w", "Wrap long lines"),
    ("t", "Times: of day, since the beginning, off"),
    ("s", "Fold the step in view, or open it"),
    ("y · Y", "Copy a link to the line found or marked or first in view; from that to here"),
    ("Home · End", "Beginning and end of the log"),
    ("Click · Shift click", "Link to a line, to a range of lines"),
    ("Esc", "Close, or end a search"),
    ("?", "This sheet"),
];

/// Attends the keyboard. Once, inside the router.
#[component]
pub fn Keys() -> impl IntoView {
    let sheet = NodeRef::<html::Dialog>::new();
    let navigate = use_navigate();
    // After a `g`.
    let going = StoredValue::new(false);
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let keys = window_event_listener(ev::keydown, move |event| {
            let key = event.key();
            if key == "k" && (event.ctrl_key() || event.meta_key()) {
                event.prevent_default();
                open_palette();
                return;
            }
            if is_typing(&event) || event.default_prevented() {
                return;
            }
            let went = std::mem::replace(&mut *going.write_value(), key == "g");
            let place = PLACES.iter().find(|(letter, _, _)| went && *letter == key);
            let did = match (place, key.as_str()) {
                (Some((_, path, _)), _) => {
                    go(&navigate, path);
                    true
                }
                (_, "?") => open(sheet),
                (_, "j") => walk(1),
                (_, "k") => walk(-1),
                (_, "x") => may_act() && select(),
                (_, "/") => search() || open_palette(),
                _ => false,
            };
            if did {
                event.prevent_default();
            }
        });
        on_cleanup(move || keys.remove());
    });
    let works = |(keys, _): &&(&str, &str)| *keys != "x" || may_act();
    let row = |(keys, what): &(&str, &str)| format!("<dt>{}</dt><dd>{what}</dd>", caps(keys));
    let rows: String = KEYS.iter().filter(works).map(row).collect();
    let close = "<form method=\"dialog\"><button class=\"button\">Close</button></form>";
    let html = format!("<h2>Keyboard</h2><dl class=\"keys\">{rows}</dl>{close}");
    view! {
        <dialog node_ref=sheet class="dialog" aria-label="Keyboard" inner_html=html></dialog>
        <Palette/>
    }
}

/// `g o · /` as caps of keys.
fn caps(keys: &str) -> String {
    let cap = |key: &str| format!("<kbd>{key}</kbd>");
    let combination = |keys: &str| keys.split(' ').map(cap).collect::<Vec<_>>().join(" ");
    keys.split(" · ").map(combination).collect::<Vec<_>>().join(" · ")
}

/// Whether the key goes into a field, or belongs to the browser.
pub fn is_typing(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let field = target.is_some_and(|element| {
        let writes = matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT");
        // A box that is ticked takes no letters.
        (writes && element.get_attribute("type").as_deref() != Some("checkbox"))
            || element.closest("dialog").is_ok_and(|dialog| dialog.is_some())
    });
    field || event.ctrl_key() || event.meta_key() || event.alt_key()
}

/// The palette. Whether it is open now: a page that does not live yet has none.
pub fn open_palette() -> bool {
    let dialog = document().query_selector("dialog.palette").ok().flatten();
    let dialog = dialog.and_then(|dialog| dialog.dyn_into::<HtmlDialogElement>().ok());
    dialog.is_some_and(|dialog| dialog.open() || dialog.show_modal().is_ok())
}

fn open(dialog: NodeRef<html::Dialog>) -> bool {
    dialog.get_untracked().is_some_and(|dialog| dialog.open() || dialog.show_modal().is_ok())
}

/// The row of a table that has the focus.
fn row() -> Option<Element> {
    document().active_element()?.closest("tbody tr").ok()?
}

/// Moves the focus to the next row or card of the page, or the one before.
fn walk(by: i32) -> bool {
    let Ok(links) = document().query_selector_all("main .job-name") else { return false };
    let rows = links.length() as i32;
    let here = document().active_element();
    let here = here.and_then(|here| here.closest("tbody tr, .pipeline").ok()?);
    let here = here.and_then(|here| here.query_selector(".job-name").ok().flatten());
    let at = here.and_then(|here| {
        (0..rows)
            .find(|at| links.item(*at as u32).is_some_and(|link| link.is_same_node(Some(&here))))
    });
    let next = at.map_or(if by > 0 { 0 } else { rows - 1 }, |at| (at + by).clamp(0, rows - 1));
    let link = links.item(next.max(0) as u32).and_then(|link| link.dyn_into::<HtmlElement>().ok());
    link.is_some_and(|link| link.focus().is_ok())
}

/// Ticks the box of the row that has the focus.
fn select() -> bool {
    let found = row().and_then(|row| row.query_selector("input[type=checkbox]").ok().flatten());
    let tick = found.and_then(|tick| tick.dyn_into::<HtmlElement>().ok());
    tick.inspect(|tick| tick.click()).is_some()
}

/// Goes to the page's search field, if it has one.
fn search() -> bool {
    let field = document().get_element_by_id("q");
    let field = field.and_then(|field| field.dyn_into::<HtmlInputElement>().ok());
    field.inspect(HtmlInputElement::select).is_some_and(|field| field.focus().is_ok())
}

/// Goes to a page. The settings are documents of their own, which the router does not know.
fn go(navigate: &impl Fn(&str, NavigateOptions), path: &str) {
    if path == "/settings" {
        // A path of our own on our own origin.
        let _ = location().assign(path);
    } else {
        navigate(path, NavigateOptions::default());
    }
}
