//! Forms act in place once the page lives: what they ask for is sent without leaving the page, and
//! what went wrong is said beside the button, with everything that was typed still there. Without
//! JavaScript the same forms work as they are.

use crate::api::{self, Sent};
use leptos::{ev, prelude::*, task::spawn_local, wasm_bindgen::JsCast};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use web_sys::{
    Element, Event, FormData, HtmlElement, HtmlFormElement, HtmlSelectElement, UrlSearchParams,
};

/// Attends every form of the page. Once, inside the router.
#[component]
pub fn Forms() -> impl IntoView {
    let navigate = use_navigate();
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let submit = window_event_listener(ev::submit, move |event| {
            let form = target::<HtmlFormElement>(&event);
            // One that leaves the board is the browser's, and so is one that closes a dialog.
            let ours = |form: &HtmlFormElement| {
                !form.has_attribute("data-leaves") && form.method() != "dialog"
            };
            if let Some(form) = form.filter(ours) {
                event.prevent_default();
                let navigate = navigate.clone();
                let button = event.submitter();
                let go = move |to: &str| navigate(to, NavigateOptions::default());
                match form.method().as_str() {
                    "post" => send(form, button, go),
                    _ => go(&format!("{}?{}", path(&form), filled(&fields(&form, None)))),
                }
            }
        });
        // A choice that sends its form at once.
        let change = window_event_listener(ev::change, move |event| {
            if let Some(select) = target::<HtmlSelectElement>(&event)
                && select.has_attribute("data-sends")
                && let Some(form) = select.form()
            {
                let _ = form.request_submit();
            }
        });
        let click = window_event_listener(ev::click, |event| {
            let button = target::<Element>(&event);
            let button = button.and_then(|element| element.closest("[data-copy]").ok().flatten());
            if let Some(button) = button {
                copy(&button);
            }
        });
        on_cleanup(move || {
            submit.remove();
            change.remove();
            click.remove();
        });
    });
}

/// Copies what a button holds; `ORIGIN` in it stands for the address of this board.
fn copy(button: &Element) {
    let text = button.get_attribute("data-copy").unwrap_or_default();
    let origin = location().origin().unwrap_or_default();
    let _ = window().navigator().clipboard().write_text(&text.replace("ORIGIN", &origin));
    button.set_text_content(Some("Copied"));
}

fn target<T: JsCast>(event: &Event) -> Option<T> {
    event.target()?.dyn_into().ok()
}

fn path(form: &HtmlFormElement) -> String {
    form.get_attribute("action").unwrap_or_default()
}

/// Those of the fields that are not empty.
fn filled(fields: &str) -> String {
    let filled = fields.split('&').filter(|field| !field.ends_with('='));
    filled.collect::<Vec<_>>().join("&")
}

/// What is filled in, and what the button says, as in an address.
fn fields(form: &HtmlFormElement, button: Option<&Element>) -> String {
    let data = FormData::new_with_form(form).inspect(|data| {
        let attribute = |name| button?.get_attribute(name);
        if let (Some(name), Some(value)) = (attribute("name"), attribute("value")) {
            let _ = data.append_with_str(&name, &value);
        }
    });
    let fields = data.and_then(|data| UrlSearchParams::new_with_str_sequence_sequence(&data));
    fields.map(|fields| fields.to_string().into()).unwrap_or_default()
}

/// Sends a form once at a time.
fn send(form: HtmlFormElement, button: Option<HtmlElement>, go: impl FnOnce(&str) + 'static) {
    // A valid name and value.
    let busy = |busy: bool| {
        let _ = form.toggle_attribute_with_force("data-busy", busy);
    };
    if form.has_attribute("data-busy") {
        return;
    }
    busy(true);
    say(&form, "", "");
    let fields = fields(&form, button.as_deref());
    spawn_local(async move {
        let answer = api::submit(&path(&form), fields).await;
        let _ = form.remove_attribute("data-busy");
        match answer {
            Ok(Sent { to, said }) => {
                for fold in [form.closest("details"), form.query_selector("details")] {
                    if let Ok(Some(fold)) = fold {
                        let _ = fold.remove_attribute("open");
                    }
                }
                form.reset();
                say(&form, "form-said", said.as_deref().unwrap_or_default());
                if let Some(to) = to.filter(|to| location().pathname().as_ref() != Ok(to)) {
                    go(&to);
                }
            }
            Err(why) => say(&form, "form-said form-error", &why.words()),
        }
    });
}

/// Says what became of it at the end of the form.
fn say(form: &Element, class: &str, words: &str) {
    let found = form.query_selector("[role=alert]").ok().flatten();
    let said = found.or_else(|| {
        let made = document().create_element("p").ok()?;
        let _ = made.set_attribute("role", "alert");
        let _ = form.append_child(&made);
        Some(made)
    });
    if let Some(said) = said {
        said.set_class_name(class);
        said.set_text_content(Some(words));
    }
}
