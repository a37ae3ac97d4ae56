//! The live event log: what was committed, encoded once, read by any number of streams.
//!
//! - [`event`](Event): what the [`crate::board`] publishes; `frame`, `one_line`: how it is encoded
//! - `log`: what is kept. A `ring` of history per connection, so that a noisy one cannot push out another's;
//!   the `latest` value of what has no history
//! - `cursor`: how one reader goes through it; `chunks`: what many of them get at once; [`Subscription`]
//!   is a cursor that can be polled
//! - `fan_out`: wakes subscriptions; `watch`: wakes the streams of one job
//! - `fill`: brings history back from the store after a start
//!
//! Nothing is queued for a reader, so nobody waits for a slow one: past what is kept it is told to fetch a
//! snapshot (`reset`) and goes on from the head.
//!
//! **Ids.** Every numbered frame carries its number as `id:`, latest-wins ones too: a reader gets all
//! frames merged by number, so with number n all up to n was sent to it or did not match.

mod chunks;
mod cursor;
mod event;
#[cfg(test)]
mod exactly_once;
mod fan_out;
mod fill;
mod frame;
mod latest;
mod log;
mod one_line;
mod ring;
mod subscription;
mod watch;

pub use event::{Event, Key, Publication, Topic};
pub use frame::frame;
pub(crate) use frame::frame_exact;
pub use one_line::write_one_line;
pub use subscription::Subscription;
pub use watch::JobWatch;

use crate::{
    Caller,
    store::{Store, StoreError},
};
use bytes::Bytes;
use fan_out::FanOut;
use log::Log;
use ring::{Limits, Ring};
use shared::{ConnectionId, EventId, JobId};
use std::{
    io,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};
use watch::Watched;

/// What a stream wants to hear of; connections' freshness is part of every stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// One that has no events yet may be named too.
    pub connections: Vec<ConnectionId>,
    /// `job:*`
    pub jobs: bool,
    /// `worker:*`
    pub workers: bool,
    /// `queue:*`
    pub queues: bool,
}

/// Why the hub cannot start.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a thread of the event log could not be started: {0}")]
    Thread(#[from] io::Error),
}

/// Handle of the event log; cheap to clone. Its threads end with the last clone.
#[derive(Clone, Debug)]
pub struct Hub {
    shared: Arc<Shared>,
    _threads: Arc<Threads>,
}

#[derive(Debug)]
struct Shared {
    log: RwLock<Log>,
    fan_out: FanOut,
    watched: Watched,
    /// Subscriptions and watches.
    open: AtomicUsize,
    ended: AtomicBool,
}

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, Log> {
        self.log.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Log> {
        self.log.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the threads when the last handle is dropped.
#[derive(Debug)]
struct Threads {
    shared: Arc<Shared>,
    running: Vec<JoinHandle<()>>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        self.shared.fan_out.end();
        for thread in self.running.drain(..) {
            thread.thread().unpark();
            // A panic there was reported where it happened.
            let _ = thread.join();
        }
    }
}

impl Hub {
    /// Begins at the end of the numbers the store has reserved, so that no id ever given out is ahead of the
    /// head, and fills the rings from the store in the background.
    pub fn start(store: &Store) -> Result<Self, HubError> {
        Self::start_with(store, Limits::DEFAULT)
    }

    fn start_with(store: &Store, limits: Limits) -> Result<Self, HubError> {
        let head = store.reserved();
        let mut log = Log::new(store.epoch(), head, limits);
        let floors = store.floors()?;
        for &(connection, floor) in &floors {
            log.rings.insert(connection, Ring::to_fill(limits, head, floor));
        }
        let shared = Arc::new(Shared {
            log: RwLock::new(log),
            fan_out: FanOut::default(),
            watched: Watched::default(),
            open: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        });
        let mut threads = Threads { shared: shared.clone(), running: Vec::new() };
        let own = shared.clone();
        let fan_out =
            thread::Builder::new().name("fan-out".into()).spawn(move || own.fan_out.run())?;
        threads.running.push(fan_out);
        let (own, store) = (shared.clone(), store.clone());
        let connections: Vec<_> = floors.into_iter().map(|(connection, _)| connection).collect();
        let fill = thread::Builder::new()
            .name("history".into())
            .spawn(move || fill::run(&own, &store, &connections))?;
        threads.running.push(fill);
        Ok(Self { shared, _threads: Arc::new(threads) })
    }

    /// The newest event that was published. Read it before the rows that it goes with.
    pub fn head(&self) -> EventId {
        let log = self.shared.read();
        log.id(log.head)
    }

    /// A stream of what happens after `since`; absent: after now. The caller is one who may see the connections of the interest.
    pub fn subscribe(
        &self,
        _caller: &Caller,
        mut interest: Interest,
        since: Option<EventId>,
    ) -> Subscription {
        interest.connections.sort_unstable();
        interest.connections.dedup();
        Subscription::new(self.shared.clone(), interest, since)
    }

    /// Woken by what happens to this job from now on, and by nothing else.
    pub fn watch_job(&self, _caller: &Caller, job: JobId) -> JobWatch {
        JobWatch::new(self.shared.clone(), job)
    }

    /// How many subscriptions and watches there are.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// The floor of each connection's ring, by connection: the number of the last event that a stream
    /// cannot resume over.
    pub fn floors(&self) -> Vec<(ConnectionId, u64)> {
        let log = self.shared.read();
        let mut floors: Vec<_> = log.rings.iter().map(|(id, ring)| (*id, ring.floor())).collect();
        drop(log);
        floors.sort_unstable();
        floors
    }

    /// Makes known what was committed, in the order of numbers.
    pub(crate) fn publish(&self, publication: Publication) {
        let Publication { events, over, jobs } = publication;
        let mut topics: Vec<_> = events.iter().map(|e| (e.connection, e.topic)).collect();
        topics.dedup();
        self.shared.write().publish(events, &over);
        self.shared.watched.tell(&jobs);
        if !topics.is_empty() {
            self.shared.fan_out.tell(&topics);
        }
    }

    /// Frames without a number for all who watch these connections, now and from now on until they are
    /// replaced. None of them: what they said is over.
    pub(crate) fn say_aside(&self, frames: Vec<(ConnectionId, Bytes)>) {
        let mut log = self.shared.write();
        log.aside.version += 1;
        log.aside.frames = frames;
        drop(log);
        self.shared.fan_out.tell_all();
    }
}
