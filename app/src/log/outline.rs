//! Which row is what: the lines of the log, a header before the first line of each step, and the
//! lines that are not complete yet at the foot.

use shared::{
    Step,
    log::{Line, OpenLine},
};
use std::{collections::BTreeSet, sync::Arc};

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

/// The rows of a log. Cheap to make: it knows the steps and two numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outline {
    /// In the order of their lines, which they share out among them.
    sections: Vec<Section>,
    lines: u64,
    /// Rows of all sections.
    rows: u64,
    open: usize,
}

/// The lines of a step under its header; those before any step have none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Section {
    /// Lines before it.
    before: u64,
    lines: u64,
    /// Its first row.
    row: u64,
    step: Option<usize>,
    folded: bool,
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

// === impl Section ===

impl Section {
    fn header(self) -> u64 {
        self.step.is_some().into()
    }

    fn rows(self) -> u64 {
        self.header() + if self.folded { 0 } else { self.lines }
    }
}

// === impl Outline ===

impl Outline {
    /// `folded`: indices of steps whose lines are not shown.
    pub fn new(steps: &[Step], lines: u64, open: usize, folded: &BTreeSet<usize>) -> Self {
        let before = |(index, step): (usize, &Step)| Some((step.log_line?.min(lines), index));
        let headers = steps.iter().enumerate().filter_map(before).collect();
        Self::of(headers, lines, open, folded)
    }

    /// `headers`: how many lines stand before each, and whose it is.
    fn of(
        mut headers: Vec<(u64, usize)>,
        lines: u64,
        open: usize,
        folded: &BTreeSet<usize>,
    ) -> Self {
        headers.sort_unstable();
        let first = headers.first().map_or(lines, |(before, _)| *before);
        let mut sections = Vec::with_capacity(headers.len() + 1);
        let mut rows = 0;
        let mut add = |before, lines, step: Option<usize>| {
            let folded = step.is_some_and(|step| folded.contains(&step));
            let section = Section { before, lines, row: rows, step, folded };
            rows += section.rows();
            sections.push(section);
        };
        if first > 0 {
            add(0, first, None);
        }
        for (at, &(before, step)) in headers.iter().enumerate() {
            let next = headers.get(at + 1).map_or(lines, |(next, _)| *next);
            add(before, next - before, Some(step));
        }
        Self { sections, lines, rows, open }
    }

    pub fn rows(&self) -> u64 {
        self.rows + self.open as u64
    }

    /// Lines of the log, shown or not.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The step whose header or line stands in a row.
    pub fn step_at(&self, row: u64) -> Option<usize> {
        let at = self.sections.partition_point(|section| section.row <= row);
        self.sections.get(at.checked_sub(1)?)?.step
    }

    /// What stands in a row (0-based, less than [`Self::rows`]).
    pub fn at(&self, row: u64) -> Place {
        if let Some(open) = row.checked_sub(self.rows) {
            return Place::Open(open as usize);
        }
        let at = self.sections.partition_point(|section| section.row <= row);
        let Some(section) = at.checked_sub(1).and_then(|at| self.sections.get(at)) else {
            return Place::Open(0);
        };
        match ((row - section.row).checked_sub(section.header()), section.step) {
            (None, Some(step)) => Place::Step(step),
            (line, _) => Place::Line(section.before + line.unwrap_or_default() + 1),
        }
    }

    /// The row of a line (1-based), or of the header it is folded under.
    pub fn row_of(&self, line: u64) -> u64 {
        let line = line.clamp(1, self.lines.max(1));
        match self.section_of(line) {
            Some(section) if section.folded => section.row,
            Some(section) => section.row + section.header() + (line - section.before - 1),
            None => 0,
        }
    }

    /// The step that a line is folded under.
    pub fn fold_of(&self, line: u64) -> Option<usize> {
        self.section_of(line).filter(|section| section.folded)?.step
    }

    fn section_of(&self, line: u64) -> Option<Section> {
        let at = self.sections.partition_point(|section| section.before < line);
        self.sections.get(at.checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(headers: &[u64], lines: u64, open: usize) -> Outline {
        folded(headers, lines, open, &[])
    }

    fn folded(headers: &[u64], lines: u64, open: usize, folded: &[usize]) -> Outline {
        let headers = headers.iter().enumerate().map(|(index, &before)| (before, index)).collect();
        Outline::of(headers, lines, open, &folded.iter().copied().collect())
    }

    fn places(outline: &Outline) -> Vec<Place> {
        (0..outline.rows()).map(|row| outline.at(row)).collect()
    }

    #[test]
    fn every_row_of_a_step_is_known_as_its_own_and_lines_before_any_are_of_none() {
        let outline = Outline::of(vec![(2, 0), (5, 1)], 9, 0, &BTreeSet::from([0]));
        let steps: Vec<_> = (0..outline.rows()).map(|row| outline.step_at(row)).collect();
        assert_eq!(steps, [None, None, Some(0), Some(1), Some(1), Some(1), Some(1), Some(1)]);
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

    #[test]
    fn a_folded_step_is_its_header_alone_and_its_lines_are_found_there() {
        use Place::{Line, Open, Step};
        let outline = folded(&[0, 2, 4], 6, 1, &[1]);
        assert_eq!(
            places(&outline),
            [Step(0), Line(1), Line(2), Step(1), Step(2), Line(5), Line(6), Open(0)]
        );
        assert_eq!((outline.row_of(3), outline.row_of(4), outline.row_of(5)), (3, 3, 5));
        assert_eq!((outline.fold_of(3), outline.fold_of(5)), (Some(1), None));
    }
}
