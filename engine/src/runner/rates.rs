//! How many jobs completed or failed in the last minute.

use std::time::Instant;

/// Counts by second of one minute; constant memory at any rate.
pub struct Rates {
    begun: Instant,
    seconds: [(u64, u32, u32); 60],
}

impl Rates {
    pub fn new(now: Instant) -> Self {
        Self { begun: now, seconds: [(0, 0, 0); 60] }
    }

    /// One job completed or failed.
    pub fn ended(&mut self, now: Instant, failed: bool) {
        let second = self.second(now);
        let place = &mut self.seconds[usize::try_from(second % 60).unwrap_or(0)];
        if place.0 != second {
            *place = (second, 0, 0);
        }
        place.1 += 1;
        place.2 += u32::from(failed);
    }

    /// (both together, failed) in the last 60 seconds.
    pub fn per_minute(&self, now: Instant) -> (u32, u32) {
        let now = self.second(now);
        let recent = self.seconds.iter().filter(|(second, ..)| now - second < 60);
        recent.fold((0, 0), |(all, bad), (_, ended, failed)| (all + ended, bad + failed))
    }

    fn second(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.begun).as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_ended_over_a_minute_ago_does_not_count() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut rates = Rates::new(start);
        rates.ended(at(1), false);
        rates.ended(at(1), true);
        rates.ended(at(40), false);
        assert_eq!(rates.per_minute(at(40)), (3, 1));
        assert_eq!(rates.per_minute(at(60)), (3, 1));
        assert_eq!(rates.per_minute(at(61)), (1, 0));
        rates.ended(at(61), true);
        assert_eq!(rates.per_minute(at(61)), (2, 1));
    }
}
