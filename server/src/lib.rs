//! The server: everything between HTTP and the engine.
//!
//! - [`config`]: the configuration file, or every mistake in it
//! - [`auth`]: who asks
//! - [`query`]: query parameters

pub mod auth;
pub mod config;
pub mod query;
pub mod web;
