//! Line icons, 16 units square, in the colour of the text. Decoration: the words beside them say
//! it, so a screen reader passes them over.

use leptos::prelude::*;

pub const OVERVIEW: &str = "M2 10l3-4 3 3 3-6 3 5";
pub const JOBS: &str = "M2.5 4h11M2.5 8h11M2.5 12h7";
pub const PIPELINES: &str = "M5.2 7.2l5.6-2.6M5.2 8.8l5.6 2.6M2 8a1.5 1.5 0 103 0a1.5 1.5 0 10-3 0M11 4a1.5 1.5 0 103 0a1.5 1.5 0 10-3 0M11 12a1.5 1.5 0 103 0a1.5 1.5 0 10-3 0";
pub const WORKERS: &str = "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.3M5 11h.3";
pub const STOP: &str = "M4 4l8 8M12 4l-8 8";
pub const DOWNLOAD: &str = "M8 2v8M4.5 7L8 10.5 11.5 7M3 13.5h10";
pub const UP: &str = "M8 13V3M4 7l4-4 4 4";
pub const DOWN: &str = "M8 3v10M4 9l4 4 4-4";
pub const SEARCH: &str = "M7 2.5a4.5 4.5 0 100 9a4.5 4.5 0 100-9M10.3 10.3L14 14";
pub const BACK: &str = "M10 3L5 8l5 5";
pub const ON: &str = "M6 3l5 5-5 5";
pub const THEME: &str = "M8 2.5a5.5 5.5 0 100 11zM8 2.5a5.5 5.5 0 010 11";
pub const WARNING: &str = "M8 2l6.5 11.5h-13zM8 6.5v3M8 11.4v.3";
pub const INBOX: &str = "M2.5 9.5l2-6h7l2 6v3h-11zM2.5 9.5h3.5l1 1.5h2l1-1.5h3.5";
pub const PERSON: &str =
    "M8 2.5a2.7 2.7 0 100 5.4 2.7 2.7 0 000-5.4M2.8 13.5c.5-2.6 2.6-3.8 5.2-3.8s4.7 1.2 5.2 3.8";
pub const SETTINGS: &str = "M2 5h7M12.5 5H14M2 11h1.5M7 11h7M9 5a1.7 1.7 0 103.4 0 1.7 1.7 0 10-3.4 0M3.5 11a1.7 1.7 0 103.4 0 1.7 1.7 0 10-3.4 0";

#[component]
pub fn Icon(path: &'static str) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
            <path d=path></path>
        </svg>
    }
}
