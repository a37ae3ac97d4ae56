//! How attempts end: with another one after a pause, or with the job.

use super::{
    batch::Batch,
    held::Known,
    jobs::applied,
    machine::{self, Move},
    state::{Outcome, State, UNCHANGED},
    stats::Passed,
    story,
};
use crate::{hub::Key, store::Change};
use shared::{Job, JobId, JobState, Timestamp};

impl State {
    /// The attempt failed, and there will be another. What the failed one was about stays on the row
    /// until that is queued.
    pub(super) fn retrying(
        &mut self,
        id: JobId,
        end: story::End,
        at: Timestamp,
        batch: &mut Batch,
    ) -> Outcome {
        let Known::Held(held) = self.jobs.get(id) else { return UNCHANGED };
        story::close(held, id, &end, batch);
        // It ran, so this is one of the states that the move leads from.
        let Some(state) = machine::next(held.state, Move::Retry) else { return UNCHANGED };
        let before = std::mem::replace(&mut held.state, state);
        held.run_at = Some(at);
        held.max_attempts = held.max_attempts.max(held.attempt + 1);
        (held.progress, held.step) = (None, None);
        held.revision = self.numbers.next();
        let job = Job {
            error: end.error,
            exit_code: end.exit.code,
            signal: end.exit.signal,
            ..held.row(id)
        };
        self.moved(job, before, end.at, batch)
    }

    /// The job is over.
    pub(super) fn ended(&mut self, id: JobId, end: story::End, batch: &mut Batch) -> Outcome {
        let Known::Held(held) = self.jobs.get(id) else { return UNCHANGED };
        let before = held.state;
        story::close(held, id, &end, batch);
        let measured = end.duration_ms.filter(|_| held.attempt == 1);
        let since_start = held.started_at.map(|started| end.at.since(started));
        let revision = self.numbers.next();
        let job = Job {
            state: end.state,
            step: None,
            finished_at: Some(end.at),
            duration_ms: measured.or(since_start),
            error: end.error,
            exit_code: end.exit.code,
            signal: end.exit.signal,
            revision,
            ..held.row(id)
        };
        let queue = (held.connection, held.queue.clone());
        self.stats.add(queue, end.at, Passed::Finished(job.duration_ms));
        self.jobs.end(id, end.state);
        self.moved(job, before, end.at, batch)
    }

    /// Its row as the attempt left it, and nothing more of its progress.
    fn moved(&mut self, job: Job, before: JobState, at: Timestamp, batch: &mut Batch) -> Outcome {
        let key = Key::Progress(job.id);
        self.pace.forget(&key);
        batch.publication.over.push(key);
        batch.changes.push(Change::Moved(Box::new(job.clone())));
        self.announce(&job, Some(before), at, batch);
        applied(job)
    }
}
