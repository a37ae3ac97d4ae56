//! Forms act in place once the page lives: what they ask for is sent without leaving the page, and
//! what went wrong is said beside the button, with everything that was typed still there. Without
//! JavaScript the same forms work as they are.

use crate::api;
use leptos::{ev, prelude::*, task::spawn_local, wasm_bindgen::JsCast};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use web_sys::{Element, Event, FormData, HtmlFormElement, HtmlSelectElement, UrlSearchParams};

/// Attends every form of the page. Once, inside the router.
#[component]
pub fn Forms() -> impl IntoView {
    let navigate = use_navigate();
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let submit = window_event_listener(ev::submit, move |event| {
            if let Some(form) = target::<HtmlFormElement>(&event) {
                event.prevent_default();
                let navigate = navigate.clone();
                let go = move |to: &str| navigate(to, NavigateOptions::default());
                match form.method().as_str() {
                    "post" => send(form, go),
                    _ => go(&format!("{}?{}", path(&form), fields(&form))),
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
        on_cleanup(move || {
            submit.remove();
            change.remove();
        });
    });
}

fn target<T: JsCast>(event: &Event) -> Option<T> {
    event.target()?.dyn_into().ok()
}

fn path(form: &HtmlFormElement) -> String {
    form.get_attribute("action").unwrap_or_default()
}

/// What is filled in, as in an address.
fn fields(form: &HtmlFormElement) -> String {
    let data = FormData::new_with_form(form);
    let fields = data.and_then(|data| UrlSearchParams::new_with_str_sequence_sequence(&data));
    fields.map(|fields| fields.to_string().into()).unwrap_or_default()
}

/// Sends a form once at a time.
fn send(form: HtmlFormElement, go: impl FnOnce(&str) + 'static) {
    // A valid name and value.
    let busy = |busy: bool| {
        let _ = form.toggle_attribute_with_force("data-busy", busy);
    };
    if form.has_attribute("data-busy") {
        return;
    }
    busy(true);
    say(&form, "");
    spawn_local(async move {
        let answer = api::submit(&path(&form), fields(&form)).await;
        let _ = form.remove_attribute("data-busy");
        match answer {
            Ok(to) => {
                if let Ok(Some(fold)) = form.closest("details") {
                    let _ = fold.remove_attribute("open");
                }
                if location().pathname().ok().as_deref() != Some(to.as_str()) {
                    go(&to);
                }
            }
            Err(why) => say(&form, &why.words()),
        }
    });
}

/// Says what went wrong at the end of the form.
fn say(form: &Element, why: &str) {
    let found = form.query_selector(".form-error").ok().flatten();
    let said = found.or_else(|| {
        let made = document().create_element("p").ok()?;
        made.set_class_name("form-error");
        let _ = made.set_attribute("role", "alert");
        let _ = form.append_child(&made);
        Some(made)
    });
    if let Some(said) = said {
        said.set_text_content(Some(why));
    }
}
