//! What happens in a runner's job, in one order: its story and, between the entries, what its steps
//! print. Both streams of contract 5 are made of this.
//!
//! Each entry says how many lines the log had, so a replay puts output where it was. While a step runs
//! its lines are told as they are complete; those of a step whose beginning is not committed yet wait.

use super::{
    runner_event::{Data, Event, Happening, Position},
    runner_output::{Chunk, Chunks},
    story::Story,
};
use engine::{
    Caller, Engine, ReadError,
    logs::output::{After, OutputLine},
};
use shared::{JobDetail, JobId, StepId, log::LogInfo};
use std::{collections::VecDeque, time::Duration};
use tokio::sync::watch;

/// Text read for one piece; one line may be longer.
const PIECE: usize = 64 * 1024;
/// Events in one piece, output apart.
const EVENTS: usize = 64;
/// Pause before what could not be read is read again.
const PAUSE: Duration = Duration::from_secs(2);
const GONE: &str = "the log is no longer kept, so steps come without their output";

/// Something to be sent.
pub enum Said {
    Event(Event),
    /// For readers; a stream that has no comments leaves it out.
    Comment(&'static str),
}

pub struct RunnerEvents {
    story: Story,
    size: watch::Receiver<LogInfo>,
    /// Nobody writes the size any more.
    size_final: bool,
    /// What happened and was not told yet.
    ahead: VecDeque<Happening>,
    /// The last of them that was told.
    ordinal: u64,
    /// Bytes of the log that were told.
    offset: u64,
    /// Lines of the log that were told; none until the line that the offset is in is known.
    line: Option<u64>,
    /// Attempt and ordinal of the newest step that has begun.
    begun: Option<(u32, u32)>,
    /// Whether the story says that something was printed.
    printed: bool,
    /// The log cannot be had.
    gone: bool,
    said: Vec<Said>,
    over: bool,
}

impl RunnerEvents {
    /// What comes after this position. None: there is no such job.
    pub async fn open(
        engine: Engine,
        caller: Caller,
        id: JobId,
        (ordinal, offset): (u64, u64),
    ) -> Result<Option<Self>, ReadError> {
        let size = engine.watch_log(&caller, id).await?;
        let story = Story::open(engine, caller, id).await?;
        let (Some(size), Some((story, job))) = (size, story) else { return Ok(None) };
        let LogInfo { bytes, closed, .. } = *size.borrow();
        // Nobody was told of more than all of it.
        let offset = if closed { offset.min(bytes) } else { offset };
        let mut events = Self {
            story,
            size,
            size_final: false,
            ahead: VecDeque::new(),
            ordinal,
            offset,
            line: (offset == 0).then_some(0),
            begun: None,
            printed: false,
            gone: false,
            said: Vec::new(),
            over: false,
        };
        events.look(&job);
        Ok(Some(events))
    }

    /// What comes next, in pieces of a bounded size; nothing: that was all. May be dropped at any
    /// await: what was taken by then is given the next time.
    pub async fn next(&mut self) -> Vec<Said> {
        while !self.over && self.said.len() < EVENTS {
            let lines = self.ahead.front().map(|first| first.lines);
            // The size first: what is complete by then is in what is read after it.
            let wanted = lines.unwrap_or(self.size.borrow_and_update().lines);
            if !self.gone && self.line.is_none_or(|line| line < wanted) {
                let Some(read) = self.read().await else { continue };
                match lines {
                    Some(lines) => self.tell_output(&read, |line, _| line.n <= lines),
                    None => {
                        let begun = self.begun;
                        // How many were left out is not known before the next line is there.
                        self.tell_output(&read, |line, is_last| {
                            Some((line.origin.attempt, line.origin.step)) <= begun
                                && !(is_last && line.left_out.is_some())
                        })
                    }
                }
                if !read.is_empty() && !self.said.is_empty() {
                    break;
                }
            }
            match self.ahead.pop_front() {
                Some(happening) => self.tell(happening),
                None if self.said.is_empty() => self.wait().await,
                None => break,
            }
        }
        std::mem::take(&mut self.said)
    }

    /// Takes in what the story tells now.
    fn look(&mut self, job: &JobDetail) {
        self.printed = job.timeline.iter().any(|entry| entry.log_line > Some(0));
        let all = Happening::all(job).into_iter();
        let (told, ahead): (Vec<_>, VecDeque<_>) =
            partition(all, |happening| happening.ordinal.is_some_and(|n| n <= self.ordinal));
        self.begun = told.iter().filter_map(|happening| happening.begins).next_back();
        self.ahead = ahead;
    }

    fn tell(&mut self, happening: Happening) {
        let Happening { ordinal, begins, name, data, .. } = happening;
        self.ordinal = ordinal.unwrap_or(self.ordinal);
        self.begun = begins.or(self.begun);
        self.over = ordinal.is_none();
        let id = if self.over { Position::End } else { self.position() };
        self.said.push(Said::Event(Event { id: Some(id), name, data }));
    }

    /// Lines up to the first that is not `wanted`, which is also asked whether it is the last one.
    fn tell_output(&mut self, lines: &[OutputLine], wanted: impl Fn(&OutputLine, bool) -> bool) {
        let mut chunks = Chunks::default();
        for (i, line) in lines.iter().enumerate() {
            self.line = Some(line.n - 1);
            if !wanted(line, i + 1 == lines.len()) {
                break;
            }
            self.line = Some(line.n);
            let step = StepId::of(self.story.id, line.origin.attempt, line.origin.step);
            if let Some(lines) = line.left_out {
                chunks.note(step, line.start, &format!("[tailboard] {lines} lines left out\n"));
                continue;
            }
            // Shorter than the line, so it fits in memory, if a client comes back in the middle of it.
            let told = self.offset.saturating_sub(line.start).min(line.bytes.len() as u64);
            chunks.push(step, line.start + told, &line.bytes[told as usize..]);
        }
        for Chunk { step: step_id, text: chunk, end } in chunks.finish() {
            self.offset = end;
            let data = Data::StepOutput { step_id, chunk };
            let id = Some(self.position());
            self.said.push(Said::Event(Event { id, name: "step.output", data }));
        }
    }

    /// The next lines. None: they cannot be had, which was said; or the job is gone.
    async fn read(&mut self) -> Option<Vec<OutputLine>> {
        let after = self.line.map_or(After::Offset(self.offset), After::Line);
        let Story { engine, caller, id, .. } = &self.story;
        let read = engine.log_output(caller, *id, after, PIECE).await;
        match read {
            Ok(Some(lines)) => Some(lines),
            Ok(None) => {
                self.tell_deleted();
                None
            }
            // There was nothing to be kept.
            Err(ReadError::NoLog) if !self.printed => Some(Vec::new()),
            Err(ReadError::Store(error)) => {
                tracing::warn!(job = %id, %error, "a job cannot be read");
                tokio::time::sleep(PAUSE).await;
                None
            }
            Err(error) => {
                // The files go just after the rows of a job that is deleted.
                if let Ok(None) = engine.job(caller, *id).await {
                    self.tell_deleted();
                } else {
                    tracing::debug!(job = %id, %error, "a log cannot be read");
                    self.gone = true;
                    self.said.push(Said::Comment(GONE));
                }
                None
            }
        }
    }

    /// Until something may have happened.
    async fn wait(&mut self) {
        tokio::select! {
            job = self.story.changed() => match job {
                Some(job) => self.look(&job),
                None => self.tell_deleted(),
            },
            changed = self.size.changed(), if !self.size_final => self.size_final = changed.is_err(),
        }
    }

    /// The stream has no end of its own then: whoever comes back finds that there is no such job.
    fn tell_deleted(&mut self) {
        self.over = true;
        let data = Data::Error { error: "Job no longer exists" };
        self.said.push(Said::Event(Event { id: None, name: "stream_error", data }));
    }

    fn position(&self) -> Position {
        Position::At { ordinal: self.ordinal, offset: self.offset }
    }
}

/// What fulfils it, and what does not, in their order.
fn partition<T>(
    all: impl Iterator<Item = T>,
    is_first: impl Fn(&T) -> bool,
) -> (Vec<T>, VecDeque<T>) {
    let (mut first, mut second) = (Vec::new(), VecDeque::new());
    for item in all {
        if is_first(&item) { first.push(item) } else { second.push_back(item) }
    }
    (first, second)
}
