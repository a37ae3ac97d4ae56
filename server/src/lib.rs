//! The server: everything between HTTP and the engine.
//!
//! - [`config`]: the configuration file, or every mistake in it
//! - [`auth`]: who asks
//! - [`contracts`]: the published streams, one file each over a common core
//! - [`api`]: the JSON API, one file per resource
//! - [`pages`]: what the pages ask for
//! - [`query`]: query parameters
//! - [`served`]: what every handler has

pub mod auth;
pub mod config;
pub mod contracts;
pub mod query;
pub mod served;
