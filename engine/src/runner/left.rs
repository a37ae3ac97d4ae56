//! What a server before this one left: its runs are adopted, its waiting jobs go on waiting. In a copy of a
//! data directory all of it is given up.

use super::{Command, Runner};
use crate::{
    Definition, Observation,
    board::Refused,
    observation::{LogMark, RunChange, RunProgress},
    store::Unfinished,
};
use shared::{CancelRequest, JobState, Timestamp};
use tokio::sync::oneshot;

impl Runner {
    /// Adopts first; what waits comes after that.
    pub(super) async fn go_on_with(&self, unfinished: Vec<Unfinished>) {
        self.keep_bounds(&unfinished);
        let (active, waiting): (Vec<_>, Vec<_>) =
            unfinished.into_iter().partition(|found| found.job.state == JobState::Active);
        let (ran, mut alive) = (active.len(), 0_usize);
        let mut adopting = Vec::with_capacity(ran);
        for found in active {
            let (known, is_known) = oneshot::channel();
            let queue = found.job.queue.clone();
            self.command(&queue, Command::Adopt { found: Box::new(found), known });
            adopting.push(is_known);
        }
        for is_known in adopting {
            // An error: it ended while it was being adopted.
            alive += usize::from(is_known.await.unwrap_or(false));
        }
        if ran + waiting.len() > 0 {
            // What ended was told to its journal, or is lost: each says so itself.
            let (ended, waiting) = (ran - alive, waiting.len());
            tracing::info!(
                running = alive,
                ended,
                waiting,
                "going on with what the last server left"
            );
        }
        for Unfinished { job, .. } in &waiting {
            if let (JobState::Retrying, Some(pipeline)) = (job.state, &job.pipeline) {
                self.context.pipeline_logs.begins(pipeline, job.id);
            }
            self.enqueue(job);
        }
    }

    /// A pipeline that is not in the configuration any more has the bound that its newest job was queued
    /// with.
    fn keep_bounds(&self, unfinished: &[Unfinished]) {
        let settings = self.context.settings();
        for found in unfinished.iter().rev() {
            let Some(name) = &found.job.pipeline else { continue };
            self.context.bounds.of(name, || match settings.pipeline(name) {
                Some(definition) => definition.max_concurrent,
                // One that cannot be read does not run.
                None => {
                    serde_json::from_str::<Definition>(found.definition.as_deref()?)
                        .ok()?
                        .max_concurrent
                }
            });
        }
    }

    /// The data directory is a copy: its runs belong to the board beside which it was made.
    pub(super) async fn give_up(&self, unfinished: Vec<Unfinished>) -> Result<(), Refused> {
        let reason = "this board is a copy";
        for Unfinished { job, .. } in unfinished {
            let at = Timestamp::now();
            let told = if job.state == JobState::Active {
                let mark = LogMark::default();
                let lost = RunChange::Lost { at, reason: reason.into(), mark, retry_at: None };
                Observation::Run(Box::new(RunProgress {
                    job: job.id,
                    attempt: job.attempt,
                    journal_position: None,
                    changes: vec![lost],
                }))
            } else {
                let request =
                    CancelRequest { by: "tailboard".into(), at, why: Some(reason.to_owned()) };
                Observation::CancelRequested { job: job.id, request }
            };
            self.context.tell(told).await?;
        }
        Ok(())
    }
}
