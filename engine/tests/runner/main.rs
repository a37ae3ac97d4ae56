//! The built-in runner with real executors, store and board.

#![allow(clippy::unwrap_used)]

mod adoption;
mod house;
mod runs;
