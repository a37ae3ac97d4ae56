//! The server over real TCP: a real engine with its own data directory and real executors. Each test
//! has a server of its own on port 0; nothing sleeps, everything waits for a condition.
//!
//! - [`running`]: a server and what tests do with it; [`client`]: HTTP over a socket; [`events`]: an
//!   event stream as a strict client reads it
//! - the rest: one file per resource or contract

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod again;
mod api;
mod cli;
mod client;
mod command;
mod dashboard;
mod download;
mod events;
mod events_off;
mod executions_stream;
mod job_logs;
mod job_status;
mod log_search;
mod packaging;
mod pipeline_edits;
mod pipeline_logs;
mod redacted;
mod runner_job;
mod runner_socket;
mod running;
