//! Pages of ranges against a look at all rows.

use super::{
    super::{Change, Plan, Store, StoreError, Writer},
    *,
};
use shared::Job;
use std::collections::BTreeMap;

/// 300 jobs of three pipelines and two queues, a third of which ended.
fn filled(writer: &mut Writer) -> Vec<Job> {
    let connection = ConnectionId(Uuid::nil());
    let jobs: Vec<_> = (0..300_i64).map(|n| job(connection, n)).collect();
    let frame = bytes::Bytes::new();
    let mut changes = vec![Change::Event { seq: 1, connection, topic: 0, frame }];
    for job in &jobs {
        let params = BTreeMap::new();
        let plan = Plan { params, definition: None, created_by: String::new() };
        let (job, plan, steps) = (Box::new(job.clone()), Box::new(plan), Vec::new());
        changes.push(Change::Queued { job, plan, steps });
    }
    writer.commit(&changes, None).unwrap();
    jobs
}

fn job(connection: ConnectionId, n: i64) -> Job {
    let end = (n % 3 == 0).then_some(Timestamp(5_000 + n * 7 % 100));
    Job {
        id: JobId(Uuid::from_u128(n as u128 * 77 % 1_000)),
        connection_id: connection,
        external_id: None,
        name: String::new(),
        pipeline: Some(format!("pipeline {}", n / 100)),
        queue: format!("queue {}", n % 2),
        worker: end.map(|_| "worker".to_owned()),
        state: match n % 9 {
            0 | 3 => JobState::Completed,
            6 => JobState::Failed,
            _ => JobState::Queued,
        },
        attempt: 0,
        max_attempts: 1,
        priority: 0,
        run_at: None,
        retry_of: None,
        progress: None,
        step: None,
        steps_done: 0,
        steps_total: 0,
        created_at: Timestamp(n / 2),
        started_at: None,
        finished_at: end,
        duration_ms: end.map(|_| (n * 13 % 50) as u64),
        error: None,
        exit_code: None,
        signal: None,
        revision: 0,
    }
}

#[test]
fn however_little_may_be_sifted_the_pages_together_are_all_that_is_wanted_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = Store::open(dir.path()).unwrap();
    let jobs = filled(&mut writer);
    let text = |bits: u32, bit: u32, word: &str| (bits & 1 << bit != 0).then(|| word.to_owned());
    let times = [(None, None), (Some(Timestamp(20)), Some(Timestamp(120)))];
    for (bits, sort) in (0..8).flat_map(|bits| JobSort::ALL.map(|sort| (bits, sort))) {
        for ((from, to), sifted) in times.iter().flat_map(|t| [1, 7, 1_000].map(|n| (t, n))) {
            let filter = JobFilter {
                queue: text(bits, 0, "queue 1"),
                worker: text(bits, 1, "worker"),
                pipeline: text(bits, 2, "pipeline 1"),
                from: *from,
                to: *to,
                ..JobFilter::default()
            };
            let place = |job: &Job| {
                let key = match sort {
                    JobSort::Created => Some(job.created_at.0),
                    JobSort::Finished => job.finished_at.map(|at| at.0),
                    JobSort::Duration => job.duration_ms.map(|ms| ms as i64),
                };
                key.map(|key| Place { key, id: job.id })
            };
            let wanted = jobs.iter().filter(|job| filter.matches(job));
            let mut wanted: Vec<_> = wanted.filter_map(place).collect();
            wanted.sort_unstable_by(|a, b| b.cmp(a));
            let found = store.read(|db| {
                let mut ranges = Ranges::of(db, &filter, sort)?;
                ranges.sifts = Sifts { count: sifted, page: sifted as usize };
                let total = ranges.total(db)?;
                assert!(!total.exact || total.count == wanted.len() as u64, "{filter:?}");
                assert!(total.count <= wanted.len() as u64, "{filter:?}");
                let few = ranges.page_of_few(db, None, 500)?;
                assert!(few.places.iter().map(|(place, _)| place).eq(&wanted), "{filter:?}");
                all_pages(db, &ranges)
            });
            assert_eq!(found.unwrap(), wanted, "{filter:?} by {sort:?}, {sifted} sifted");
        }
    }
}

fn all_pages(db: &Connection, ranges: &Ranges<'_>) -> Result<Vec<Place>, StoreError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = ranges.page(db, after, 10)?;
        assert!(page.places.len() <= 10);
        let has_moved = |end: Place| after.is_none_or(|after| end < after);
        assert!(page.end.is_none_or(has_moved), "a page leads on");
        all.extend(page.places.iter().map(|(place, _)| *place));
        after = page.end;
        if after.is_none() {
            return Ok(all);
        }
    }
}
