//! Pages and components, compiled for the server (`ssr`) and for the browser (`hydrate`).
//!
//! - [`api`]: what pages ask for, with a body for the server and one for the browser
//! - `app`: the routes; `frame`: what stands around every page; `shell`: the document
//! - `pages`: one per file; `parts`: the small pieces they are composed of; `log`: the viewer
//! - [`reader`]: who reads the page
//! - `live`: the stream of events, and rows that follow it; `board`: what all pages know
//!
//! A first render is the same on both sides: no clock, no zone, no storage is read in a view.
//! Those come in effects, which run in the browser only.

// The view of a page is one type; the compiler walks it as deep as elements are nested.
#![recursion_limit = "256"]

pub mod api;
mod app;
mod board;
mod format;
mod frame;
mod keys;
mod live;
mod log;
mod pages;
mod parts;
pub mod reader;
#[cfg(feature = "ssr")]
mod shell;
mod url;

pub use app::App;
pub use frame::{BRAND, WAYS};
pub use parts::{html, icon};
#[cfg(feature = "ssr")]
pub use shell::{SiteOptions, THEME, shell};
pub use url::encode;
