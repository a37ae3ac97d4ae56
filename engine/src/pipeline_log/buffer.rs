//! One circular buffer: which lines are in it, not their text.
//!
//! A part is a line of Tailboard's own, or a stretch of one run's log. To take note of a million new
//! lines costs as much as of one, so a flood slows nobody; what is read is read from the logs.

use crate::logs::Size;
use shared::JobId;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// What is in a buffer at most, whichever is reached first. Bytes are those that runs printed.
pub const MOST: Size = Size { bytes: 1_000_000, lines: 50_000 };

/// One buffer. It ends once and is not written to after that.
pub struct Buffer {
    parts: Mutex<Parts>,
    head: watch::Sender<Head>,
    most: Size,
}

/// How far a buffer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// Lines that ever came.
    pub lines: u64,
    /// There will be no more.
    pub ended: bool,
}

#[derive(Default)]
struct Parts {
    kept: VecDeque<Part>,
    /// Of all that is kept.
    bytes: u64,
    /// Lines that ever came.
    lines: u64,
}

/// Lines that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Place of its first line among all that ever came, from 0 on.
    pub first: u64,
    pub lines: u64,
    pub bytes: u64,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A line of Tailboard's own, without its end.
    Said(Arc<str>),
    /// Lines of a run's log: those that follow line number `after`.
    Printed { job: JobId, after: u64 },
}

/// Where a reader goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub part: Part,
    /// Lines and bytes that do not fit any more, to be left out at the beginning of this part. Whole
    /// lines: the index of the run's log says where they end.
    pub over: Size,
}

impl Buffer {
    /// A buffer that begins with this line, and has no more than so much.
    pub fn new(first: String, most: Size) -> Self {
        let this = Self { parts: Mutex::default(), head: watch::Sender::default(), most };
        this.say(first, usize::MAX);
        this
    }

    /// Adds a line of Tailboard's own. `most` parts are kept.
    pub fn say(&self, text: String, most: usize) {
        let bytes = text.len() as u64 + 1;
        self.add(1, bytes, What::Said(text.into()), most);
    }

    /// A run's log grew from one size to the other. `most` parts are kept.
    pub fn grew(&self, job: JobId, from: Size, to: Size, most: usize) {
        let lines = to.lines.saturating_sub(from.lines);
        if lines > 0 {
            let bytes = to.bytes.saturating_sub(from.bytes);
            self.add(lines, bytes, What::Printed { job, after: from.lines }, most);
        }
    }

    /// There will be no more.
    pub fn end(&self) {
        self.head.send_modify(|head| head.ended = true);
    }

    pub fn has_ended(&self) -> bool {
        self.head.borrow().ended
    }

    /// Wakes when it grows or ends.
    pub fn watch(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// The part that has the line of this place, or the first one that is kept if it is gone. None:
    /// the line has not come yet.
    pub fn find(&self, place: u64) -> Option<Found> {
        let parts = self.parts();
        if place >= parts.lines {
            return None;
        }
        let at = parts.kept.partition_point(|part| part.first + part.lines <= place);
        let part = parts.kept.get(at)?.clone();
        let kept = parts.kept.front().map_or(0, |front| parts.lines - front.first);
        let over = match at {
            0 => Size {
                lines: kept.saturating_sub(self.most.lines),
                bytes: parts.bytes.saturating_sub(self.most.bytes),
            },
            _ => Size::default(),
        };
        Some(Found { part, over })
    }

    fn add(&self, lines: u64, bytes: u64, what: What, most: usize) {
        let mut parts = self.parts();
        parts.add(lines, bytes, what);
        parts.drop_old(self.most, most);
        let lines = parts.lines;
        drop(parts);
        self.head.send_modify(|head| head.lines = head.lines.max(lines));
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parts {
    fn add(&mut self, lines: u64, bytes: u64, what: What) {
        let first = self.lines;
        self.lines += lines;
        self.bytes += bytes;
        if let (Some(last), What::Printed { job, after }) = (self.kept.back_mut(), &what)
            && matches!(last.what, What::Printed { job: of, after: from }
                if of == *job && from + last.lines == *after)
        {
            last.lines += lines;
            last.bytes += bytes;
            return;
        }
        self.kept.push_back(Part { first, lines, bytes, what });
    }

    /// What does not fit any more is dropped in whole parts, never the last one. The first one that is left may
    /// be too long: a reader finds out from which line on it counts.
    fn drop_old(&mut self, most: Size, most_parts: usize) {
        while self.kept.len() > 1
            && let Some(front) = self.kept.front()
        {
            let kept = self.lines - front.first;
            let is_over = match front.what {
                What::Said(_) => kept > most.lines || self.bytes > most.bytes,
                // Without it the buffer is full.
                What::Printed { .. } => {
                    kept - front.lines >= most.lines || self.bytes - front.bytes >= most.bytes
                }
            };
            if !is_over && self.kept.len() <= most_parts {
                return;
            }
            self.bytes -= front.bytes;
            self.kept.pop_front();
        }
    }
}
