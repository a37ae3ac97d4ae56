//! What somebody should look at.

use crate::{
    Caller, Settings,
    store::{JobsQuery, QueryError, Store},
};
use shared::{
    Job, JobFilter, JobSort, JobState, Queue, Worker, WorkerState,
    page::{Attention, AttentionKind},
};
use std::collections::BTreeMap;

/// Things shown at most.
const SHOWN: usize = 20;
/// A job that waits longer than this for a slot is worth a look.
const LONG_MS: u64 = 10 * 60 * 1000;
/// Runs of a pipeline that fail in a row.
const IN_A_ROW: usize = 3;
/// Jobs of one pipeline that wait for another attempt.
const STORM: usize = 5;

/// What the disk, workers and queues say of themselves.
pub(super) fn of_the_board(
    disk_low: Option<String>,
    workers: &[Worker],
    queues: &[Queue],
) -> Vec<Attention> {
    let about = |kind, name: Option<&str>, text: String| Attention {
        kind,
        name: name.map(str::to_owned),
        job: None,
        text,
        since: None,
    };
    let disk = disk_low.map(|text| about(AttentionKind::DiskLow, None, text));
    let offline = workers.iter().filter(|worker| worker.state == WorkerState::Offline);
    let offline = offline.map(|worker| Attention {
        since: Some(worker.seen_at),
        ..about(
            AttentionKind::WorkerOffline,
            Some(&worker.id),
            format!("worker {} is not heard of any more", worker.id),
        )
    });
    let late = queues.iter().filter(|queue| !queue.paused);
    let late = late.filter_map(|queue| {
        let minutes = queue.oldest_waiting_ms.filter(|ms| *ms > LONG_MS)? / 60_000;
        let text = format!("a job in queue {} has waited for {minutes} minutes", queue.name);
        Some(about(AttentionKind::WaitingLong, Some(&queue.name), text))
    });
    let paused = queues.iter().filter(|queue| queue.paused).map(|queue| {
        let text = format!("queue {} is paused, {} jobs wait", queue.name, queue.depth);
        about(AttentionKind::QueuePaused, Some(&queue.name), text)
    });
    disk.into_iter().chain(offline).chain(late).chain(paused).collect()
}

/// What the last runs of the pipelines say.
pub(super) fn of_pipelines(
    store: &Store,
    caller: &Caller,
    settings: &Settings,
) -> Result<Vec<Attention>, QueryError> {
    let jobs = |filter, limit| {
        let query = JobsQuery { filter, sort: JobSort::Created, cursor: None, limit };
        Ok::<_, QueryError>(store.jobs(caller, &query)?.items)
    };
    let mut found = Vec::new();
    for definition in &settings.pipelines {
        let over = JobFilter {
            states: vec![JobState::Completed, JobState::Failed],
            pipeline: Some(definition.name.clone()),
            ..JobFilter::default()
        };
        let last = jobs(over, IN_A_ROW as u32)?;
        if last.len() == IN_A_ROW && last.iter().all(|job| job.state == JobState::Failed) {
            found.push(Attention {
                kind: AttentionKind::Failing,
                name: Some(definition.name.clone()),
                job: last.first().map(|job| job.id),
                text: format!("the last {IN_A_ROW} runs of {} failed", definition.name),
                since: last.last().and_then(|job| job.finished_at),
            });
        }
    }
    let retrying = JobFilter { states: vec![JobState::Retrying], ..JobFilter::default() };
    let mut storms: BTreeMap<String, Vec<Job>> = BTreeMap::new();
    for job in jobs(retrying, 200)? {
        storms.entry(job.name.clone()).or_default().push(job);
    }
    for (name, jobs) in storms.into_iter().filter(|(_, jobs)| jobs.len() >= STORM) {
        found.push(Attention {
            kind: AttentionKind::RetryStorm,
            job: jobs.first().map(|job| job.id),
            text: format!("{} jobs of {name} wait for another attempt", jobs.len()),
            name: Some(name),
            since: None,
        });
    }
    Ok(found)
}

/// The worst first.
pub(super) fn sorted(mut all: Vec<Attention>) -> Vec<Attention> {
    all.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    all.truncate(SHOWN);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{ConnectionId, Timestamp};
    use uuid::Uuid;

    fn queue(name: &str, paused: bool, oldest: Option<u64>) -> Queue {
        Queue {
            connection_id: ConnectionId(Uuid::nil()),
            name: name.to_owned(),
            depth: 3,
            consumers: 1,
            active: 0,
            concurrency: Some(1),
            paused,
            oldest_waiting_ms: oldest,
            rate_per_min: 0.,
            failed_per_min: 0.,
            stats: None,
            revision: 0,
        }
    }

    #[test]
    fn the_worst_comes_first_and_what_is_well_is_not_named() {
        let worker = |id: &str, state| Worker {
            id: id.to_owned(),
            connection_id: ConnectionId(Uuid::nil()),
            hostname: String::new(),
            state,
            queues: Vec::new(),
            active_jobs: 0,
            concurrency: 1,
            processed: 0,
            failed: 0,
            since: None,
            seen_at: Timestamp(7),
            revision: 0,
        };
        let workers = [worker("well", WorkerState::Online), worker("gone", WorkerState::Offline)];
        let queues = [
            queue("held", true, Some(LONG_MS * 2)),
            queue("late", false, Some(LONG_MS + 1)),
            queue("well", false, Some(LONG_MS)),
        ];
        let found = sorted(of_the_board(Some("disk low".to_owned()), &workers, &queues));
        let kinds: Vec<_> = found.iter().map(|one| (one.kind, one.name.as_deref())).collect();
        assert_eq!(
            kinds,
            [
                (AttentionKind::DiskLow, None),
                (AttentionKind::WorkerOffline, Some("gone")),
                (AttentionKind::WaitingLong, Some("late")),
                (AttentionKind::QueuePaused, Some("held")),
            ]
        );
        assert_eq!(found[1].since, Some(Timestamp(7)));
    }
}
