//! The pipes of steps, from them to the log; and the unfinished lines for `live`.

use super::{
    mask::{Held, Secrets},
    progress::Scan,
    redact::{Begun, Patterns},
};
use crate::logs::{
    index::Origin,
    live::{self, Open},
    writer::{Unfinished, Writer},
};
use rustix::{fd::OwnedFd, fs::OFlags, io::Errno};
use shared::Timestamp;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// Bytes read at a time: what a pipe holds.
const CHUNK: usize = 64 << 10;
/// A line is shown as unfinished when it has been so for this long.
const SHOWN_AFTER: Duration = Duration::from_millis(50);
/// `live` is written at most so often.
const SHOWN_EVERY: Duration = Duration::from_millis(100);

pub struct Output {
    dir: PathBuf,
    pub log: Writer,
    pipes: Vec<Pipe>,
    chunk: Vec<u8>,
    pub bytes_read: u64,
    secrets: Option<Secrets>,
    patterns: Option<Patterns>,
    /// A chunk without its secrets, and without what looks like one.
    masked: Vec<u8>,
    shown: Vec<u8>,
    /// What the step says of itself, 0 to 100.
    progress: Option<f32>,
    last_shown: Instant,
    /// `live` has a line of a pipe that is gone, or another progress.
    is_outdated: bool,
}

struct Pipe {
    fd: OwnedFd,
    line: Unfinished,
    held: Held,
    begun: Begun,
    scan: Scan,
    /// When the unfinished line began; none: there is none.
    since: Option<Instant>,
    /// `live` says something else, or nothing.
    has_changed: bool,
    is_shown: bool,
}

impl Pipe {
    /// Its unfinished line is as long as it gets.
    fn finish(&mut self, patterns: &mut Option<Patterns>, log: &mut Writer, at: Timestamp) {
        let mut rest = self.held.finish();
        if let Some(patterns) = patterns {
            let mut shown = Vec::new();
            self.begun.feed(patterns, &rest, &mut shown);
            shown.extend(self.begun.finish());
            rest = shown;
        }
        if !rest.is_empty() {
            log.append(&mut self.line, &rest, at);
        }
        log.finish(&mut self.line, at);
    }
}

impl Output {
    pub fn new(
        dir: PathBuf,
        log: Writer,
        secrets: Option<Secrets>,
        patterns: Option<Patterns>,
    ) -> Self {
        let (pipes, chunk) = (Vec::new(), vec![0; CHUNK]);
        Self {
            dir,
            log,
            pipes,
            chunk,
            bytes_read: 0,
            secrets,
            patterns,
            masked: Vec::new(),
            shown: Vec::new(),
            progress: None,
            last_shown: Instant::now(),
            is_outdated: false,
        }
    }

    pub fn add(&mut self, pipes: [(Origin, OwnedFd); 2]) {
        self.pipes.extend(pipes.map(|(origin, fd)| {
            // The read end only: the step's own end keeps blocking.
            let _ = rustix::fs::fcntl_setfl(&fd, OFlags::NONBLOCK);
            let line = Unfinished::new(origin);
            let (held, begun, scan) = (Held::default(), Begun::default(), Scan::default());
            Pipe { fd, line, held, begun, scan, since: None, has_changed: false, is_shown: false }
        }));
    }

    pub fn pipes(&self) -> impl ExactSizeIterator<Item = &OwnedFd> {
        self.pipes.iter().map(|pipe| &pipe.fd)
    }

    /// Whether anybody still holds an output of this step.
    pub fn is_open(&self, step: u32) -> bool {
        self.pipes.iter().any(|pipe| pipe.line.origin.step == step)
    }

    /// Reads a chunk from each pipe that is `ready`; the others may have nothing. One that has ended
    /// goes.
    pub fn read(&mut self, ready: &[bool]) {
        if !ready.contains(&true) {
            return;
        }
        let at = Timestamp::now();
        let mut ready = ready.iter();
        self.pipes.retain_mut(|pipe| {
            if ready.next() != Some(&true) {
                return true;
            }
            match rustix::io::read(&pipe.fd, &mut self.chunk[..]) {
                Ok(n @ 1..) => {
                    self.bytes_read += n as u64;
                    let mut chunk = &self.chunk[..n];
                    if let Some(progress) = pipe.scan.feed(chunk) {
                        self.is_outdated |= progress != self.progress;
                        self.progress = progress;
                    }
                    if let Some(secrets) = &self.secrets {
                        pipe.held.feed(secrets, chunk, &mut self.masked);
                        chunk = &self.masked;
                    }
                    if let Some(patterns) = &mut self.patterns {
                        pipe.begun.feed(patterns, chunk, &mut self.shown);
                        chunk = &self.shown;
                    }
                    let before = self.log.mark().lines;
                    self.log.append(&mut pipe.line, chunk, at);
                    pipe.has_changed = true;
                    let is_new = self.log.mark().lines != before;
                    if pipe.line.text().is_empty() {
                        pipe.since = None;
                    } else if pipe.since.is_none() || is_new {
                        pipe.since = Some(Instant::now());
                    }
                    true
                }
                Err(Errno::AGAIN | Errno::INTR) => true,
                // Its end; a pipe that cannot be read has nothing more to say either.
                Ok(_) | Err(_) => {
                    pipe.finish(&mut self.patterns, &mut self.log, at);
                    self.is_outdated |= pipe.is_shown;
                    false
                }
            }
        });
    }

    /// Ends the unfinished lines of a step that is over. A pipe that somebody holds still is read on:
    /// to close it would kill a writer.
    pub fn finish(&mut self, step: u32) {
        let at = Timestamp::now();
        for pipe in self.pipes.iter_mut().filter(|pipe| pipe.line.origin.step == step) {
            pipe.finish(&mut self.patterns, &mut self.log, at);
            (pipe.since, pipe.has_changed) = (None, true);
        }
        self.is_outdated |= self.progress.take().is_some();
    }

    /// When `live` is to be written next; none: not while nothing more comes.
    pub fn due(&self) -> Option<Instant> {
        let changed = self.pipes.iter().filter(|pipe| pipe.has_changed);
        let due = changed.filter_map(|pipe| match pipe.since {
            Some(since) => Some(since + SHOWN_AFTER),
            None => pipe.is_shown.then_some(self.last_shown),
        });
        let outdated = self.is_outdated.then_some(self.last_shown);
        Some(due.chain(outdated).min()?.max(self.last_shown + SHOWN_EVERY))
    }

    /// Writes `live` if it is time to.
    pub fn show(&mut self, now: Instant) {
        if self.due().is_none_or(|due| due > now) {
            return;
        }
        (self.last_shown, self.is_outdated) = (now, false);
        let lines = self.log.mark().lines;
        let mut open = Vec::new();
        for pipe in &mut self.pipes {
            pipe.is_shown = pipe.since.is_some_and(|since| since + SHOWN_AFTER <= now);
            if pipe.is_shown {
                open.push(Open::new(pipe.line.origin, lines, pipe.line.text()));
            }
            pipe.has_changed &= !pipe.is_shown && pipe.since.is_some();
        }
        // Only a view of what will be in the log: one that cannot be written is no loss.
        let _ = live::write(&self.dir, Timestamp::now().0.unsigned_abs(), open, self.progress);
    }

    /// The end of the attempt: nothing more is read, nothing is unfinished.
    pub fn close(&mut self) {
        let at = Timestamp::now();
        for mut pipe in self.pipes.drain(..) {
            pipe.finish(&mut self.patterns, &mut self.log, at);
        }
        let _ = live::remove(&self.dir);
    }
}
