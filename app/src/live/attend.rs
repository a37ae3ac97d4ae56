//! What the stream follows besides the server: the tab, the network, and how long it has been quiet.

use super::stream::{Link, Live};
use leptos::{ev, prelude::*};
use std::{sync::Arc, time::Duration};

/// The server sends something every 15 s; after this long without, the line is taken for dead.
const SILENCE_MS: f64 = 40_000.0;
/// How often it is looked whether the server is heard, and how much.
const LOOK: Duration = Duration::from_secs(5);

// === impl Live ===

impl Live {
    /// Follows the tab: closed when it is hidden or put aside, opened again when it is seen. For
    /// an effect; ends with its owner.
    pub fn attend(&self) {
        let on = |live: &Self, act: fn(&Live)| {
            let weak = Arc::downgrade(&live.0);
            move || {
                if let Some(shared) = weak.upgrade() {
                    act(&Self(shared));
                }
            }
        };
        let seen = on(self, |live| if hidden() { live.close() } else { live.reopen_soon(0) });
        let left = on(self, Self::close);
        let offline = on(self, |live| {
            live.close();
            live.set_link(Link::Reconnecting);
        });
        let online = on(self, |live| live.reopen_soon(0));
        let watch = on(self, Self::look);
        let (back, online_too) = (online.clone(), online);
        let handles = [
            window_event_listener_untyped("visibilitychange", move |_| seen()),
            window_event_listener_untyped("pagehide", move |_| left()),
            window_event_listener(ev::pageshow, move |event| {
                if event.persisted() {
                    back();
                }
            }),
            window_event_listener_untyped("offline", move |_| offline()),
            window_event_listener_untyped("online", move |_| online_too()),
        ];
        let interval = set_interval_with_handle(watch, LOOK);
        on_cleanup(move || {
            handles.into_iter().for_each(WindowListenerHandle::remove);
            if let Ok(interval) = interval {
                interval.clear();
            }
        });
    }

    /// Opens a stream anew that is silent for too long, and counts what came since the last look.
    fn look(&self) {
        let (silent, told) = {
            let mut state = self.state();
            let silent = state.source.is_some() && js_sys::Date::now() - state.heard > SILENCE_MS;
            (silent, std::mem::take(&mut state.told))
        };
        let rate = told.div_ceil(LOOK.as_secs());
        if self.0.rate.get_untracked() != rate {
            self.0.rate.set(rate);
        }
        if silent {
            self.set_link(Link::Reconnecting);
            self.reopen_soon(0);
        }
    }
}

/// Whether nobody sees the page.
pub(super) fn hidden() -> bool {
    document().hidden()
}
