//! Small pieces that pages are composed of.

pub mod activity;
pub mod forms;
pub mod html;
pub mod icon;
pub mod jobs;
pub mod meter;
pub mod notice;
pub mod params;
pub mod rows;
pub mod state;
pub mod time;

use leptos::prelude::*;

/// A text that changes. One type for all of them: every closure in a view would be compiled as a
/// view of its own, and the page carries them all.
pub fn text<S: Into<String>>(read: impl Fn() -> S + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(move || read().into())
}
