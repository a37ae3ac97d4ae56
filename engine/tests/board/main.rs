//! Store, board and hub together, as the runner and the streams use them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod crash;
mod failing;
mod life;
mod lists;
mod place;
mod requests;
mod resume;
mod retention;
mod snapshot;
mod stand;
mod switch;
