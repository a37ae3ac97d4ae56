//! The routes.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};

/// The page.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! { <Title text="Tailboard"/> }
}
