//! What keys mean on every page.

use leptos::wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

/// Whether the key goes into a field, or belongs to the browser.
pub fn is_typing(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let field = target.is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
    });
    field || event.ctrl_key() || event.meta_key() || event.alt_key()
}
