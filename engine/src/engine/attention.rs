//! What somebody should look at.

use crate::{
    Caller, Settings,
    store::{JobsQuery, Paused, QueryError, Store, TriedAgain},
};
use shared::{
    Job, JobFilter, JobId, JobSort, JobState, Queue, Timestamp, Worker, WorkerState,
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
/// Attempts after the first of jobs of one pipeline in an hour.
const TRIES: u64 = 10;
pub(super) const HOUR_MS: i64 = 60 * 60 * 1000;

/// What the disk, workers and queues say of themselves; `held` has by whom, and since when, queues are paused.
pub(super) fn of_the_board(
    disk_low: Option<String>,
    workers: &[Worker],
    queues: &[Queue],
    held: &[Paused],
    now: Timestamp,
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
        let ms = queue.oldest_waiting_ms.filter(|ms| *ms > LONG_MS)?;
        let (name, minutes) = (&queue.name, ms / 60_000);
        let others = match queue.depth.saturating_sub(1) {
            0 => String::new(),
            1 => ", 1 more waits".to_owned(),
            n => format!(", {n} more wait"),
        };
        let text = format!("a job in queue {name} has waited for {minutes} minutes{others}");
        let since = i64::try_from(ms).ok().map(|ms| Timestamp(now.0 - ms));
        Some(Attention { since, ..about(AttentionKind::WaitingLong, Some(name), text) })
    });
    let paused = queues.iter().filter(|queue| queue.paused).map(|queue| {
        let (name, is) = (&queue.name, (queue.connection_id, queue.name.as_str()));
        let held = held.iter().find(|held| (held.connection, held.queue.as_str()) == is);
        let by = held.map(|held| format!(" by {}", held.by)).unwrap_or_default();
        let waiting = match queue.depth {
            0 => "nothing waits".to_owned(),
            1 => "1 job waits".to_owned(),
            n => format!("{n} jobs wait"),
        };
        let text = format!("queue {name} is paused{by}, {waiting}");
        let since = held.map(|held| held.since);
        Attention { since, ..about(AttentionKind::QueuePaused, Some(name), text) }
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
    found.extend(storms(store, caller)?);
    Ok(found)
}

/// What is tried again and again.
fn storms(store: &Store, caller: &Caller) -> Result<Vec<Attention>, QueryError> {
    let filter = JobFilter { states: vec![JobState::Retrying], ..JobFilter::default() };
    let query = JobsQuery { filter, sort: JobSort::Created, cursor: None, limit: 200 };
    let mut all: BTreeMap<String, Storm> = BTreeMap::new();
    for job in store.jobs(caller, &query)?.items {
        let storm = all.entry(job.name).or_default();
        storm.waiting += 1;
        storm.newest.get_or_insert(job.id);
    }
    let hour = Timestamp(Timestamp::now().0 - HOUR_MS);
    for again in store.tried_again(caller, hour)? {
        let name = again.name.clone();
        all.entry(name).or_default().again = Some(again);
    }
    let storms = all.into_iter().filter(|(_, storm)| storm.is_one());
    Ok(storms.map(|(name, storm)| storm.told(name)).collect())
}

/// Jobs of one name that wait for another attempt, and what was tried again in the last hour.
#[derive(Default)]
struct Storm {
    waiting: usize,
    newest: Option<JobId>,
    again: Option<TriedAgain>,
}

impl Storm {
    fn is_one(&self) -> bool {
        self.waiting >= STORM || self.again.as_ref().is_some_and(|again| again.attempts >= TRIES)
    }

    fn told(self, name: String) -> Attention {
        let jobs = |n: u64| if n == 1 { "1 job".to_owned() } else { format!("{n} jobs") };
        let text = match (&self.again, self.waiting as u64) {
            (None, waiting) => format!("{} of {name} wait for another attempt", jobs(waiting)),
            (Some(again), waiting) => {
                let was = if again.jobs == 1 { "was" } else { "were" };
                let times = match again.attempts {
                    1 => "once".to_owned(),
                    n => format!("{n} times"),
                };
                let waits = match waiting {
                    0 => String::new(),
                    1 => ", 1 waits for another attempt".to_owned(),
                    n => format!(", {n} wait for another attempt"),
                };
                let of = jobs(again.jobs);
                format!("{of} of {name} {was} tried again {times} in the last hour{waits}")
            }
        };
        Attention {
            kind: AttentionKind::RetryStorm,
            job: self.newest.or(self.again.as_ref().map(|again| again.newest)),
            text,
            name: Some(name),
            since: self.again.map(|again| again.since),
        }
    }
}

/// Runs whose log reached its limit, the newest first: one line for each pipeline.
pub(super) fn of_cut_logs(jobs: &[Job]) -> Vec<Attention> {
    let mut all: BTreeMap<&str, (&Job, usize)> = BTreeMap::new();
    for job in jobs {
        all.entry(&job.name).or_insert((job, 0)).1 += 1;
    }
    let told = |(name, (newest, count)): (&str, (&Job, usize))| Attention {
        kind: AttentionKind::LogCut,
        name: Some(name.to_owned()),
        job: Some(newest.id),
        text: match count {
            1 => format!("the log of a run of {name} reached its limit (max_log_bytes)"),
            n => format!("the logs of {n} runs of {name} reached their limit (max_log_bytes)"),
        },
        since: newest.started_at,
    };
    all.into_iter().map(told).collect()
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
    use shared::ConnectionId;
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
        let held = [Paused {
            connection: ConnectionId(Uuid::nil()),
            queue: "held".to_owned(),
            by: "ann".to_owned(),
            since: Timestamp(8),
        }];
        let now = Timestamp(LONG_MS as i64 + 1 + 9);
        let low = Some("disk low".to_owned());
        let found = sorted(of_the_board(low, &workers, &queues, &held, now));
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
        let since: Vec<_> = found.iter().map(|one| one.since.map(|at| at.0)).collect();
        assert_eq!(since, [None, Some(7), Some(9), Some(8)]);
        assert_eq!(found[2].text, "a job in queue late has waited for 10 minutes, 2 more wait");
        assert_eq!(found[3].text, "queue held is paused by ann, 3 jobs wait");
    }
}
