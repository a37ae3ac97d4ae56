//! An address that leads nowhere.

use crate::{api::PageError, parts::notice::Refused};
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Title text="Not found"/>
        <Refused why=PageError::NotFound what="page"/>
    }
}
