//! Lists, page by page, against a naive filter over all rows.

use crate::stand::{Stand, claim, job_id, new_job};
use engine::{
    Observation,
    store::{BadCursor, JobsQuery, QueryError},
};
use shared::{ConnectionId, Job, JobFilter, JobState};
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
    let mut query = JobsQuery { filter: filter.clone(), cursor: None, limit };
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
