//! The streams that are open: how many there may be, the tick they share, and their end.
//!
//! One task tells all of them; a stream that is only told twice a minute needs no timer. Each has a
//! slot of its own, so that a stream that is polled a thousand times a second meets no other there.

use super::too_many::TooMany;
use crate::config::Limits;
use engine::Caller;
use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    hash::Hash,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Time between two keep-alives.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a stream of contract 5 goes on.
const LONGEST: Duration = Duration::from_secs(3600);

/// What streams are counted by, from the start on: a graph begins with zeros.
const CONTRACTS: [&str; 6] =
    ["dashboard", "executions", "job_logs", "job_status", "pipeline_logs", "runner_jobs"];

const BEAT: u8 = 1;
const END: u8 = 2;

/// All open streams; a cheap handle.
#[derive(Clone)]
pub struct Streams {
    open: Arc<Mutex<Open>>,
    /// Time between two keep-alives.
    pub every: Duration,
    /// How long one goes on whose contract has a bound; its client comes back then.
    pub longest: Duration,
    /// How many there may be.
    pub limits: Limits,
}

#[derive(Default)]
struct Open {
    closing: bool,
    next: u64,
    slots: HashMap<u64, Arc<Slot>>,
    by_contract: BTreeMap<&'static str, u32>,
    by_caller: HashMap<Arc<str>, u32>,
    by_address: HashMap<IpAddr, u32>,
}

#[derive(Default)]
struct Slot {
    /// What it was told and has not looked at: [`BEAT`], [`END`].
    told: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

/// What a stream is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// A keep-alive is due.
    Beat,
    /// The server goes away.
    Closing,
    /// The caller may not see it any more.
    AccessEnded,
}

impl Streams {
    /// Starts the task that tells them `every` so often; it ends, and every stream with it, when
    /// `closing` is cancelled.
    pub fn start(every: Duration, limits: Limits, closing: CancellationToken) -> Self {
        let by_contract = CONTRACTS.map(|contract| (contract, 0)).into();
        let open = Arc::new(Mutex::new(Open { by_contract, ..Open::default() }));
        let streams = Self { open, every, longest: LONGEST, limits };
        let told = streams.clone();
        tokio::spawn(async move {
            let mut tick = tokio::time::interval_at(Instant::now() + every, every);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    () = closing.cancelled() => break,
                    _ = tick.tick() => told.tell(BEAT),
                }
            }
            told.lock().closing = true;
            told.tell(END);
        });
        streams
    }

    /// A place among them for a stream of this contract, given back when it is dropped.
    ///
    /// # Errors
    /// The bound that is reached; of several the one that is closest to the caller.
    pub fn open(&self, caller: &Caller, contract: &'static str) -> Result<Place, TooMany> {
        let mut open = self.lock();
        let Limits { streams, streams_per_caller, streams_per_address, .. } = self.limits;
        let of_caller = open.by_caller.get(&caller.name).copied().unwrap_or(0);
        let at_address = caller.address.and_then(|at| open.by_address.get(&at).copied());
        let in_all = u32::try_from(open.slots.len()).unwrap_or(u32::MAX);
        let bounds = [
            ("limits.streams_per_caller", of_caller, streams_per_caller),
            ("limits.streams_per_address", at_address.unwrap_or(0), streams_per_address),
            ("limits.streams", in_all, streams),
        ];
        if let Some(&(key, _, most)) = bounds.iter().find(|(_, count, most)| count >= most) {
            return Err(TooMany { key, most });
        }
        *open.by_contract.entry(contract).or_default() += 1;
        *open.by_caller.entry(caller.name.clone()).or_default() += 1;
        if let Some(address) = caller.address {
            *open.by_address.entry(address).or_default() += 1;
        }
        let slot = Arc::new(Slot::default());
        if open.closing {
            slot.told.store(END, Ordering::Release);
        }
        open.next += 1;
        let key = open.next;
        open.slots.insert(key, slot.clone());
        drop(open);
        let ended = Box::pin(caller.ended.clone().cancelled_owned());
        Ok(Place { streams: self.clone(), key, contract, slot, ended, caller: caller.clone() })
    }

    /// Whether the server goes away, so that a stream would end as it begins.
    pub fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// How many are open of each contract.
    pub fn by_contract(&self) -> Vec<(&'static str, u32)> {
        self.lock().by_contract.iter().map(|(contract, count)| (*contract, *count)).collect()
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.lock().slots.len()
    }

    fn tell(&self, what: u8) {
        let slots: Vec<_> = self.lock().slots.values().cloned().collect();
        for slot in slots {
            slot.told.fetch_or(what, Ordering::AcqRel);
            let waker = lock(&slot.waker).take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        lock(&self.open)
    }
}

/// Nothing that holds one of these locks can panic half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One open stream.
pub struct Place {
    streams: Streams,
    key: u64,
    contract: &'static str,
    slot: Arc<Slot>,
    caller: Caller,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Place {
    /// Ready when the stream is told something; the waker is kept otherwise.
    pub fn poll_told(&mut self, cx: &mut Context<'_>) -> Poll<Told> {
        if self.ended.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Told::AccessEnded);
        }
        // The waker first: what is told after this look wakes, what was told before is seen.
        let mut waker = lock(&self.slot.waker);
        if waker.as_ref().is_none_or(|w| !w.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        drop(waker);
        match self.slot.told.fetch_and(!BEAT, Ordering::AcqRel) {
            told if told & END != 0 => Poll::Ready(Told::Closing),
            told if told & BEAT != 0 => {
                // Whoever watches the board is there, though nothing is asked for.
                self.caller.touch();
                Poll::Ready(Told::Beat)
            }
            _ => Poll::Pending,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.lock();
        open.slots.remove(&self.key);
        if let Some(count) = open.by_contract.get_mut(self.contract) {
            *count -= 1;
        }
        give_back(&mut open.by_caller, &self.caller.name);
        if let Some(address) = &self.caller.address {
            give_back(&mut open.by_address, address);
        }
    }
}

/// One less of those that are counted by `key`.
fn give_back<K: Hash + Eq>(counts: &mut HashMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    async fn told(place: &mut Place) -> Told {
        poll_fn(|cx| place.poll_told(cx)).await
    }

    const SOON: Duration = Duration::from_millis(5);

    #[tokio::test]
    async fn every_stream_gets_the_same_tick_and_then_the_end() {
        let closing = CancellationToken::new();
        let streams = Streams::start(SOON, Limits::default(), closing.clone());
        let caller = Caller::board();
        let (mut a, mut b) =
            (streams.open(&caller, "test").unwrap(), streams.open(&caller, "test").unwrap());
        let start = Instant::now();
        for n in 1..=3 {
            assert_eq!((told(&mut a).await, told(&mut b).await), (Told::Beat, Told::Beat));
            assert!(start.elapsed() >= SOON * n);
        }
        closing.cancel();
        for place in [&mut a, &mut b, &mut streams.open(&caller, "test").unwrap()] {
            while told(place).await != Told::Closing {}
        }
    }

    #[tokio::test]
    async fn a_stream_ends_with_the_access_of_its_caller_and_no_other_does() {
        let streams = Streams::start(SOON, Limits::default(), CancellationToken::new());
        let (gone, stays) = (Caller::board(), Caller::board());
        let (mut a, mut b) =
            (streams.open(&gone, "test").unwrap(), streams.open(&stays, "test").unwrap());
        gone.ended.cancel();
        assert_eq!(told(&mut a).await, Told::AccessEnded);
        assert_eq!(told(&mut b).await, Told::Beat);
    }

    #[tokio::test]
    async fn a_place_is_given_back_when_its_stream_is_gone() {
        let streams = Streams::start(KEEP_ALIVE, Limits::default(), CancellationToken::new());
        let place = streams.open(&Caller::board(), "test").unwrap();
        assert_eq!(streams.count(), 1);
        drop(place);
        assert_eq!(streams.count(), 0);
    }
}
