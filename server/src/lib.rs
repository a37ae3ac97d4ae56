//! The server: everything between HTTP and the engine.
//!
//! - [`command`]: what the executable can be asked to do; `serve` puts the rest together
//! - [`config`]: the configuration file, or every mistake in it
//! - [`auth`]: who asks, and whether they may
//! - [`contracts`]: the published streams, one file each over a common core
//! - [`api`]: the JSON API, one file per resource
//! - [`pages`]: what the pages ask for; [`web`]: pages, assets, headers, and the connections
//! - [`reload`]: the configuration, read again while the board runs
//! - [`health`]: whether it is up and ready; [`metrics`]: figures for Prometheus
//! - [`served`]: what every handler has; [`query`] and [`path`]: query parameters, named segments

pub mod api;
pub mod auth;
pub mod command;
pub mod config;
pub mod contracts;
pub mod health;
pub mod metrics;
pub mod pages;
pub mod path;
pub mod query;
pub mod reload;
pub mod served;
pub mod web;
