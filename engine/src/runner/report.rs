//! What a queue's loop says of itself: heartbeat, snapshot, and why a job of it waits.

use super::queue::QueueLoop;
use crate::Observation;
use shared::{JobId, Queue, Timestamp, Worker, WorkerState};
use std::time::Instant;

impl QueueLoop {
    pub(super) fn worker_id(&self) -> String {
        format!("local:{}@{}", self.definition.name, self.context.hostname)
    }

    fn active(&self) -> u32 {
        u32::try_from(self.running.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn beat(&self, state: WorkerState) {
        self.say(Observation::Worker(Box::new(Worker {
            id: self.worker_id(),
            connection_id: self.context.connection,
            hostname: self.context.hostname.clone(),
            state,
            queues: vec![self.definition.name.clone()],
            active_jobs: self.active(),
            concurrency: self.definition.concurrency,
            processed: self.processed,
            failed: self.failed,
            since: Some(self.since),
            seen_at: Timestamp::now(),
            revision: 0,
        })));
    }

    pub(super) fn snapshot(&self) {
        let (ended, failed) = self.rates.per_minute(Instant::now());
        let now = Timestamp::now();
        self.say(Observation::Queue(Box::new(Queue {
            connection_id: self.context.connection,
            name: self.definition.name.clone(),
            depth: self.waiting.depth() as u64,
            consumers: 1,
            active: u64::from(self.active()),
            concurrency: Some(self.definition.concurrency),
            paused: self.paused.is_some(),
            oldest_waiting_ms: self.waiting.oldest().map(|since| now.since(since)),
            rate_per_min: f64::from(ended),
            failed_per_min: f64::from(failed),
            // The board adds them for who asks.
            stats: None,
            revision: 0,
        })));
    }

    /// It is not in the configuration any more, and nothing of it is left.
    pub(super) fn gone(&self) {
        let (connection, queue) = (self.context.connection, self.definition.name.clone());
        self.say(Observation::WorkerGone { connection, worker: self.worker_id() });
        self.say(Observation::QueueGone { connection, queue });
    }

    /// Why a job waits for a slot, in one sentence. None: it does not.
    pub(super) fn why(&self, job: JobId) -> Option<String> {
        let (ahead, bound) = self.waiting.ahead(job)?;
        let queue = &self.definition.name;
        if let Some((by, since)) = &self.paused {
            return Some(format!("queue {queue} is paused by {by} since {since}"));
        }
        if self.slots() == 0 {
            return Some(format!("queue {queue} is not in the configuration any more"));
        }
        if let Some(low) = self.context.disk.low() {
            return Some(low);
        }
        if let Some((running, most)) = bound.full() {
            let runs = if running == 1 { "run" } else { "runs" };
            return Some(format!(
                "{} has {running} {runs} going on (max_concurrent = {most})",
                bound.name()
            ));
        }
        let (used, slots) = (self.running.len(), self.slots());
        let before = match ahead {
            0 => "it is the next".to_owned(),
            1 => "1 job is before it".to_owned(),
            n => format!("{n} jobs are before it"),
        };
        Some(format!("no free slot in queue {queue}: {used} of {slots} in use, {before}"))
    }

    /// What the next beat says again: dropped while the line is full.
    fn say(&self, observation: Observation) {
        let _ = self.context.board.try_send(observation);
    }
}
