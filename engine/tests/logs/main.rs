//! A log from its writer to its readers, over crashes.

#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod crash;
mod fixture;
mod search;
mod splitting;
mod windows;
