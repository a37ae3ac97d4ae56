//! Which row is what: the lines of the log, a header before the first line of each step, and the
//! lines that are not complete yet at the foot.

use shared::{
    Step,
    log::{Line, OpenLine},
};
use std::sync::Arc;

/// What stands in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Header of the step with this index.
    Step(usize),
    /// Line number, 1-based.
    Line(u64),
    /// Index of the unfinished line.
    Open(usize),
}

/// The rows of a log. Cheap to make: it knows the headers and two numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outline {
    /// How many lines stand before each header, and whose it is; ascending.
    headers: Vec<(u64, usize)>,
    lines: u64,
    open: usize,
}

/// A row as it is drawn.
#[derive(Clone)]
pub enum Shown {
    Step(usize),
    Line(Arc<Line>),
    /// A line that is on its way.
    Awaited(u64),
    /// An unfinished line; the number tells one state of it from the next.
    Open(usize, u64, OpenLine),
}

// === impl Shown ===

impl Shown {
    /// Two rows with the same key look the same.
    pub fn key(&self) -> (u8, u64, u64) {
        match self {
            Self::Step(index) => (0, *index as u64, 0),
            Self::Line(line) => (1, line.n, 0),
            Self::Awaited(n) => (2, *n, 0),
            Self::Open(index, version, _) => (3, *index as u64, *version),
        }
    }
}

// === impl Outline ===

impl Outline {
    pub fn new(steps: &[Step], lines: u64, open: usize) -> Self {
        let before = |(index, step): (usize, &Step)| Some((step.log_line?.min(lines), index));
        let mut headers: Vec<_> = steps.iter().enumerate().filter_map(before).collect();
        headers.sort_unstable();
        Self { headers, lines, open }
    }

    pub fn rows(&self) -> u64 {
        self.lines + self.headers.len() as u64 + self.open as u64
    }

    /// What stands in a row (0-based, less than [`Self::rows`]).
    pub fn at(&self, row: u64) -> Place {
        // A header stands under the lines and the headers before it.
        let headers = self.headers_until(|at, before| before + at <= row);
        if let Some(&(before, index)) = headers.checked_sub(1).and_then(|at| self.headers.get(at))
            && before + (headers as u64 - 1) == row
        {
            return Place::Step(index);
        }
        let line = row - headers as u64 + 1;
        match line.checked_sub(self.lines + 1) {
            None => Place::Line(line),
            Some(open) => Place::Open(open as usize),
        }
    }

    /// The row of a line (1-based).
    pub fn row_of(&self, line: u64) -> u64 {
        let line = line.clamp(1, self.lines.max(1));
        line - 1 + self.headers_until(|_, before| before < line) as u64
    }

    /// How many headers come first for which it holds.
    fn headers_until(&self, holds: impl Fn(u64, u64) -> bool) -> usize {
        let past = |(at, (before, _)): (usize, &(u64, usize))| !holds(at as u64, *before);
        self.headers.iter().enumerate().position(past).unwrap_or(self.headers.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(headers: &[u64], lines: u64, open: usize) -> Outline {
        let headers = headers.iter().enumerate().map(|(index, &before)| (before, index)).collect();
        Outline { headers, lines, open }
    }

    fn places(outline: &Outline) -> Vec<Place> {
        (0..outline.rows()).map(|row| outline.at(row)).collect()
    }

    #[test]
    fn a_header_stands_before_its_first_line() {
        use Place::{Line, Open, Step};
        let rows = places(&outline(&[0, 2], 3, 1));
        assert_eq!(rows, [Step(0), Line(1), Line(2), Step(1), Line(3), Open(0)]);
    }

    #[test]
    fn a_step_that_wrote_nothing_has_a_header_all_the_same() {
        use Place::{Line, Open, Step};
        let rows = places(&outline(&[0, 1, 1], 1, 2));
        assert_eq!(rows, [Step(0), Line(1), Step(1), Step(2), Open(0), Open(1)]);
    }

    #[test]
    fn lines_before_any_step_are_counted_too() {
        use Place::{Line, Step};
        assert_eq!(places(&outline(&[1], 2, 0)), [Line(1), Step(0), Line(2)]);
        assert_eq!(places(&outline(&[], 0, 0)), []);
    }

    #[test]
    fn every_line_is_found_in_its_row() {
        let outline = outline(&[0, 0, 3, 5, 5, 9], 9, 2);
        for line in 1..=9 {
            assert_eq!(outline.at(outline.row_of(line)), Place::Line(line));
        }
    }
}
