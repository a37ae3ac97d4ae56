//! What a search found so far, and where the next match is.

use shared::log::LogMatches;

/// Numbers of matching lines that are kept; past it the server is asked for the next one.
pub const ROOM: usize = 50_000;
/// Marks beside the scrollbar.
const MARKS: usize = 2000;

/// What is looked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Query {
    pub q: String,
    pub regex: bool,
    /// Capital and small letters differ.
    pub case: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    pub query: Query,
    /// Lines that match among those looked at.
    pub count: u64,
    /// The first of them, ascending.
    lines: Vec<u64>,
    pub marks: Vec<u64>,
    /// The first line that was not looked at yet.
    pub next: u64,
    /// Lines there were when it was last asked.
    pub total: u64,
    /// A part is being looked at.
    pub busy: bool,
    /// Why it cannot be looked for.
    pub error: Option<String>,
    /// The match that was gone to.
    pub current: Option<u64>,
}

/// Which way to the next match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    Down,
    Up,
}

// === impl Found ===

impl Found {
    pub fn new(query: Query) -> Self {
        // Nothing was asked yet, so nothing is done.
        Self { query, next: 1, total: u64::MAX, ..Self::default() }
    }

    pub fn is_on(&self) -> bool {
        !self.query.q.is_empty()
    }

    /// Room for numbers in the next answer.
    pub fn room(&self) -> usize {
        ROOM - self.lines.len().min(ROOM)
    }

    /// Takes in what was found from [`Self::next`] on.
    pub fn take_in(&mut self, part: &LogMatches) {
        self.count += part.count;
        self.lines.extend(part.lines.iter().take(self.room()));
        self.marks.extend(&part.marks);
        while self.marks.len() > MARKS {
            // Every other one: they stay spread over the whole.
            let mut keep = false;
            self.marks.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.total = part.total;
        self.next = part.next.unwrap_or(part.total + 1);
    }

    /// Whether all of the log was looked at, as far as it is known.
    pub fn is_done(&self) -> bool {
        self.next > self.total
    }

    /// The next match from `at` (not it itself), around the end; `None` if only the server knows.
    pub fn beside(&self, at: u64, way: Way) -> Option<u64> {
        let all = self.is_done() && self.lines.len() as u64 == self.count;
        match way {
            Way::Down => match self.lines.get(self.lines.partition_point(|n| *n <= at)) {
                Some(n) => Some(*n),
                None if all => self.lines.first().copied(),
                None => None,
            },
            Way::Up => match self.lines.partition_point(|n| *n < at).checked_sub(1) {
                // Past the last one that is known there may be others before it.
                Some(before) if all || before + 1 < self.lines.len() => {
                    self.lines.get(before).copied()
                }
                None if all => self.lines.last().copied(),
                _ => None,
            },
        }
    }

    /// `3 of 12`, `12`, `no match`: what stands beside the field.
    pub fn words(&self) -> String {
        if let Some(error) = &self.error {
            return error.clone();
        }
        let count = crate::format::count(self.count);
        let at = self.current.and_then(|n| self.lines.binary_search(&n).ok());
        let more = if self.is_done() { "" } else { "…" };
        match (self.count, at) {
            (0, _) if more.is_empty() => "no match".to_owned(),
            (0, _) => "searching…".to_owned(),
            (_, Some(at)) => format!("{} of {count}{more}", crate::format::count(at as u64 + 1)),
            _ => format!("{count} found{more}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(lines: &[u64], count: u64, next: Option<u64>, total: u64) -> LogMatches {
        let as_of = "0193f2c4-1".parse().unwrap();
        let (lines, marks) = (lines.to_vec(), lines.to_vec());
        LogMatches { lines, count, marks, next, total, closed: false, as_of }
    }

    fn found(parts: &[LogMatches]) -> Found {
        let mut found = Found::new(Query { q: "x".into(), ..Query::default() });
        parts.iter().for_each(|part| found.take_in(part));
        found
    }

    #[test]
    fn parts_add_up_and_the_ways_lead_around_the_ends() {
        let found = found(&[part(&[3, 9], 2, Some(11), 20), part(&[15], 1, None, 20)]);
        assert!(found.is_done());
        assert_eq!(found.count, 3);
        let down = [0, 3, 14, 15, 20].map(|at| found.beside(at, Way::Down));
        assert_eq!(down, [Some(3), Some(9), Some(15), Some(3), Some(3)]);
        let up = [20, 15, 4, 3].map(|at| found.beside(at, Way::Up));
        assert_eq!(up, [Some(15), Some(9), Some(3), Some(15)]);
    }

    #[test]
    fn what_was_not_looked_at_is_for_the_server_to_say() {
        let found = found(&[part(&[3, 9], 2, Some(11), 20)]);
        assert_eq!(found.beside(4, Way::Down), Some(9));
        assert_eq!(found.beside(9, Way::Down), None);
        assert_eq!(found.beside(3, Way::Up), None, "the last one is not known yet");
        assert_eq!(found.words(), "2 found…");
    }

    #[test]
    fn more_matches_than_are_kept_are_counted_all_the_same() {
        let many: Vec<u64> = (1..=10_000).collect();
        let parts: Vec<_> = (0..7)
            .map(|at| {
                let lines: Vec<u64> = many.iter().map(|n| n + at * 10_000).collect();
                part(&lines, 10_000, (at < 6).then_some((at + 1) * 10_000 + 1), 70_000)
            })
            .collect();
        let mut found = found(&parts);
        assert_eq!((found.count, found.lines.len(), found.room()), (70_000, ROOM, 0));
        assert!(found.marks.len() <= MARKS && found.marks.last() > Some(&60_000));
        assert_eq!(Found::new(Query::default()).words(), "searching…");
        found.current = Some(12);
        assert_eq!(found.words(), "12 of 70,000");
        assert_eq!(found.beside(60_000, Way::Down), None);
        assert_eq!(found.beside(40_000, Way::Up), Some(39_999));
        assert_eq!(found.beside(60_000, Way::Up), None);
    }
}
