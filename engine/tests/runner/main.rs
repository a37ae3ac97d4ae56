//! The built-in runner with real executors, store and board.

#![allow(clippy::unwrap_used)]

mod adoption;
mod bounds;
mod control;
mod house;
mod order;
mod retries;
mod runs;
mod schedules;
