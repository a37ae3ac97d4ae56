//! How long jobs of each queue wait and run: the last hour by the minute, and everything since the start.
//! In bounded memory, whatever happens: at most 34 KiB per queue, of at most 256 queues.

use super::histogram::{BUCKETS, Histogram, bucket, percentile};
use crate::store::Recent;
use shared::{ConnectionId, Percentiles, QueueStats, Timestamp};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Queues that are measured; of any more nothing is known.
const QUEUES: usize = 256;
/// Minutes that are told apart.
const MINUTES: usize = 60;
const MINUTE_MS: i64 = 60_000;

/// A queue of a connection.
pub(super) type QueueKey = (ConnectionId, Arc<str>);

/// Measured where the board applies starts and ends, read by whoever asks.
#[derive(Debug, Default)]
pub(super) struct Stats(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    queues: HashMap<QueueKey, OfQueue>,
    /// In microseconds.
    commits: Histogram,
}

#[derive(Debug)]
struct OfQueue {
    /// A minute is at its number modulo 60, until another one is.
    minutes: [Option<Box<Minute>>; MINUTES],
    wait: Histogram,
    run: Histogram,
}

#[derive(Debug)]
struct Minute {
    /// Since 1970.
    number: i64,
    started: u32,
    finished: u32,
    wait: Spread,
    run: Spread,
}

/// Durations in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Spread {
    counts: [u32; BUCKETS],
    longest: u64,
}

/// What became of a job, of which the time counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Passed {
    /// It began after waiting that long.
    Started(u64),
    /// It ended after running that long, if it ran.
    Finished(Option<u64>),
}

/// What was measured of a queue since the start, in milliseconds.
#[derive(Clone, Debug)]
pub struct Measured {
    pub connection: ConnectionId,
    pub queue: Arc<str>,
    pub wait: Histogram,
    pub run: Histogram,
}

impl Stats {
    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a server before this one saw in the last hour.
    pub fn recall(&self, recent: Vec<Recent>) {
        let mut all = self.all();
        for Recent { connection, queue, started, finished, wait_ms, run_ms } in recent {
            let Some(of) = all.queue((connection, queue)) else { continue };
            if let (Some(at), Some(ms)) = (started, wait_ms) {
                of.put(at, Passed::Started(ms));
            }
            if let Some(at) = finished {
                of.put(at, Passed::Finished(run_ms));
            }
        }
    }

    pub fn add(&self, queue: QueueKey, at: Timestamp, passed: Passed) {
        let mut all = self.all();
        let Some(of) = all.queue(queue) else { return };
        of.put(at, passed);
        match passed {
            Passed::Started(ms) => of.wait.add(ms),
            Passed::Finished(Some(ms)) => of.run.add(ms),
            Passed::Finished(None) => {}
        }
    }

    pub fn forget(&self, queue: &QueueKey) {
        self.all().queues.remove(queue);
    }

    /// The last hour of a queue. None: nothing began or ended in it.
    pub fn last_hour(&self, queue: &QueueKey, now: Timestamp) -> Option<QueueStats> {
        self.all().queues.get(queue)?.last_hour(now)
    }

    pub fn committed(&self, time: Duration) {
        self.all().commits.add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// What commits took since the start, in microseconds.
    pub fn commits(&self) -> Histogram {
        self.all().commits.clone()
    }

    /// By connection and queue.
    pub fn measured(&self) -> Vec<Measured> {
        let all = self.all();
        let of = |((connection, queue), of): (&QueueKey, &OfQueue)| Measured {
            connection: *connection,
            queue: queue.clone(),
            wait: of.wait.clone(),
            run: of.run.clone(),
        };
        let mut measured: Vec<_> = all.queues.iter().map(of).collect();
        measured.sort_by(|a, b| (a.connection, &a.queue).cmp(&(b.connection, &b.queue)));
        measured
    }
}

impl All {
    fn queue(&mut self, key: QueueKey) -> Option<&mut OfQueue> {
        let room = self.queues.len() < QUEUES || self.queues.contains_key(&key);
        room.then(|| self.queues.entry(key).or_insert_with(OfQueue::new))
    }
}

impl OfQueue {
    fn new() -> Self {
        let minutes = std::array::from_fn(|_| None);
        Self { minutes, wait: Histogram::default(), run: Histogram::default() }
    }

    /// Counts in the minute it is of, unless that is over an hour ago: what a journal tells late.
    fn put(&mut self, at: Timestamp, passed: Passed) {
        let number = at.0.div_euclid(MINUTE_MS);
        let place = &mut self.minutes[number.rem_euclid(MINUTES as i64) as usize];
        if place.as_ref().is_some_and(|minute| minute.number > number) {
            return;
        }
        let minute = place.get_or_insert_with(|| Box::new(Minute::of(number)));
        if minute.number < number {
            **minute = Minute::of(number);
        }
        match passed {
            Passed::Started(ms) => {
                minute.started += 1;
                minute.wait.add(ms);
            }
            Passed::Finished(ms) => {
                minute.finished += 1;
                if let Some(ms) = ms {
                    minute.run.add(ms);
                }
            }
        }
    }

    fn last_hour(&self, now: Timestamp) -> Option<QueueStats> {
        let now = now.0.div_euclid(MINUTE_MS);
        let recent = |minute: &&Minute| now - minute.number < MINUTES as i64;
        let (mut started, mut finished) = (0, 0);
        let (mut wait, mut run) = (Spread::NONE, Spread::NONE);
        for minute in self.minutes.iter().flatten().map(|minute| &**minute).filter(recent) {
            started += minute.started;
            finished += minute.finished;
            wait.join(&minute.wait);
            run.join(&minute.run);
        }
        (started + finished > 0).then(|| QueueStats {
            started_per_minute: f64::from(started) / MINUTES as f64,
            finished_per_minute: f64::from(finished) / MINUTES as f64,
            wait: wait.percentiles(),
            run: run.percentiles(),
        })
    }
}

impl Minute {
    fn of(number: i64) -> Self {
        Self { number, started: 0, finished: 0, wait: Spread::NONE, run: Spread::NONE }
    }
}

impl Spread {
    const NONE: Self = Self { counts: [0; BUCKETS], longest: 0 };

    fn add(&mut self, ms: u64) {
        self.counts[bucket(ms)] += 1;
        self.longest = self.longest.max(ms);
    }

    fn join(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(sum, count)| *sum += count);
        self.longest = self.longest.max(other.longest);
    }

    fn percentiles(&self) -> Percentiles {
        let of = |percent| percentile(&self.counts, self.longest, percent);
        Percentiles { p50: of(50), p95: of(95), p99: of(99) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_hour_later_a_minute_counts_no_more() {
        let (stats, queue) = (Stats::default(), (ConnectionId(Uuid::nil()), Arc::from("a")));
        let at = |minute: i64| Timestamp(minute * MINUTE_MS);
        assert_eq!(stats.last_hour(&queue, at(0)), None);
        for _ in 0..60 {
            stats.add(queue.clone(), at(100), Passed::Started(3));
            stats.add(queue.clone(), at(101), Passed::Finished(Some(900)));
        }
        let found = stats.last_hour(&queue, at(159)).unwrap();
        assert_eq!((found.started_per_minute, found.finished_per_minute), (1.0, 1.0));
        assert_eq!((found.wait.p50, found.run.p50.map(|ms| ms / 400)), (Some(3), Some(2)));
        let found = stats.last_hour(&queue, at(160)).unwrap();
        assert_eq!((found.started_per_minute, found.wait.p50), (0.0, None));
        stats.add(queue.clone(), at(161), Passed::Finished(None));
        stats.add(queue.clone(), at(101), Passed::Finished(None));
        let found = stats.last_hour(&queue, at(161)).unwrap();
        assert_eq!((found.finished_per_minute * 60.0, found.run.p50), (1.0, None));
        assert_eq!(stats.measured()[0].wait.count(), 60, "what is counted since the start stays");
    }

    #[test]
    fn percentiles_do_not_pass_the_longest_run_of_the_hour() {
        let (stats, queue) = (Stats::default(), (ConnectionId(Uuid::nil()), Arc::from("a")));
        for seconds in [60, 70, 80] {
            let ended = Passed::Finished(Some(seconds * 1_000));
            stats.add(queue.clone(), Timestamp(0), ended);
        }
        let found = stats.last_hour(&queue, Timestamp(0)).unwrap().run;
        assert_eq!((found.p95, found.p99), (Some(80_000), Some(80_000)));
    }

    #[test]
    fn no_more_queues_are_measured_than_there_is_room_for() {
        let stats = Stats::default();
        for n in 0..300 {
            let queue = (ConnectionId(Uuid::nil()), Arc::from(n.to_string()));
            stats.add(queue, Timestamp(0), Passed::Started(1));
        }
        assert_eq!(stats.measured().len(), QUEUES);
    }
}
