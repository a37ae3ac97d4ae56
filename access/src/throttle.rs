//! How often something may be done: a bucket of permits per key, which fills up again evenly.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Keys remembered at most. Beyond, full buckets are forgotten first, then those that are half full; then new keys wait.
const MOST: usize = 100_000;

/// `permits` per key within `window`.
pub struct Throttle<K> {
    permits: f64,
    window: Duration,
    buckets: Mutex<HashMap<K, Bucket>>,
}

struct Bucket {
    left: f64,
    at: Instant,
}

impl<K: Hash + Eq> Throttle<K> {
    pub fn new(permits: u32, window: Duration) -> Self {
        Self { permits: f64::from(permits), window, buckets: Mutex::default() }
    }

    /// Takes a permit, or says in how many seconds there is one.
    pub fn take<Q>(&self, key: &Q) -> Result<(), u64>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let now = Instant::now();
        let mut buckets = self.lock();
        if buckets.len() >= MOST {
            buckets.retain(|_, bucket| self.left(bucket, now) < self.permits);
            if buckets.len() >= MOST {
                // Those that have the most left lose the least.
                buckets.retain(|_, bucket| self.left(bucket, now) < self.permits / 2.0);
            }
            if buckets.len() >= MOST {
                return Err(1);
            }
        }
        let left = buckets.get(key).map_or(self.permits, |bucket| self.left(bucket, now));
        if left < 1.0 {
            let wait = (1.0 - left) / self.permits * self.window.as_secs_f64();
            return Err(wait.ceil() as u64);
        }
        let taken = Bucket { left: left - 1.0, at: now };
        match buckets.get_mut(key) {
            Some(bucket) => *bucket = taken,
            None => {
                buckets.insert(key.to_owned(), taken);
            }
        }
        Ok(())
    }

    /// Gives a permit back: what it was taken for does not count.
    pub fn give_back<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if let Some(bucket) = self.lock().get_mut(key) {
            bucket.left = (bucket.left + 1.0).min(self.permits);
        }
    }

    fn left(&self, bucket: &Bucket, now: Instant) -> f64 {
        let filled = now.duration_since(bucket.at).as_secs_f64() / self.window.as_secs_f64();
        (bucket.left + filled * self.permits).min(self.permits)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_its_permits_a_key_waits_and_others_do_not() {
        let throttle = Throttle::<String>::new(3, Duration::from_secs(300));
        for _ in 0..3 {
            throttle.take("a").unwrap();
        }
        assert_eq!(throttle.take("a").unwrap_err(), 100);
        throttle.take("b").unwrap();
        throttle.give_back("a");
        throttle.take("a").unwrap();
    }
}
