//! Times and durations on the screen. The first render says UTC and no age; once the page lives,
//! times are in the reader's zone and language and ages tick, all by one timer.

use super::html::escape;
use crate::format;
use js_sys::{Array, Date, Intl, Object, Reflect, wasm_bindgen::JsValue};
use leptos::prelude::*;
use shared::{Job, JobState, Timestamp};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

/// The page's clock. In context for every component.
#[derive(Clone, Default)]
pub struct Clock {
    /// Milliseconds since the epoch by the server's clock; `None` in a first render.
    now: ArcRwSignal<Option<i64>>,
    /// Minutes east of UTC; `None` in a first render.
    zone: ArcRwSignal<Option<i32>>,
    /// How far the server's clock is ahead of the browser's, in milliseconds.
    ahead: Arc<AtomicI64>,
    /// It stands still.
    held: Arc<AtomicBool>,
}

// === impl Clock ===

impl Clock {
    /// Starts ticking. For an effect; ends with its owner.
    pub fn start(&self) {
        let clock = self.clone();
        let tick = move || {
            if !clock.held.load(Ordering::Relaxed) {
                clock.now.set(Some(browser_now() + clock.ahead.load(Ordering::Relaxed)));
            }
        };
        tick();
        self.zone.set(Some(-(Date::new_0().get_timezone_offset() as i32)));
        let interval = set_interval_with_handle(tick, Duration::from_secs(1));
        on_cleanup(move || {
            if let Ok(interval) = interval {
                interval.clear();
            }
        });
    }

    /// Learns what time it is at the server.
    pub fn hear(&self, server: Timestamp) {
        self.ahead.store(server.0 - browser_now(), Ordering::Relaxed);
    }

    /// Stops the clock, or lets it go on with the time that it is then.
    pub fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Relaxed);
    }

    /// Milliseconds since `start`; tracked, changes every second. `None` in a first render.
    pub fn since(&self, start: Timestamp) -> Option<u64> {
        self.now.get().map(|now| Timestamp(now).since(start))
    }

    /// Whether it is known what time it is; tracked, once.
    pub fn ticks(&self) -> bool {
        self.zone.get().is_some()
    }

    /// Minutes east of UTC; tracked. UTC in a first render.
    pub fn minutes_east(&self) -> i32 {
        self.zone.get().unwrap_or(0)
    }
}

fn browser_now() -> i64 {
    Date::now() as i64
}

/// Milliseconds since the epoch, on either side. Not for what a first render shows.
pub fn now() -> i64 {
    #[cfg(feature = "ssr")]
    return Timestamp::now().0;
    #[cfg(not(feature = "ssr"))]
    browser_now()
}

/// A moment, as HTML: time of day if it is today, else with the day; a dash where there is none.
pub fn when(clock: &Clock, at: Option<Timestamp>) -> String {
    let Some(at) = at else { return "—".to_owned() };
    let words = if clock.ticks() { in_words(at) } else { in_utc(at) };
    format!("<time class=\"num\" datetime=\"{at}\" title=\"{at}\">{}</time>", escape(&words))
}

/// A sentence of the server's, as HTML: the moments in it as [`when`] shows them.
pub fn told(clock: &Clock, sentence: &str) -> String {
    let word = |word: &str| match word.parse() {
        Ok(at) => when(clock, Some(at)),
        Err(_) => escape(word),
    };
    sentence.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// `2026-02-27 10:30:00`.
fn in_utc(at: Timestamp) -> String {
    let text = at.to_string();
    // The text is ASCII and longer than that for every moment that can be stored.
    text.get(..19).unwrap_or(&text).replace('T', " ")
}

/// In the reader's language and zone.
fn in_words(at: Timestamp) -> String {
    thread_local! {
        // Making one costs a thousand times as much as using it.
        static TODAY: Intl::DateTimeFormat = formatter(&[]);
        static BEFORE: Intl::DateTimeFormat = formatter(&[("day", "2-digit"), ("month", "short")]);
    }
    let date = Date::new(&JsValue::from_f64(at.0 as f64));
    let day = |date: &Date| (date.get_full_year(), date.get_month(), date.get_date());
    let formatter = if day(&date) == day(&Date::new_0()) { &TODAY } else { &BEFORE };
    formatter
        .with(|formatter| formatter.format().call1(&JsValue::UNDEFINED, &date))
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or_else(|| in_utc(at))
}

fn formatter(more: &[(&str, &str)]) -> Intl::DateTimeFormat {
    let options = Object::new();
    let time = [("hour", "2-digit"), ("minute", "2-digit"), ("second", "2-digit")];
    for (name, value) in time.iter().chain(more) {
        // Setting a property of a fresh object does not fail.
        let _ = Reflect::set(&options, &JsValue::from_str(name), &JsValue::from_str(value));
    }
    let _ = Reflect::set(&options, &JsValue::from_str("hourCycle"), &JsValue::from_str("h23"));
    Intl::DateTimeFormat::new(&Array::new(), &options)
}

/// How long a job has run, or ran; ticks while it runs.
pub fn ran(clock: &Clock, job: &Job) -> String {
    match (job.state, job.started_at, job.duration_ms) {
        (JobState::Active, Some(start), _) => {
            clock.since(start).map_or_else(|| "running".to_owned(), format::running)
        }
        (_, _, Some(ms)) => format::duration(ms),
        _ => "—".to_owned(),
    }
}
