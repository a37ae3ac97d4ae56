//! Wakes the streams that want what was published: apart from the board's thread, so that a commit is
//! acknowledged before a thousand streams are told, and no more often than every few milliseconds.

use super::{Interest, Topic};
use shared::ConnectionId;
use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::{Duration, Instant},
};

/// Time between two rounds. What comes within it is joined into one write per stream, and a write costs
/// the kernel more than the events in it.
const ROUND: Duration = Duration::from_millis(4);

/// What one stream leaves here: what it wants, and how to wake it.
#[derive(Debug)]
pub(super) struct Seat {
    pub interest: Interest,
    waker: Mutex<Option<Waker>>,
}

impl Seat {
    /// Keeps the waker for the next round. To be called before looking for news: what is published
    /// after that look finds the waker here.
    pub fn wait(&self, waker: &Waker) {
        let mut kept = lock(&self.waker);
        if kept.as_ref().is_none_or(|kept| !kept.will_wake(waker)) {
            *kept = Some(waker.clone());
        }
    }

    fn wants(&self, news: &News) -> bool {
        news.all
            || news.topics.iter().any(|(connection, topic)| {
                self.interest.wants(*topic) && self.interest.connections.contains(connection)
            })
    }
}

#[derive(Debug, Default)]
pub(super) struct FanOut {
    news: Mutex<News>,
    changed: Condvar,
    seats: Mutex<Seats>,
}

/// What was published since the last round.
#[derive(Debug, Default)]
struct News {
    topics: Vec<(ConnectionId, Topic)>,
    /// Something that every stream has to look at.
    all: bool,
    ended: bool,
}

#[derive(Debug, Default)]
struct Seats {
    next: u64,
    taken: HashMap<u64, Arc<Seat>>,
}

impl FanOut {
    /// Registers a stream.
    pub fn sit(&self, interest: Interest) -> (u64, Arc<Seat>) {
        let seat = Arc::new(Seat { interest, waker: Mutex::default() });
        let mut seats = lock(&self.seats);
        let number = seats.next;
        seats.next += 1;
        seats.taken.insert(number, seat.clone());
        (number, seat)
    }

    pub fn leave(&self, number: u64) {
        lock(&self.seats).taken.remove(&number);
    }

    /// There is news of these topics.
    pub fn tell(&self, topics: &[(ConnectionId, Topic)]) {
        let mut news = lock(&self.news);
        for topic in topics {
            if !news.topics.contains(topic) {
                news.topics.push(*topic);
            }
        }
        drop(news);
        self.changed.notify_one();
    }

    /// Every stream has to look.
    pub fn tell_all(&self) {
        lock(&self.news).all = true;
        self.changed.notify_one();
    }

    pub fn end(&self) {
        lock(&self.news).ended = true;
        self.changed.notify_one();
    }

    /// The thread: one round after the other until the end.
    pub fn run(&self) {
        let mut last: Option<Instant> = None;
        let mut wakers = Vec::new();
        loop {
            let nothing = |news: &mut News| news.topics.is_empty() && !news.all && !news.ended;
            let mut news = self
                .changed
                .wait_while(lock(&self.news), nothing)
                .unwrap_or_else(PoisonError::into_inner);
            if let Some(left) = last.and_then(|at| ROUND.checked_sub(at.elapsed())) {
                news = self
                    .changed
                    .wait_timeout_while(news, left, |news| !news.ended)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
            if news.ended {
                return;
            }
            let told = std::mem::take(&mut *news);
            drop(news);
            last = Some(Instant::now());
            for seat in lock(&self.seats).taken.values().filter(|seat| seat.wants(&told)) {
                wakers.extend(lock(&seat.waker).take());
            }
            // Woken without a lock held: a waker may run anything.
            wakers.drain(..).for_each(Waker::wake);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
