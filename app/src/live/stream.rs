//! The page's one stream of events: opened where the page's rows end, closed while nobody looks,
//! opened again by itself where it stopped.

use super::{
    attend::hidden,
    backoff::delay_ms,
    event::Event,
    ring::Ring,
    source::{Signal, Source},
};
use crate::{api, parts::time::Clock};
use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*, task::spawn_local};
use send_wrapper::SendWrapper;
use shared::{ConnectionId, EventId, JobId};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

/// How long the page says that it was resynchronised.
const RESYNCED: Duration = Duration::from_secs(6);

/// How the page stands to the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// As the server rendered it: nothing moves yet, and without JavaScript nothing will.
    Still,
    Live,
    /// The stream broke and is being opened again; what is shown may be old.
    Reconnecting,
    /// The stream could not be continued and everything was fetched again, a moment ago.
    Resynced,
}

/// The stream. A cheap handle; the last one to go closes it.
#[derive(Clone)]
pub struct Live(pub(super) Arc<Shared>);

pub(super) struct Shared {
    link: ArcRwSignal<Link>,
    /// Events a second, of late.
    pub(super) rate: ArcRwSignal<u64>,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// What the URL of the stream says.
    connections: Vec<ConnectionId>,
    log: Option<JobId>,
    /// Up to here everything was received. Before the first opening: where to begin.
    position: Option<EventId>,
    pub(super) source: Option<SendWrapper<Source>>,
    timer: Option<TimeoutHandle>,
    failures: u32,
    /// Browser time in milliseconds at which the server was last heard.
    pub(super) heard: f64,
    /// Events since the last look.
    pub(super) told: u64,
    ring: Ring,
    queue: Vec<(Option<EventId>, Event)>,
    listeners: Vec<(u64, Listener)>,
    next_listener: u64,
}

type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// Hears events until it is dropped.
pub struct Listening(u64, Weak<Shared>);

// === impl Live ===

impl Live {
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(Shared {
            link: ArcRwSignal::new(Link::Still),
            rate: ArcRwSignal::new(0),
            clock,
            state: Mutex::default(),
        }))
    }

    /// Tracked.
    pub fn link(&self) -> Link {
        self.0.link.get()
    }

    /// Events a second, of late: 1 for any fewer, 0 for none; tracked.
    pub fn rate(&self) -> u64 {
        self.0.rate.get()
    }

    /// Says which connections the page shows; opens the stream once there are some.
    pub fn watch(&self, connections: Vec<ConnectionId>) {
        let mut state = self.state();
        if state.connections != connections {
            state.connections = connections;
            drop(state);
            self.reopen_soon(0);
        }
    }

    /// Asks for the size of a job's log too, or no longer.
    pub fn watch_log(&self, log: Option<JobId>) {
        let mut state = self.state();
        if state.log != log {
            state.log = log;
            drop(state);
            self.reopen_soon(0);
        }
    }

    /// Hears every event from now on. The events between `as_of` and now come along; `None` in
    /// their place: some are gone, the rows have to be fetched again.
    pub fn listen(
        &self,
        as_of: EventId,
        listener: impl Fn(&Event) + Send + Sync + 'static,
    ) -> (Listening, Option<Vec<Arc<Event>>>) {
        let mut state = self.state();
        let missed = if state.heard == 0.0 {
            // Not opened yet: it will begin at the oldest rows of the page.
            let older = state.position.is_none_or(|p| p.epoch != as_of.epoch || as_of.seq < p.seq);
            if older {
                state.position = Some(as_of);
            }
            Some(Vec::new())
        } else {
            state.ring.after(as_of)
        };
        let id = state.next_listener;
        state.next_listener += 1;
        state.listeners.push((id, Arc::new(listener)));
        (Listening(id, Arc::downgrade(&self.0)), missed)
    }

    /// The events of this page after `as_of`; `None` if some of them are gone.
    pub fn after(&self, as_of: EventId) -> Option<Vec<Arc<Event>>> {
        self.state().ring.after(as_of)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_link(&self, link: Link) {
        if self.0.link.get_untracked() != link {
            // What runs may be over by now: nobody knows for how long it has run.
            self.0.clock.hold(link == Link::Reconnecting);
            self.0.link.set(link);
        }
    }

    /// Opens anew after `ms`, in place of any other attempt that waits. Always through a timer: a
    /// source must not be dropped from inside its own callback.
    pub(super) fn reopen_soon(&self, ms: u64) {
        let weak = Arc::downgrade(&self.0);
        let open = move || {
            if let Some(shared) = weak.upgrade() {
                Self(shared).open();
            }
        };
        let timer = set_timeout_with_handle(open, Duration::from_millis(ms)).ok();
        if let Some(old) = std::mem::replace(&mut self.state().timer, timer) {
            old.clear();
        }
    }

    fn open(&self) {
        self.flush();
        let mut state = self.state();
        state.timer = None;
        state.source = None;
        let Some(position) = state.position else { return };
        if state.connections.is_empty() || hidden() {
            return;
        }
        if state.heard == 0.0 {
            state.ring.begin(position);
        }
        state.heard = js_sys::Date::now();
        let ids: Vec<_> = state.connections.iter().map(ToString::to_string).collect();
        let mut url = format!("/api/events/stream?connectionId={}&since={position}", ids.join(","));
        if let Some(log) = state.log {
            url.push_str(&format!("&log={log}"));
        }
        let weak = Arc::downgrade(&self.0);
        let source = Source::open(&url, move |signal| {
            if let Some(shared) = weak.upgrade() {
                Self(shared).hear(signal);
            }
        });
        state.source = source.ok().map(SendWrapper::new);
    }

    /// Stops listening; the position stays.
    pub(super) fn close(&self) {
        self.flush();
        let (source, timer) = {
            let mut state = self.state();
            (state.source.take(), state.timer.take())
        };
        drop(source);
        if let Some(timer) = timer {
            timer.clear();
        }
    }

    fn hear(&self, signal: Signal) {
        match signal {
            Signal::Open => {
                self.heard();
                if self.0.link.get_untracked() != Link::Resynced {
                    self.set_link(Link::Live);
                }
            }
            Signal::Broken { closed } => {
                self.set_link(Link::Reconnecting);
                if closed {
                    let failures = {
                        let mut state = self.state();
                        state.failures = state.failures.saturating_add(1);
                        state.failures
                    };
                    // The browser does not say why; it may be that nobody is signed in any more.
                    spawn_local(api::check_session());
                    self.reopen_soon(delay_ms(failures, js_sys::Math::random()));
                }
            }
            Signal::Event(name, id, data) => {
                self.heard();
                let id = id.parse().ok();
                let event = Event::parse(&name, &data);
                let mut state = self.state();
                state.told += 1;
                state.position = id.or(state.position);
                let Some(event) = event else { return };
                let first = state.queue.is_empty();
                state.queue.push((id, event));
                drop(state);
                if first {
                    let weak = Arc::downgrade(&self.0);
                    request_animation_frame(move || {
                        if let Some(shared) = weak.upgrade() {
                            Self(shared).flush();
                        }
                    });
                }
            }
        }
    }

    fn heard(&self) {
        let mut state = self.state();
        state.failures = 0;
        state.heard = js_sys::Date::now();
    }

    /// Hands everything that gathered to the listeners. They may call back into this, so nothing
    /// is locked meanwhile.
    fn flush(&self) {
        let batch = std::mem::take(&mut self.state().queue);
        for (id, event) in batch {
            let event = Arc::new(event);
            let listeners: Vec<Listener> = {
                let mut state = self.state();
                match (&*event, id) {
                    (Event::Reset, Some(head)) => state.ring.begin(head),
                    _ => state.ring.push(event.clone()),
                }
                state.listeners.iter().map(|(_, listener)| listener.clone()).collect()
            };
            match &*event {
                Event::Heartbeat(beat) => self.0.clock.hear(beat.timestamp),
                Event::Reset => self.resynced(),
                _ => {}
            }
            for listener in listeners {
                listener(&event);
            }
        }
    }

    fn resynced(&self) {
        self.set_link(Link::Resynced);
        let weak = Arc::downgrade(&self.0);
        let settle = move || {
            if let Some(shared) = weak.upgrade()
                && shared.link.get_untracked() == Link::Resynced
            {
                shared.link.set(Link::Live);
            }
        };
        set_timeout(settle, RESYNCED);
    }
}

// === impl Listening ===

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(shared) = self.1.upgrade() {
            let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.listeners.retain(|(id, _)| *id != self.0);
        }
    }
}
