//! The lines near the eye.

use shared::log::Line;
use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

/// Lines that are kept; past it, those far from what was asked for last go.
const ROOM: usize = 3000;
/// Lines around the last question that are kept then.
const NEAR: u64 = 1000;

/// Lines by number.
#[derive(Default)]
pub struct Cache(BTreeMap<u64, Arc<Line>>);

// === impl Cache ===

impl Cache {
    pub fn get(&self, n: u64) -> Option<Arc<Line>> {
        self.0.get(&n).cloned()
    }

    /// Takes lines in. A complete line never changes, so one that is known stays.
    pub fn put(&mut self, lines: Vec<Line>, wanted: &RangeInclusive<u64>) {
        for line in lines {
            self.0.entry(line.n).or_insert_with(|| Arc::new(line));
        }
        if self.0.len() > ROOM {
            let near = wanted.start().saturating_sub(NEAR)..=wanted.end().saturating_add(NEAR);
            self.0.retain(|n, _| near.contains(n));
        }
    }

    /// Takes in a line that is known only in part.
    pub fn replace(&mut self, line: Line) {
        self.0.insert(line.n, Arc::new(line));
    }

    /// The first stretch of `wanted` that is not here.
    pub fn gap(&self, wanted: &RangeInclusive<u64>) -> Option<RangeInclusive<u64>> {
        let start = wanted.clone().find(|n| !self.0.contains_key(n))?;
        let end = self.0.range(start..=*wanted.end()).next().map_or(*wanted.end(), |(n, _)| n - 1);
        Some(start..=end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::log::Stream;

    fn lines(range: RangeInclusive<u64>) -> Vec<Line> {
        let line = |n| Line {
            n,
            at: None,
            stream: Stream::Stdout,
            step: 0,
            attempt: 1,
            runs: Vec::new(),
            cut: false,
            more: false,
            left_out: None,
            left_out_by: None,
        };
        range.map(line).collect()
    }

    #[test]
    fn only_what_is_missing_is_asked_for() {
        let mut cache = Cache::default();
        assert_eq!(cache.gap(&(5..=9)), Some(5..=9));
        cache.put(lines(1..=6), &(1..=6));
        assert_eq!(cache.gap(&(5..=9)), Some(7..=9));
        cache.put(lines(8..=8), &(5..=9));
        assert_eq!(cache.gap(&(5..=9)), Some(7..=7));
        cache.put(lines(7..=9), &(5..=9));
        assert_eq!(cache.gap(&(5..=9)), None);
    }

    #[test]
    fn it_stays_small_and_keeps_what_is_looked_at() {
        let mut cache = Cache::default();
        for start in (1..1_000_000).step_by(50_000) {
            let wanted = start..=start + 999;
            cache.put(lines(wanted.clone()), &wanted);
            assert_eq!(cache.gap(&wanted), None);
            assert!(cache.0.len() <= ROOM);
        }
    }
}
