//! Lines of a log in which something is seen.
//!
//! What is searched is what a reader sees of a line (see [`seen`](super::ansi::seen)): no escapes, the
//! last rewriting only. Unfinished lines are not searched. One search looks at a bounded part of the
//! log and says where the next one goes on, so that a reader adds up exact counts, sees how far it is,
//! and stops by not asking again.
//!
//! - [`pattern`]: what is looked for
//! - [`block`]: the log in blocks of whole lines

mod block;
mod pattern;

pub use pattern::{LONGEST, Pattern, PatternError};

use super::{LogError, ansi::seen::seen, index::Index, reader::Log};
use block::{Block, Blocks, Range, Text, line_ends};
use std::{
    io,
    time::{Duration, Instant},
};

/// Bytes of the log that one search looks at.
pub const MAX_BYTES: u64 = 64 << 20;
/// What looking through a block takes with any but a very slow expression; where it takes longer,
/// blocks stay small, so that the search can be stopped.
const SHORT: Duration = Duration::from_millis(5);
/// Marks a search gives.
const MARKS: u64 = 64;

/// Which lines are looked at, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From this line on.
    From(u64),
    /// Those before this line, the nearest first.
    Before(u64),
}

/// A search as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    pub way: Way,
    /// How many numbers of lines are told.
    pub limit: usize,
    /// Ends with the last line that is told; else the lines beyond the limit are counted.
    pub first: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Found {
    /// Lines that match, as they were found, at most `limit`.
    pub lines: Vec<u64>,
    /// All of them in the part that was looked at.
    pub count: u64,
    /// Some of them, spread over that part, in ascending order.
    pub marks: Vec<u64>,
    /// Where to go on, in the same way; none when nothing is left.
    pub next: Option<u64>,
    /// Lines in the log now.
    pub total: u64,
}

impl Log {
    /// Searches lines for a pattern. After each block `goes_on` is asked whether to; if not, `next`
    /// says how far it came.
    pub fn search(
        &self,
        pattern: &Pattern,
        search: Search,
        mut goes_on: impl FnMut() -> bool,
    ) -> Result<Found, LogError> {
        let total = self.index.lines()?;
        let range = range(&self.index, search.way, total)?;
        let mut found = Found { total, ..Found::default() };
        let mut marks = Marks { range, taken: 0 };
        let mut blocks = Blocks::of(self, range);
        let mut matching = Vec::new();
        let mut buffer = Vec::new();
        // The line after which, or before which, nothing was looked at.
        let mut stopped = None;
        while !blocks.rest.is_empty() && stopped.is_none() {
            let begin = Instant::now();
            matching.clear();
            match search.way {
                Way::From(_) => {
                    find_all(&blocks.take_first()?, pattern, &mut buffer, &mut matching);
                }
                Way::Before(_) => {
                    find_all(&blocks.take_last()?, pattern, &mut buffer, &mut matching);
                    matching.reverse();
                }
            }
            for &n in &matching {
                found.count += 1;
                if found.lines.len() < search.limit {
                    found.lines.push(n);
                }
                if marks.takes(n) {
                    found.marks.push(n);
                }
                if search.first && found.lines.len() == search.limit {
                    stopped = Some(n);
                    break;
                }
            }
            if !goes_on() {
                break;
            }
            if begin.elapsed() < SHORT {
                blocks.grow();
            }
        }
        found.marks.sort_unstable();
        let rest = blocks.rest;
        found.next = match search.way {
            Way::From(_) => Some(stopped.map_or(rest.first, |n| n + 1)).filter(|&n| n <= total),
            Way::Before(_) => Some(stopped.unwrap_or(rest.last + 1)).filter(|&n| n > 1),
        };
        Ok(found)
    }
}

/// The lines that one search looks at.
fn range(index: &Index, way: Way, total: u64) -> io::Result<Range> {
    let (first, last) = match way {
        Way::From(from) => {
            let first = from.max(1);
            if first > total {
                return Ok(Range { first, last: first - 1, start: 0, end: 0 });
            }
            let limit = index.end(first - 1)? + MAX_BYTES;
            let is_beyond = |n| Ok(index.end(n)? > limit);
            (first, first_where(first + 1, total + 1, is_beyond)? - 1)
        }
        Way::Before(before) => {
            let last = before.saturating_sub(1).min(total);
            if last == 0 {
                return Ok(Range { first: 1, last, start: 0, end: 0 });
            }
            let limit = index.end(last)?.saturating_sub(MAX_BYTES);
            let is_within = |n| Ok(index.end(n)? >= limit);
            (first_where(0, last - 1, is_within)? + 1, last)
        }
    };
    Ok(Range { first, last, start: index.end(first - 1)?, end: index.end(last)? })
}

/// The first number from `low` on of which `holds` is true, as it is of all above; `high` if there is
/// none below it.
fn first_where(
    mut low: u64,
    mut high: u64,
    holds: impl Fn(u64) -> io::Result<bool>,
) -> io::Result<u64> {
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// The lines of a block that match, in ascending order. `buffer` is for lines that are put together.
fn find_all(block: &Block, pattern: &Pattern, buffer: &mut Vec<u8>, matching: &mut Vec<u64>) {
    let bytes = match &block.text {
        Text::Lines(bytes) => *bytes,
        Text::Pieces(pieces) => {
            for piece in pieces {
                if piece.text.is_some_and(|text| pattern.is_in(seen(text, buffer))) {
                    matching.push(piece.n);
                }
            }
            return;
        }
    };
    let text = seen(bytes, buffer);
    let mut numbers = Numbers { text, counted: 0, n: block.first };
    let mut from = 0;
    while let Some(place) = pattern.find(&text[from..]) {
        let at = from + place;
        matching.push(numbers.of(at));
        from = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end + 1);
    }
}

/// Tells numbers of lines, going forwards.
struct Numbers<'a> {
    text: &'a [u8],
    counted: usize,
    /// Of the line that `counted` is in.
    n: u64,
}

impl Numbers<'_> {
    /// Number of the line that this byte is of.
    fn of(&mut self, at: usize) -> u64 {
        self.n += line_ends(&self.text[self.counted..at]);
        self.counted = at;
        self.n
    }
}

/// Spreads the marks: one for each part of the range.
struct Marks {
    range: Range,
    /// One bit for each part.
    taken: u64,
}

impl Marks {
    /// Whether this is the first line of its part that was found.
    fn takes(&mut self, n: u64) -> bool {
        let lines = self.range.last - self.range.first + 1;
        let part = 1 << ((n - self.range.first) * MARKS / lines);
        let is_new = self.taken & part == 0;
        self.taken |= part;
        is_new
    }
}
