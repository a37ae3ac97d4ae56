//! The command line against a real server: both are the executable, as it ships.
//!
//! - [`board`]: a server as a process, and commands that ask it; [`proxy`]: what stands between the two
//!   and breaks connections; [`terminal`]: a terminal that commands are run in
//! - the rest: one file per kind of verb

mod backup;
mod board;
mod broken;
mod docs;
mod https;
mod login;
mod logs;
mod people;
mod proxy;
mod run;
mod silent;
mod terminal;
mod unread;
mod watch;
