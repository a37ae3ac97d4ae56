//! Gap-free: a snapshot and the events since are a later snapshot, whatever happens in between.

use crate::stand::{
    CONNECTION, Rows, Stand, at, claim, connection, drain, job_id, mark, new_job, queue, run,
    worker,
};
use engine::{
    Observation,
    hub::Subscription,
    observation::{Exit, RunChange},
};
use proptest::prelude::*;
use shared::{CancelRequest, Freshness, JobState, StepState};
use std::time::{Duration, Instant};

/// Anything a source may send, in any order: much of it late, twice or out of place.
fn observation() -> impl Strategy<Value = Observation> {
    let job = || (0..4_u128).prop_map(job_id);
    let change = prop_oneof![
        (0..3_u32).prop_map(|ordinal| RunChange::StepStarted {
            ordinal,
            at: at(120),
            mark: mark(1)
        }),
        (0..3_u32, prop::sample::select(&StepState::ALL[..])).prop_map(|(ordinal, state)| {
            let (exit, error) = (Exit::default(), None);
            let (at, mark) = (at(130), mark(2));
            RunChange::StepEnded { ordinal, state, at, duration_ms: None, exit, error, mark }
        }),
        Just(RunChange::Started { at: at(110), mark: mark(0) }),
    ];
    let end =
        (prop::sample::select(&JobState::ALL[..]), any::<bool>()).prop_map(|(state, again)| {
            let (exit, error) = (Exit::default(), Some("why".to_owned()));
            let (at, mark, retry_at) = (at(200), mark(3), again.then(|| at(900)));
            RunChange::Ended { state, at, duration_ms: Some(1), exit, error, mark, retry_at }
        });
    let change = prop_oneof![8 => change, 1 => end];
    prop_oneof![
        3 => (0..4_u128).prop_map(|n| Observation::Queued(Box::new(new_job(n)))),
        3 => (job(), 1..3_u32).prop_map(|(job, attempt)| claim(job, attempt)),
        6 => (job(), 1..3_u32, 1..40_u64, prop::collection::vec(change, 1..4)).prop_map(
            |(job, attempt, position, changes)| run(job, attempt, Some(position), changes)
        ),
        2 => job().prop_map(|job| Observation::Ready { job, at: at(900) }),
        1 => job().prop_map(|job| Observation::Deleted { job, connection: CONNECTION }),
        6 => (job(), 0..100_u8).prop_map(|(job, percent)| {
            let progress = Some(f32::from(percent));
            Observation::Progress { job, attempt: 1, progress, step: None }
        }),
        1 => job().prop_map(|job| {
            let request = CancelRequest { by: "owner".to_owned(), at: at(150), why: None };
            Observation::CancelRequested { job, request }
        }),
        2 => (0..5_u32).prop_map(worker),
        2 => (0..5_u64).prop_map(queue),
        1 => prop::bool::ANY.prop_map(|live| {
            connection(if live { Freshness::Live } else { Freshness::Unreachable })
        }),
    ]
}

struct Page {
    rows: Rows,
    stream: Subscription,
}

impl Page {
    /// As a browser opens one: head, rows, and the stream from that head.
    fn open(stand: &Stand) -> Self {
        let (as_of, rows) = stand.snapshot();
        Self { rows, stream: stand.subscribe(Some(as_of)) }
    }

    fn follow(&mut self) {
        for frame in drain(&mut self.stream) {
            self.rows.apply(&frame);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_and_the_events_since_are_a_later_snapshot(
        batches in prop::collection::vec(prop::collection::vec(observation(), 1..12), 1..12),
        restart in any::<prop::sample::Index>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut stand = Stand::open(dir.path());
        let mut pages: Vec<Page> = vec![Page::open(&stand)];
        let restart = restart.index(batches.len());
        for (n, batch) in batches.into_iter().enumerate() {
            let acks = batch.into_iter().map(|one| stand.board.try_send(one).unwrap());
            let acks: Vec<_> = acks.collect();
            // In the middle of it: some of the batch is committed, some is not.
            pages.push(Page::open(&stand));
            for ack in acks {
                let _ = runtime.block_on(ack);
            }
            if n == restart {
                // Rows that are not stored come anew from their sources; the pages resume.
                let (head, rows) = stand.snapshot();
                pages.iter_mut().for_each(Page::follow);
                stand.close();
                stand = Stand::open(dir.path());
                let again = rows.workers.into_values().map(|row| Observation::Worker(Box::new(row)));
                let again = again.chain(rows.queues.into_values().map(|row| Observation::Queue(Box::new(row))));
                let again = again.chain(rows.connections.into_values().map(|row| Observation::Connection(Box::new(row))));
                for one in again {
                    runtime.block_on(stand.send(one)).unwrap();
                }
                for page in &mut pages {
                    page.stream = stand.subscribe(Some(head));
                }
            }
        }
        // What is held back comes by itself; then all are the same.
        let begun = Instant::now();
        loop {
            let (_, rows) = stand.snapshot();
            pages.iter_mut().for_each(Page::follow);
            if pages.iter().all(|page| page.rows == rows) {
                break;
            }
            if begun.elapsed() > Duration::from_secs(3) {
                for page in &pages {
                    prop_assert_eq!(&page.rows, &rows);
                }
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        stand.close();
    }
}
