//! Thin bars. Widths are SVG attributes: the content policy allows no style attributes.

use super::text;
use leptos::prelude::*;

/// How far something is, 0 to 100; nothing to see while that is not known.
#[component]
pub fn Progress(#[prop(into)] percent: Signal<Option<f32>>, label: &'static str) -> impl IntoView {
    let width = text(move || format!("{:.1}%", percent.get().map_or(0.0, |p| p.clamp(0.0, 100.0))));
    view! {
        <svg
            class=text(move || if percent.get().is_some() { "meter" } else { "meter invisible" })
            role="progressbar"
            aria-label=label
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=text(move || percent.get().map_or(String::new(), |p| format!("{p:.0}")))
        >
            <rect class="meter-bar" width=width height="100%" rx="2"></rect>
        </svg>
    }
}

/// A share of a whole, for a figure that stands beside it.
#[component]
pub fn Share(#[prop(into)] percent: Signal<f64>) -> impl IntoView {
    view! {
        <svg class="meter" aria-hidden="true">
            <rect
                class="meter-share"
                width=text(move || format!("{:.1}%", percent.get().clamp(0.0, 100.0)))
                height="100%"
                rx="2"
            ></rect>
        </svg>
    }
}
