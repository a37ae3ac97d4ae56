//! The steps of one attempt in their order, and what becomes of it.

use super::{
    family,
    journal::{Entry, Journal, Outcome, What},
    plan::Plan,
    step::{self, Deadline, Ended, signal_name},
    watch::{Stop, Watch},
};
use crate::observation::Exit;
use shared::{Phase, StepState, Timestamp};
use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Time between TERM and KILL for what completed steps left in the background.
const LEFTOVER_GRACE: Duration = Duration::from_secs(2);
/// How long output of what was ended may still be on its way.
const LAST_OUTPUT: Duration = Duration::from_millis(100);

pub struct Attempt {
    plan: Plan,
    watch: Watch,
    journal: Journal,
    begun: Instant,
    /// Where its steps run; new for each attempt.
    work: PathBuf,
    /// Whether the journal says that it is being cancelled.
    said_cancelling: bool,
}

/// What decided how an attempt ends, cleanup apart.
enum Verdict {
    Failed { exit: Exit, error: Option<String> },
    Stopped(Stop),
}

impl Attempt {
    pub fn new(plan: Plan, watch: Watch) -> io::Result<Self> {
        // Of a start that ran nothing.
        remove_work(&watch.dir, plan.attempt)?;
        let work = work(&watch.dir, plan.attempt);
        DirBuilder::new().mode(0o700).create(&work)?;
        let journal = Journal::create(&watch.dir, plan.job, plan.attempt)?;
        let begun = Instant::now();
        Ok(Self { plan, watch, journal, begun, work, said_cancelling: false })
    }

    /// Runs it to its end. On an error all its processes are ended, but there is no last word.
    pub fn run(mut self) -> io::Result<()> {
        let ran = self.steps().and_then(|verdict| self.end(verdict));
        if ran.is_err() {
            self.watch.is_forced = true;
            family::end(&mut self.watch, None, Duration::ZERO)?;
        }
        // What could not be removed goes with the job's directory.
        let _ = remove_work(&self.watch.dir, self.plan.attempt);
        ran
    }

    /// All steps. None: each one completed.
    fn steps(&mut self) -> io::Result<Option<Verdict>> {
        self.note(What::Started)?;
        let whole = self.plan.timeout.map(|after| Deadline { at: self.begun + after, after });
        let mut verdict = None;
        for ordinal in 0..self.plan.steps.len() as u32 {
            let step = &self.plan.steps[ordinal as usize];
            let (is_cleanup, timeout) = (step.phase == Phase::Cleanup, step.timeout);
            if let (None, Some(stop), false) = (&verdict, self.watch.stop, is_cleanup) {
                self.say_cancelling(stop)?;
                verdict = Some(Verdict::Stopped(stop));
            }
            let is_skipped = if is_cleanup { self.watch.is_forced } else { verdict.is_some() };
            if is_skipped {
                let state = StepState::Skipped;
                let (duration_ms, code, signal, error) = (None, None, None, None);
                self.note(What::StepEnded { ordinal, state, duration_ms, code, signal, error })?;
                continue;
            }
            let begun = Instant::now();
            let own = timeout.map(|after| Deadline { at: begun + after, after });
            let whole = whole.filter(|_| !is_cleanup);
            let deadline = own.into_iter().chain(whole).min_by_key(|deadline| deadline.at);
            self.note(What::StepStarted { ordinal })?;
            let ended = step::run(&mut self.watch, &self.plan, ordinal, &self.work, deadline)?;
            let Ended { state, exit, error } = ended;
            if let Some(stop) = self.watch.stop {
                self.say_cancelling(stop)?;
            }
            self.note(What::StepEnded {
                ordinal,
                state,
                duration_ms: Some(millis(begun.elapsed())),
                code: exit.code,
                signal: exit.signal,
                error: error.clone(),
            })?;
            let goes_on = self.plan.steps[ordinal as usize].continue_on_error;
            let timed_out = whole.is_some_and(|whole| whole.at <= Instant::now());
            let forgiven = state == StepState::Failed && goes_on && !timed_out;
            if is_cleanup || verdict.is_some() || forgiven {
                continue;
            }
            verdict = match (state, self.watch.stop) {
                (StepState::Completed, _) => None,
                (StepState::Cancelled, Some(stop)) => Some(Verdict::Stopped(stop)),
                _ => {
                    let name = &self.plan.steps[ordinal as usize].name;
                    let error = error.map(|error| format!("step {name}: {error}"));
                    Some(Verdict::Failed { exit, error })
                }
            };
        }
        Ok(verdict)
    }

    /// Ends what is left, makes everything safe on disk, then says the last word.
    fn end(&mut self, verdict: Option<Verdict>) -> io::Result<()> {
        let alive = family::end(&mut self.watch, None, LEFTOVER_GRACE)?;
        let until = Instant::now() + LAST_OUTPUT;
        while self.watch.output.pipes().len() > 0 && Instant::now() < until {
            self.watch.turn(until)?;
        }
        self.watch.output.close();
        if let Some(Verdict::Stopped(Stop::Deleted)) = verdict {
            return Ok(());
        }
        self.watch.output.log.sync()?;
        self.journal.sync()?;
        let (outcome, exit, error) = match verdict {
            None => (Outcome::Completed, Exit { code: Some(0), signal: None }, None),
            Some(Verdict::Failed { exit, error }) => (Outcome::Failed, exit, error),
            Some(Verdict::Stopped(Stop::Signal(signal))) => {
                let error = format!("{} from outside", signal_name(signal));
                (Outcome::Lost, Exit::default(), Some(error))
            }
            Some(Verdict::Stopped(_)) => (Outcome::Cancelled, Exit::default(), None),
        };
        let alive = (!alive.is_empty())
            .then(|| format!("these processes would not die: {}", alive.join(", ")));
        let error = match (error, alive) {
            (Some(error), Some(alive)) => Some(format!("{error}; {alive}")),
            (error, alive) => error.or(alive),
        };
        self.note(What::End { outcome, code: exit.code, signal: exit.signal, error })?;
        // Only blocks that were reserved: nothing is lost where that fails.
        let _ = self.journal.release();
        Ok(())
    }

    fn say_cancelling(&mut self, stop: Stop) -> io::Result<()> {
        if stop == Stop::Asked && !self.said_cancelling {
            self.said_cancelling = true;
            self.note(What::Cancelling)?;
        }
        Ok(())
    }

    fn note(&mut self, what: What) -> io::Result<()> {
        let mark = self.watch.output.log.mark();
        let elapsed_ms = millis(self.begun.elapsed());
        let (offset, lines) = (mark.offset, mark.lines);
        self.journal.write(&Entry { at: Timestamp::now(), elapsed_ms, offset, lines, what })
    }
}

/// Removes what the steps of an attempt left in the directory they ran in, which its executor did not
/// come to do.
pub fn remove_work(dir: &Path, attempt: u32) -> io::Result<()> {
    match fs::remove_dir_all(work(dir, attempt)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn work(dir: &Path, attempt: u32) -> PathBuf {
    dir.join(format!("work-{attempt}"))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
