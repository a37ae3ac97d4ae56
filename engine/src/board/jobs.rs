//! What is observed of jobs, attempt by attempt.

use super::{
    Applied, Refused,
    batch::Batch,
    held::{Held, Known},
    machine::{self, Move},
    made::Before,
    published::{Live, Row},
    state::{CHANGED, Outcome, State, UNCHANGED},
    stats::Passed,
    story::{self, Told},
};
use crate::{
    hub::{Key, Topic},
    observation::{NewJob, RunProgress},
    store::{Change, Plan},
};
use shared::{
    CancelRequest, ConnectionId, Job, JobId, JobState, StepState, StoryKind, Timestamp,
    event::{JobChange, JobDeleted, JobProgress, name},
};
use std::time::Instant;

impl State {
    pub(super) fn queued(&mut self, new: NewJob, batch: &mut Batch) -> Outcome {
        if !matches!(self.jobs.get(new.id), Known::No) {
            return UNCHANGED;
        }
        match self.made.before(&new) {
            Before::No => {}
            Before::OtherRequest => return Err(Refused::KeyReused),
            Before::Job(id, row) => {
                let held = self.jobs.held(id).map(|held| held.row(id));
                let job = held.or_else(|| row.map(|row| *row));
                if job.is_none() && new.key.is_some() {
                    return Err(Refused::Deleted(id));
                }
                return Ok(Applied { job, changed: false });
            }
        }
        let due = new.due.and_then(|at| Some((new.pipeline.clone()?, at)));
        self.made.put(
            new.id,
            new.key.as_ref(),
            due.as_ref().map(|(name, at)| (name.as_str(), *at)),
        );
        let revision = self.numbers.next();
        let held = self.jobs.queue(&new, revision);
        let job = held.row(new.id);
        let NewJob { id, params, steps, definition, key, created_by, created_at, .. } = new;
        let entry = Told::why(created_at, created_by.clone());
        let state = held.state.as_str();
        let entry = story::tell(held, id, StoryKind::Queued, Some(state), entry);
        let plan = Box::new(Plan { params, definition, created_by });
        batch.changes.push(Change::Queued { job: Box::new(job.clone()), plan, steps });
        batch.changes.push(entry);
        if let Some(key) = key {
            batch.changes.push(Change::Requested { key: Box::new(key), job: id, at: created_at });
        }
        if let Some((pipeline, at)) = due {
            batch.changes.push(Change::Due { pipeline, at, job: Some(id) });
        }
        self.announce(&job, None, created_at, batch);
        applied(job)
    }

    /// Its time has come: it waits for a slot like any other.
    pub(super) fn ready(&mut self, id: JobId, at: Timestamp, batch: &mut Batch) -> Outcome {
        let held = match self.jobs.get(id) {
            Known::Held(held) => held,
            Known::Over(_) => return UNCHANGED,
            Known::No => return Err(Refused::UnknownJob),
        };
        let Some(state) = machine::next(held.state, Move::Ready) else { return UNCHANGED };
        let before = std::mem::replace(&mut held.state, state);
        held.revision = self.numbers.next();
        let job = held.row(id);
        batch.changes.push(Change::Moved(Box::new(job.clone())));
        self.announce(&job, Some(before), at, batch);
        applied(job)
    }

    pub(super) fn deleted(
        &mut self,
        id: JobId,
        connection: ConnectionId,
        batch: &mut Batch,
    ) -> Outcome {
        match self.jobs.get(id) {
            Known::Held(held) => return Err(Refused::NotOver(held.state)),
            Known::No => return Err(Refused::UnknownJob),
            Known::Over(_) => self.jobs.forget(id),
        }
        let revision = self.numbers.next();
        batch.changes.push(Change::Deleted { job: id });
        batch.touch(id, connection);
        let event = JobDeleted { id, connection_id: connection, revision };
        self.numbers.history(batch, connection, Topic::Job, name::JOB_DELETED, &event);
        CHANGED
    }

    pub(super) fn claimed(
        &mut self,
        id: JobId,
        attempt: u32,
        worker: &str,
        boot_id: String,
        at: Timestamp,
        batch: &mut Batch,
    ) -> Outcome {
        let worker_name = self.jobs.name(worker);
        let held = match self.jobs.get(id) {
            Known::Held(held) => held,
            Known::Over(state) => return Err(Refused::Over(state)),
            Known::No => return Err(Refused::UnknownJob),
        };
        let Some(state) = machine::next(held.state, Move::Claim) else {
            return if held.attempt == attempt { UNCHANGED } else { Err(Refused::OtherAttempt) };
        };
        if attempt != held.attempt + 1 {
            return Err(Refused::OtherAttempt);
        }
        let before = std::mem::replace(&mut held.state, state);
        let waited = at.since(held.run_at.unwrap_or(held.created_at));
        let queue = (held.connection, held.queue.clone());
        self.stats.add(queue, at, Passed::Started(waited));
        held.attempt = attempt;
        held.worker = Some(worker_name);
        held.started_at.get_or_insert(at);
        held.journal = 0;
        held.run_at = None;
        (held.progress, held.step, held.steps_done, held.delayed) = (None, None, 0, false);
        held.steps.iter_mut().flatten().for_each(|step| step.state = StepState::Pending);
        held.revision = self.numbers.next();
        let job = held.row(id);
        batch.changes.push(Change::AttemptClaimed { job: id, number: attempt, boot_id });
        batch.changes.push(Change::Moved(Box::new(job.clone())));
        let entry = Told::why(at, worker.to_owned());
        batch.changes.push(story::tell(held, id, StoryKind::Started, Some(state.as_str()), entry));
        self.announce(&job, Some(before), at, batch);
        applied(job)
    }

    pub(super) fn run(&mut self, run: RunProgress, now: Instant, batch: &mut Batch) -> Outcome {
        let RunProgress { job: id, attempt, journal_position, changes } = run;
        let held = match self.jobs.get(id) {
            Known::Held(held) => held,
            Known::Over(_) => return UNCHANGED,
            Known::No => return Err(Refused::UnknownJob),
        };
        let stale = journal_position.is_some_and(|position| position <= held.journal);
        if held.state != JobState::Active || held.attempt != attempt || stale {
            return UNCHANGED;
        }
        if let Some(position) = journal_position {
            held.journal = position;
            batch.changes.push(Change::JournalRead { job: id, attempt, position });
        }
        batch.touch(id, held.connection);
        let walked = (held.step.clone(), held.steps_done);
        let mut end = None;
        for change in changes {
            end = story::step_on(held, id, change, batch);
            if end.is_some() {
                break;
            }
        }
        match end {
            Some(end @ story::End { retry_at: Some(at), .. }) => {
                return self.retrying(id, end, at, batch);
            }
            Some(end) => return self.ended(id, end, batch),
            None => {}
        }
        if walked != (held.step.clone(), held.steps_done) {
            let (step, steps_done) = (held.step.clone(), held.steps_done);
            batch.changes.push(Change::Stepped { job: id, step, steps_done });
        }
        self.changed(Key::Progress(id), now, batch);
        CHANGED
    }

    pub(super) fn cancel_requested(
        &mut self,
        id: JobId,
        request: CancelRequest,
        now: Instant,
        batch: &mut Batch,
    ) -> Outcome {
        let held = match self.jobs.get(id) {
            Known::Held(held) => held,
            Known::Over(state) => return Err(Refused::Over(state)),
            Known::No => return Err(Refused::UnknownJob),
        };
        if held.cancel {
            // The first request stands; its source is told which job is asked for once more.
            return Ok(Applied { job: Some(held.row(id)), changed: false });
        }
        held.cancel = true;
        let at = request.at;
        let who = match &request.why {
            Some(why) => format!("{}: {why}", request.by),
            None => request.by.clone(),
        };
        let entry = Told::why(at, story::cut(&who));
        batch.changes.push(story::tell(held, id, StoryKind::CancelRequested, None, entry));
        batch.changes.push(Change::CancelRequested { job: id, request: Box::new(request) });
        if let Some(state) = machine::next(held.state, Move::Drop) {
            return self.ended(id, story::End { state, ..story::End::at(at) }, batch);
        }
        // Nothing in its row changed, but whoever shows the job has to look again.
        let job = held.row(id);
        batch.touch(id, job.connection_id);
        self.changed(Key::Progress(id), now, batch);
        applied(job)
    }

    pub(super) fn start_delayed(
        &mut self,
        id: JobId,
        attempt: u32,
        reason: String,
        now: Instant,
        batch: &mut Batch,
    ) -> Outcome {
        let Some(held) = self.running(id, attempt)? else { return UNCHANGED };
        held.delayed = true;
        batch.changes.push(Change::Delayed { job: id, reason: Some(story::cut(&reason)) });
        batch.touch(id, held.connection);
        self.changed(Key::Progress(id), now, batch);
        CHANGED
    }

    pub(super) fn progress(
        &mut self,
        id: JobId,
        attempt: u32,
        progress: Option<f32>,
        step: Option<&str>,
        now: Instant,
        batch: &mut Batch,
    ) -> Outcome {
        let step = step.map(|name| self.jobs.name(name));
        let Some(held) = self.running(id, attempt)? else { return UNCHANGED };
        let progress =
            progress.filter(|value| value.is_finite()).map(|value| value.clamp(0., 100.));
        let step = step.or_else(|| held.step.clone());
        if (held.progress, &held.step) == (progress, &step) {
            return UNCHANGED;
        }
        (held.progress, held.step) = (progress, step);
        self.changed(Key::Progress(id), now, batch);
        CHANGED
    }

    /// The job, if this is the attempt that runs.
    fn running(&mut self, id: JobId, attempt: u32) -> Result<Option<&mut Held>, Refused> {
        match self.jobs.get(id) {
            Known::Held(held) if held.state == JobState::Active && held.attempt == attempt => {
                Ok(Some(held))
            }
            Known::Held(_) | Known::Over(_) => Ok(None),
            Known::No => Err(Refused::UnknownJob),
        }
    }

    /// `job:state_change`, with the number given out last: that of the row.
    pub(super) fn announce(
        &mut self,
        job: &Job,
        before: Option<JobState>,
        at: Timestamp,
        batch: &mut Batch,
    ) {
        batch.touch(job.id, job.connection_id);
        let change = JobChange::new(job, before, at);
        self.numbers.history(batch, job.connection_id, Topic::Job, name::JOB_STATE, &change);
    }

    /// `job:progress` of a job that still runs.
    pub(super) fn emit_progress(&mut self, id: JobId, batch: &mut Batch) {
        let Some(held) = self.jobs.held(id) else { return };
        let revision = self.numbers.next();
        let live = Live {
            base: held.revision,
            revision,
            progress: held.progress,
            step: held.step.clone(),
            steps_done: held.steps_done,
        };
        let event = JobProgress {
            id,
            connection_id: held.connection,
            progress: held.progress,
            step: held.step.as_deref().map(str::to_owned),
            steps_done: held.steps_done,
            steps_total: held.steps_total,
            revision,
        };
        batch.touch(id, held.connection);
        batch.rows.push(Row::Progress(id, live));
        let key = (Topic::Job, Key::Progress(id));
        self.numbers.latest(batch, event.connection_id, key, name::JOB_PROGRESS, &event);
    }
}

pub(super) fn applied(job: Job) -> Outcome {
    Ok(Applied { job: Some(job), changed: true })
}
