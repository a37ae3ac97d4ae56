//! The executor with real processes, seen from the runner's side of the files.

#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod ending;
mod files;
mod fixture;
mod given;
mod start;
mod steps;
