//! Pages and components, compiled for the server (`ssr`) and for the browser (`hydrate`).
//!
//! - [`api`]: what pages ask for, with a body for the server and one for the browser
//! - [`shell`]: the document around the app; [`App`]: the routes

pub mod api;
mod app;
#[cfg(feature = "ssr")]
mod shell;

pub use app::App;
#[cfg(feature = "ssr")]
pub use shell::{SiteOptions, shell};
