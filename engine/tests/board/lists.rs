//! Lists, page by page, against a naive filter over all rows.

use crate::stand::{CONNECTION, Stand, claim, job_id, new_job};
use engine::{
    Observation,
    store::{BadCursor, JobsQuery, QueryError, Recent},
};
use shared::{ConnectionId, Job, JobFilter, JobSort, JobState, Timestamp};
use std::collections::BTreeMap;
use uuid::Uuid;

const OTHER: ConnectionId = ConnectionId(Uuid::from_u128(2));

/// 120 jobs over two connections, three queues, two pipelines; many at the same millisecond.
async fn filled(stand: &Stand) {
    for n in 0..120_u128 {
        let mut new = new_job(n);
        new.created_at.0 -= (n % 7) as i64 - (n / 50) as i64;
        new.queue = format!("queue {}", n % 3);
        new.pipeline =
            [None, Some("a".to_owned()), Some("b".to_owned())][(n % 5 % 3) as usize].clone();
        if n % 4 == 0 {
            new.connection = OTHER;
        }
        stand.send(Observation::Queued(Box::new(new))).await.unwrap();
        if n % 6 == 0 {
            stand.send(claim(job_id(n), 1)).await.unwrap();
        }
    }
}

fn pages(stand: &Stand, filter: &JobFilter, limit: u32) -> Vec<Job> {
    let mut all = Vec::new();
    let mut query =
        JobsQuery { filter: filter.clone(), sort: JobSort::Created, cursor: None, limit };
    loop {
        let page = stand.store.jobs(&stand.caller, &query).unwrap();
        assert!(page.items.len() <= limit as usize);
        all.extend(page.items);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            assert_eq!(page.total.count, all.len() as u64);
            assert!(page.total.exact);
            return all;
        }
    }
}

#[tokio::test]
async fn the_pages_of_a_list_are_all_that_match_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    filled(&stand).await;
    let all = pages(&stand, &JobFilter::default(), 200);
    assert_eq!(all.len(), 120);
    assert!(all.is_sorted_by_key(|job| std::cmp::Reverse((job.created_at, job.id))));
    let text = |word: &str| Some(word.to_owned());
    for connections in [vec![], vec![OTHER]] {
        for states in [vec![], vec![JobState::Active], vec![JobState::Queued, JobState::Active]] {
            for queue in [None, text("queue 1"), text("none")] {
                for pipeline in [None, text("a")] {
                    let filter = JobFilter {
                        connections: connections.clone(),
                        states: states.clone(),
                        queue: queue.clone(),
                        pipeline,
                        ..JobFilter::default()
                    };
                    let expected: Vec<_> =
                        all.iter().filter(|job| filter.matches(job)).cloned().collect();
                    assert_eq!(pages(&stand, &filter, 7), expected, "{filter:?}");
                    let counts = stand.store.counts(&stand.caller, &filter).unwrap();
                    let any = filter.any_state();
                    for count in counts {
                        let naive = all
                            .iter()
                            .filter(|job| any.matches(job) && job.state == count.state)
                            .count();
                        assert_eq!(count.total.count, naive as u64, "{filter:?} {}", count.state);
                    }
                }
            }
        }
    }
    stand.close();
}

#[tokio::test]
async fn a_cursor_of_another_filter_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    filled(&stand).await;
    let mut query = JobsQuery { limit: 5, ..JobsQuery::default() };
    query.cursor = stand.store.jobs(&stand.caller, &query).unwrap().next_cursor;
    query.filter.states = vec![JobState::Queued];
    let refused = stand.store.jobs(&stand.caller, &query);
    assert!(matches!(refused, Err(QueryError::Cursor(BadCursor::OtherFilter))));
    stand.close();
}

#[tokio::test]
async fn counting_stops_at_ten_thousand() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    let mut last = None;
    for n in 0..10_001 {
        let queued = Observation::Queued(Box::new(new_job(n)));
        last = Some(stand.board.send(queued).await.unwrap());
    }
    last.unwrap().await.unwrap();
    let page = stand.store.jobs(&stand.caller, &JobsQuery::default()).unwrap();
    assert_eq!((page.total.count, page.total.exact), (10_000, false));
    assert_eq!(page.items.len(), 1);
    stand.close();
}

/// Ends every third job, some of them as failed.
async fn ended(stand: &Stand) {
    for n in (0..120_u128).filter(|n| n % 3 == 0) {
        let id = job_id(n);
        let state = if n % 2 == 0 { JobState::Failed } else { JobState::Completed };
        let _ = stand.send(claim(id, 1)).await;
        let error = (state == JobState::Failed).then(|| format!("disk {n} is gone"));
        let end = engine::observation::RunChange::Ended {
            state,
            at: Timestamp(1_800_000_001_000 + (n % 5) as i64),
            duration_ms: Some((n % 11) as u64),
            exit: engine::observation::Exit::default(),
            error,
            mark: crate::stand::mark(1),
            retry_at: None,
        };
        stand.send(crate::stand::run(id, 1, Some(10), vec![end])).await.unwrap();
    }
}

fn all_of(stand: &Stand, filter: &JobFilter, sort: JobSort, limit: u32) -> Vec<Job> {
    let mut all = Vec::new();
    let mut query = JobsQuery { filter: filter.clone(), sort, cursor: None, limit };
    loop {
        let page = stand.store.jobs(&stand.caller, &query).unwrap();
        all.extend(page.items);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn every_order_and_filter_is_what_a_look_at_all_rows_would_find() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    filled(&stand).await;
    ended(&stand).await;
    let all = all_of(&stand, &JobFilter::default(), JobSort::Created, 200);
    let text = |bit: u32, bits: u32, word: &str| (bits & 1 << bit != 0).then(|| word.to_owned());
    let time = |bit: u32, bits: u32, n: usize| (bits & 1 << bit != 0).then(|| all[n].created_at);
    for bits in 0..32 {
        let filter = JobFilter {
            queue: text(0, bits, "queue 0"),
            worker: text(1, bits, "local:default@here"),
            pipeline: text(2, bits, "a"),
            from: time(3, bits, 100),
            to: time(4, bits, 10),
            ..JobFilter::default()
        };
        for sort in JobSort::ALL {
            let key = |job: &Job| match sort {
                JobSort::Created => Some(job.created_at.0),
                JobSort::Finished => job.finished_at.map(|at| at.0),
                JobSort::Duration => job.duration_ms.map(|ms| ms as i64),
            };
            let mut expected: Vec<_> = all
                .iter()
                .filter(|job| filter.matches(job) && key(job).is_some())
                .cloned()
                .collect();
            expected.sort_by_key(|job| std::cmp::Reverse((key(job), job.id)));
            assert_eq!(all_of(&stand, &filter, sort, 7), expected, "{filter:?} {sort:?}");
        }
    }
    stand.close();
}

#[tokio::test]
async fn a_search_finds_words_of_names_parameters_errors_and_ids_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    filled(&stand).await;
    ended(&stand).await;
    let find = |q: &str| {
        let filter = JobFilter { q: Some(q.to_owned()), ..JobFilter::default() };
        all_of(&stand, &filter, JobSort::Created, 7)
    };
    assert_eq!(find("wor").len(), 120, "the last word is a beginning");
    assert_eq!(find("wor hello").len(), 0, "the others are whole");
    assert!(find("hello").is_sorted_by_key(|job| std::cmp::Reverse(job.id)));
    let gone = find("disk 36 gone");
    assert_eq!(gone.iter().map(|job| job.id).collect::<Vec<_>>(), [job_id(36)]);
    assert_eq!(find(&job_id(77).to_string())[0].id, job_id(77));
    for odd in
        ["\"", "OR", "name:hello", "hello*", "NEAR(a b)", "^", "(", "-", "'; DROP TABLE jobs"]
    {
        find(odd);
    }
    assert!(find("  ").is_empty());
    let filter = JobFilter {
        q: Some("disk".to_owned()),
        queue: Some("queue 0".to_owned()),
        ..JobFilter::default()
    };
    let found = all_of(&stand, &filter, JobSort::Created, 3);
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|job| job.queue == "queue 0" && job.state == JobState::Failed));
    let gone = Observation::Deleted { job: job_id(36), connection: CONNECTION };
    stand.send(gone).await.unwrap();
    assert!(find("disk 36 gone").is_empty());
    stand.close();
}

#[tokio::test]
async fn counts_that_are_kept_are_what_a_look_at_all_rows_would_find() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    filled(&stand).await;
    ended(&stand).await;
    for n in [0, 3, 6] {
        let job = stand.store.job(&stand.caller, job_id(n)).unwrap().unwrap();
        let gone = Observation::Deleted { job: job.id, connection: job.connection_id };
        stand.send(gone).await.unwrap();
    }
    let mut naive = BTreeMap::new();
    for job in all_of(&stand, &JobFilter::default(), JobSort::Created, 200) {
        *naive.entry((job.connection_id, job.queue, job.state)).or_insert(0) += 1;
    }
    let kept = stand.store.counted(&stand.caller).unwrap().into_iter();
    let kept = kept.filter(|one| one.count > 0);
    let kept: BTreeMap<_, _> =
        kept.map(|one| ((one.connection, one.queue, one.state), one.count)).collect();
    assert_eq!(kept, naive);
    stand.close();
}

#[tokio::test]
async fn the_last_hour_is_read_back_with_how_long_jobs_waited_and_ran() {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::open(dir.path());
    filled(&stand).await;
    ended(&stand).await;
    let all = all_of(&stand, &JobFilter::default(), JobSort::Created, 200);
    let newest = all.iter().filter_map(|job| job.finished_at).max().unwrap();
    let recent = stand.store.last_hour(newest).unwrap();
    let over = recent.iter().filter(|one| one.finished.is_some()).count();
    assert_eq!(over, all.iter().filter(|job| job.state.is_over()).count());
    assert_eq!(recent.len() - over, all.iter().filter(|job| job.state == JobState::Active).count());
    let sum = |ms: fn(&Recent) -> Option<u64>| recent.iter().filter_map(ms).sum::<u64>();
    assert_eq!(sum(|one| one.run_ms), all.iter().filter_map(|job| job.duration_ms).sum::<u64>());
    let later = Timestamp(newest.0 + 3_600_001);
    assert!(stand.store.last_hour(later).unwrap().is_empty());
    stand.close();
}
