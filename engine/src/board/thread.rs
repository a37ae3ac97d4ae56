//! The board's thread: take what gathered, apply it, number it, commit it, publish it, answer.

use super::{
    batch::Batch,
    line::{Item, Message},
    published::{Failing, Published},
    state::State,
};
use crate::{
    hub::{self, Hub, Key},
    store::{StoreError, Writer},
};
use shared::{Timestamp, event::name};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, TryRecvError},
    },
    time::{Duration, Instant},
};

/// Numbers reserved at a time. A restart skips what is left of them; 2^53 last for ever.
const BLOCK: u64 = 65_536;
/// How long commits may fail before everything shown counts as stale.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two tries to commit: the first, and the longest.
const RETRY: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(500)];
/// How long the end waits for a store that takes no commits.
const LAST_TRY: Duration = Duration::from_secs(5);

pub(super) struct BoardThread {
    pub line: Receiver<Message>,
    pub state: State,
    pub writer: Writer,
    pub hub: Hub,
    pub published: Arc<Published>,
    /// Numbers up to this one are reserved in the store.
    pub reserved: u64,
    /// The server is ending: a store that takes nothing is not waited for as long as it takes.
    pub ending: Arc<AtomicBool>,
    /// Commits failed for long enough to be shown, and do not any more.
    pub recovered: bool,
}

/// The server is ending and the store takes no commits.
struct GaveUp;

/// Commits that fail: since when, and how long until the next try.
struct Trouble {
    began: Instant,
    since: Timestamp,
    shown: bool,
    pause: Duration,
}

impl BoardThread {
    pub fn run(mut self) {
        // Progress is not stored: those who resume over the restart get it, with a number of now.
        let mut batch = Batch::default();
        let active: Vec<_> = self.state.jobs.active().collect();
        for job in active {
            self.state.changed(Key::Progress(job), Instant::now(), &mut batch);
        }
        let mut next = self.finish(batch);
        while next.is_ok() {
            let (items, more) = self.gather();
            next = self.apply(items).and_then(|batch| self.finish(batch));
            if !more {
                return;
            }
        }
    }

    /// Waits for something to do and takes all that is there. False: there will be no more.
    fn gather(&self) -> (Vec<Item>, bool) {
        let due = if self.recovered { Some(Instant::now()) } else { self.state.next_due() };
        let first = match due {
            None => self.line.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => self.line.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        let mut items = Vec::new();
        match first {
            Ok(Message::Item(item)) => items.push(item),
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return (items, false),
            Err(RecvTimeoutError::Timeout) => return (items, true),
        }
        // Bounded by the line: room is given back when these are answered.
        loop {
            match self.line.try_recv() {
                Ok(Message::Item(item)) => items.push(item),
                Ok(Message::Stop) | Err(TryRecvError::Disconnected) => return (items, false),
                Err(TryRecvError::Empty) => return (items, true),
            }
        }
    }

    fn apply(&mut self, items: Vec<Item>) -> Result<Batch, GaveUp> {
        let mut batch = Batch::default();
        for Item { observation, received, reply } in items {
            self.insist(|state, writer| state.load(&observation, writer))?;
            let outcome = self.state.apply(observation, received, &mut batch);
            batch.answers.push((reply, outcome));
        }
        let now = Instant::now();
        self.state.due(now, &mut batch);
        if std::mem::take(&mut self.recovered) {
            self.state.all_connections_changed(now, &mut batch);
        }
        Ok(batch)
    }

    /// Commits, publishes, answers: in this order.
    fn finish(&mut self, batch: Batch) -> Result<(), GaveUp> {
        let Batch { changes, mut publication, touched, rows, answers } = batch;
        let last = self.state.numbers.last();
        let reserve = (last > self.reserved).then_some(last + BLOCK);
        if !changes.is_empty() || reserve.is_some() {
            let begun = Instant::now();
            self.insist(|_, writer| writer.commit(&changes, reserve))?;
            self.state.stats.committed(begun.elapsed());
            self.reserved = reserve.unwrap_or(self.reserved);
        }
        for &(job, of) in &touched {
            self.state.jobs.committed(job);
            if !self.state.numbers.off.contains(of) {
                publication.jobs.push(job);
            }
        }
        self.state.made.committed();
        self.published.put(rows, &publication.over);
        self.hub.publish(publication);
        for (reply, outcome) in answers {
            reply.send(outcome);
        }
        Ok(())
    }

    /// Does something with the store until it succeeds: what is numbered must not be lost.
    fn insist<T>(
        &mut self,
        mut deed: impl FnMut(&mut State, &mut Writer) -> Result<T, StoreError>,
    ) -> Result<T, GaveUp> {
        let mut trouble = None;
        let begun = Instant::now();
        loop {
            match deed(&mut self.state, &mut self.writer) {
                Ok(done) => {
                    if trouble.is_some_and(|trouble: Trouble| trouble.shown) {
                        tracing::info!("the store takes commits again");
                        self.published.set_failing(None);
                        self.hub.say_aside(Vec::new());
                        self.recovered = true;
                    }
                    return Ok(done);
                }
                Err(error) => {
                    self.bear(trouble.get_or_insert_with(|| Trouble::of(begun)), &error)?
                }
            }
        }
    }

    /// Waits before the next try; says so to everybody when it takes too long.
    fn bear(&self, trouble: &mut Trouble, error: &StoreError) -> Result<(), GaveUp> {
        let lasts = trouble.began.elapsed();
        if lasts >= PATIENCE && !trouble.shown {
            trouble.shown = true;
            tracing::error!(%error, "the store takes no commits: what is shown is stale");
            let failing = Failing { since: trouble.since, error: error.to_string() };
            self.published.set_failing(Some(failing));
            let rows = self.published.connections().into_iter();
            let frames = rows.map(|row| (row.id, hub::frame(None, name::CONNECTION_STATE, &row)));
            self.hub.say_aside(frames.collect());
        }
        if lasts >= LAST_TRY && self.ending.load(Ordering::Relaxed) {
            tracing::error!(%error, "the store takes no commits: the last observations are lost");
            return Err(GaveUp);
        }
        std::thread::sleep(trouble.pause);
        trouble.pause = (trouble.pause * 2).min(RETRY[1]);
        Ok(())
    }
}

impl Trouble {
    fn of(began: Instant) -> Self {
        Self { began, since: Timestamp::now(), shown: false, pause: RETRY[0] }
    }
}
