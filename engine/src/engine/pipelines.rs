//! Pipelines as a caller sees them: what each is, when it runs, how its last runs went.

use super::{Engine, reads::ReadError};
use crate::{
    Caller, Definition, OnLost, schedule,
    store::{JobsQuery, Store},
};
use shared::{
    ConnectionId, JobFilter, JobSort, JobState, Pipeline, PipelineStep, Timestamp,
    page::{PipelinePage, PipelinesPage},
};
use std::{collections::HashMap, time::Duration};

/// Newest jobs of a pipeline in the list of all, and on its own page.
const IN_LIST: u32 = 10;
const ON_PAGE: u32 = 50;
/// Runs of a pipeline that its success rate is taken from.
const OUTCOMES: u32 = 100;

impl Engine {
    /// Every pipeline with its newest jobs.
    pub async fn pipelines(&self, caller: &Caller) -> Result<PipelinesPage, ReadError> {
        let definitions = self.inner.runner.settings().pipelines.clone();
        let connection = self.inner.runner.connection_id();
        let (as_of, mut pipelines) = self
            .ask(caller, move |store, caller| {
                let skipped: HashMap<_, _> = store.skipped()?.into_iter().collect();
                let shown = definitions.into_iter().map(|definition| {
                    let skipped_at = skipped.get(&definition.name).copied();
                    shown(store, caller, connection, definition, skipped_at, IN_LIST)
                });
                shown.collect::<Result<Vec<_>, _>>()
            })
            .await?;
        pipelines.iter_mut().for_each(|pipeline| self.inner.board.overlay(&mut pipeline.last));
        Ok(PipelinesPage { pipelines, connections: self.inner.board.connections(), as_of })
    }

    /// One pipeline with more of its jobs. None: there is no such pipeline.
    pub async fn pipeline(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<Option<PipelinePage>, ReadError> {
        let settings = self.inner.runner.settings();
        let found = settings.pipelines.iter().find(|definition| definition.name == name);
        let Some(definition) = found.cloned() else { return Ok(None) };
        let connection = self.inner.runner.connection_id();
        let (as_of, mut pipeline) = self
            .ask(caller, move |store, caller| {
                let skipped =
                    store.skipped()?.into_iter().find(|(name, _)| *name == definition.name);
                let skipped_at = skipped.map(|(_, at)| at);
                shown(store, caller, connection, definition, skipped_at, ON_PAGE)
            })
            .await?;
        self.inner.board.overlay(&mut pipeline.last);
        Ok(Some(PipelinePage { pipeline, as_of }))
    }
}

fn shown(
    store: &Store,
    caller: &Caller,
    connection: ConnectionId,
    definition: Definition,
    skipped_at: Option<Timestamp>,
    limit: u32,
) -> Result<Pipeline, ReadError> {
    let Definition { name, origin, description, queue, .. } = definition;
    let newest = |states: &[JobState], limit| {
        let filter = JobFilter {
            connections: vec![connection],
            states: states.to_vec(),
            pipeline: Some(name.clone()),
            ..JobFilter::default()
        };
        let query = JobsQuery { filter, sort: JobSort::Created, cursor: None, limit };
        Ok::<_, ReadError>(store.jobs(caller, &query)?.items)
    };
    let outcomes = newest(&[JobState::Completed, JobState::Failed], OUTCOMES)?;
    let failed = outcomes.iter().filter(|job| job.state == JobState::Failed).count();
    let last = newest(&[], limit)?;
    let steps = definition.steps.into_iter().map(|step| PipelineStep {
        name: step.name,
        phase: step.phase,
        run: step.run,
        timeout_ms: step.timeout.map(milliseconds),
    });
    Ok(Pipeline {
        last,
        connection_id: connection,
        name,
        origin,
        description,
        queue,
        timeout_ms: definition.timeout.map(milliseconds),
        params: definition.params,
        schedule: definition
            .schedule
            .map(|rule| schedule::shown(rule, skipped_at, Timestamp::now())),
        max_attempts: definition.retry.retries + 1,
        retry_delay_ms: milliseconds(definition.retry.delay),
        retry_max_delay_ms: milliseconds(definition.retry.max_delay),
        retries_lost: definition.on_lost == OnLost::Retry,
        priority: definition.priority,
        max_concurrent: definition.max_concurrent,
        completed: (outcomes.len() - failed) as u32,
        failed: failed as u32,
        steps: steps.collect(),
    })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
