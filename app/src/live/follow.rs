//! Keeps a page's model true: events are applied, and what an event cannot decide is fetched.

use super::{
    event::Event,
    stream::{Listening, Live},
};
use crate::api::PageError;
use leptos::{prelude::*, task::spawn_local};
use shared::EventId;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long to wait after a fetch that did not work.
const RETRY_MS: f64 = 3000.0;

/// Whether an event said all there is to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Verdict {
    Kept,
    /// Only the server knows what the model is now.
    Refetch,
}

impl Verdict {
    /// Refetch if either wants it.
    pub fn or(self, other: Self) -> Self {
        if self == Self::Refetch { self } else { other }
    }
}

/// What a page shows, as signals. A clone is another handle to the same.
pub trait Model: Clone + Send + Sync + 'static {
    /// What the server answers.
    type Snapshot: 'static;
    /// Least time between two fetches, in milliseconds.
    const PAUSE_MS: f64;

    /// The event up to which the model was told by the server.
    fn as_of(&self) -> EventId;
    /// Applies an event that came after [`Self::as_of`].
    fn apply(&self, event: &Event) -> Verdict;
    fn fetch(&self) -> impl Future<Output = Result<Self::Snapshot, PageError>> + 'static;
    fn replace(&self, snapshot: Self::Snapshot);
    /// The server has nothing to show any more.
    fn refused(&self, _why: PageError) {}
}

/// Follows the stream from the model's `as_of` on, until the component that called it is gone.
pub fn follow<M: Model>(live: Live, model: M) {
    Effect::new(move |_| {
        let follower = Follower(Arc::new(Inner {
            live: live.clone(),
            model: model.clone(),
            state: Mutex::default(),
        }));
        follower.begin();
        on_cleanup(move || follower.end());
    });
}

struct Follower<M>(Arc<Inner<M>>);

struct Inner<M> {
    live: Live,
    model: M,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    listening: Option<Listening>,
    ended: bool,
    /// A fetch waits or runs.
    busy: bool,
    /// Something happened since that fetch began.
    again: bool,
    /// Browser time before which no other fetch begins.
    not_before: f64,
}

// === impl Follower ===

impl<M> Clone for Follower<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Model> Follower<M> {
    fn begin(&self) {
        let weak = Arc::downgrade(&self.0);
        let hear = move |event: &Event| {
            if let Some(inner) = weak.upgrade() {
                Self(inner).hear(event);
            }
        };
        let (listening, missed) = self.0.live.listen(self.0.model.as_of(), hear);
        self.state().listening = Some(listening);
        self.catch_up(missed);
    }

    fn end(&self) {
        let listening = {
            let mut state = self.state();
            state.ended = true;
            state.listening.take()
        };
        drop(listening);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn catch_up(&self, missed: Option<Vec<Arc<Event>>>) {
        match missed {
            Some(events) => events.iter().for_each(|event| self.hear(event)),
            None => self.refetch(),
        }
    }

    fn hear(&self, event: &Event) {
        if matches!(event, Event::Reset) {
            return self.refetch();
        }
        // How fresh a connection is counts whatever its number: it is told while the store, which
        // gives the numbers, cannot write.
        let known = event.revision().is_some_and(|n| n <= self.0.model.as_of().seq);
        if known && !matches!(event, Event::Connection(_)) {
            return;
        }
        if self.0.model.apply(event) == Verdict::Refetch {
            self.refetch();
        }
    }

    /// Fetches soon; one at a time, and not more often than the model says.
    fn refetch(&self) {
        let mut state = self.state();
        if std::mem::replace(&mut state.busy, true) {
            state.again = true;
            return;
        }
        let wait = (state.not_before - js_sys::Date::now()).max(0.0);
        drop(state);
        let this = self.clone();
        set_timeout(move || this.fetch(), Duration::from_millis(wait as u64));
    }

    fn fetch(&self) {
        if self.state().ended {
            return;
        }
        self.state().again = false;
        let this = self.clone();
        spawn_local(async move {
            let answer = this.0.model.fetch().await;
            if this.state().ended {
                return;
            }
            let mut pause = M::PAUSE_MS;
            match answer {
                Ok(snapshot) => {
                    this.0.model.replace(snapshot);
                    let missed = this.0.live.after(this.0.model.as_of());
                    // A position from before the stream's own: the stream will say `reset`.
                    missed.iter().flatten().for_each(|event| this.hear(event));
                }
                Err(PageError::Unavailable(_)) => {
                    pause = RETRY_MS;
                    this.state().again = true;
                }
                Err(why) => this.0.model.refused(why),
            }
            let again = {
                let mut state = this.state();
                state.busy = false;
                state.not_before = js_sys::Date::now() + pause;
                state.again
            };
            if again {
                this.refetch();
            }
        });
    }
}
