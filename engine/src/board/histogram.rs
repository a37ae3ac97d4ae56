//! How often something took how long, in fixed memory: buckets that grow with the value.

/// Two to each doubling; what is in the last is longer than its beginning, which is 24 days in
/// milliseconds.
pub const BUCKETS: usize = 64;

/// Counts by bucket, and the sum of all values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BUCKETS],
    sum: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], sum: 0 }
    }
}

impl Histogram {
    pub fn add(&mut self, value: u64) {
        self.counts[bucket(value)] += 1;
        self.sum = self.sum.saturating_add(value);
    }

    /// Values that were added.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// In the unit of the values.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// How many values are below 1, 4, 16, 64, … up to 4^14.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        (0..15).map(|power| {
            let below = self.counts[..=power * 4].iter().sum();
            (1 << (2 * power), below)
        })
    }
}

/// The bucket of a value: 0 has its own, then bucket b is from 2^((b-1)/2) to 2^(b/2).
pub(super) fn bucket(value: u64) -> usize {
    let Some(doublings) = value.checked_ilog2() else { return 0 };
    let square = u128::from(value) * u128::from(value);
    let is_upper_half = square >> (2 * doublings + 1) > 0;
    (1 + 2 * doublings as usize + usize::from(is_upper_half)).min(BUCKETS - 1)
}

/// The value that `percent` of those counted do not exceed, at most a bucket's width (41 %) from the
/// true one and never more than `longest`, the largest of them. None: nothing was counted.
pub(super) fn percentile(counts: &[u32; BUCKETS], longest: u64, percent: u64) -> Option<u64> {
    let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    let rank = (total * percent).div_ceil(100).max(1);
    let mut before = 0;
    for (bucket, &count) in counts.iter().enumerate() {
        let count = u64::from(count);
        if count > 0 && before + count >= rank {
            let ends = |half: i32| if half < 0 { 0.0 } else { 2_f64.powf(f64::from(half) / 2.0) };
            // There are few buckets.
            let (from, to) = (ends(bucket as i32 - 1), ends(bucket as i32));
            let part = (rank - before) as f64 / count as f64;
            let value = if bucket == 0 { 0.0 } else { from + (to - from) * part };
            return Some((value.round() as u64).min(longest));
        }
        before += count;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_in_the_bucket_that_is_wide_enough_for_it() {
        for value in [0_u64, 1, 2, 3, 5, 6, 11, 12, 90, 91, 1_000_000, 3_000_000_000] {
            let at = bucket(value) as f64;
            assert!(at == 63.0 || (value as f64) < 2_f64.powf(at / 2.0), "{value}");
            assert!(at == 0.0 || value as f64 >= 2_f64.powf((at - 1.0) / 2.0), "{value}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn a_percentile_is_less_than_a_bucket_away_from_the_true_one() {
        let mut counts = [0; BUCKETS];
        assert_eq!(percentile(&counts, 0, 50), None);
        for value in 1..=1_000 {
            counts[bucket(value)] += 1;
        }
        for (percent, exact) in [(50, 500.0), (95, 950.0), (99, 990.0)] {
            let found = percentile(&counts, 1_000, percent).unwrap() as f64;
            assert!((exact / 1.42..exact * 1.42).contains(&found), "{percent}: {found}");
        }
        assert_eq!(percentile(&std::array::from_fn(|at| u32::from(at == 0)), 0, 99), Some(0));
    }

    #[test]
    fn a_percentile_is_never_past_the_largest_value() {
        let mut counts = [0; BUCKETS];
        counts[bucket(80_000)] = 20;
        assert_eq!(percentile(&counts, 80_000, 99), Some(80_000));
    }

    #[test]
    fn what_is_cumulative_counts_the_values_below_each_end() {
        let mut histogram = Histogram::default();
        [0, 3, 4, 100].into_iter().for_each(|value| histogram.add(value));
        let below: Vec<_> = histogram.cumulative().take(5).collect();
        assert_eq!(below, [(1, 1), (4, 2), (16, 3), (64, 3), (256, 4)]);
        assert_eq!((histogram.count(), histogram.sum()), (4, 107));
    }
}
