//! Small pieces that pages are composed of.

pub mod action;
pub mod icon;
pub mod jobs;
pub mod meter;
pub mod notice;
pub mod state;
pub mod time;
