//! Schedules over weeks: a clock that is driven by the test, a scheduler, a board and a store, no
//! executors; and a server that is killed again and again.

use crate::house::{House, detail, over, pipeline, until};
use engine::{
    Caller, Definition, ScheduleDef,
    board::Board,
    hub::Hub,
    runner::scheduler::Scheduler,
    schedule::{Schedule, zone},
    store::{JobsQuery, Store},
};
use shared::{ConnectionId, JobFilter, JobState, Overlap, Timestamp};
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};
use uuid::Uuid;

const DIR: &str = "SCHEDULE_DIR";
const FROM: &str = "SCHEDULE_FROM";
const CONNECTION: ConnectionId = ConnectionId(Uuid::from_u128(1));
const MINUTE: i64 = 60_000;
const WEEKS: i64 = 14 * 24 * 60 * MINUTE;
/// 2026-03-22 UTC. Berlin's clock goes from 2:00 to 3:00 on the 29th, at 1:00 UTC. On the 5th of April
/// there, which is the 4th in UTC, that of Sydney goes from 3:00 back to 2:00 at 16:00 UTC, and that of Lord
/// Howe from 2:00 back to 1:30 at 15:00 UTC.
const START: Timestamp = Timestamp(1_774_137_600_000);
const RULES: [(&str, &str, &str); 7] = [
    ("minute", "* * * * *", "Europe/Berlin"),
    ("half-past-two", "30 2 * * *", "Europe/Berlin"),
    ("often", "*/7 0-6 * * *", "Europe/Berlin"),
    ("sydney", "30 2 * * *", "Australia/Sydney"),
    ("sydney-often", "*/7 0-6 * * *", "Australia/Sydney"),
    ("lord-howe", "45 1,2 * * *", "Australia/Lord_Howe"),
    ("weekdays", "0 9 * * MON-FRI", "America/New_York"),
];
/// All due times of each rule from one moment to another, around a change of its clock: worked out by
/// hand, day and time in UTC.
const BY_HAND: [(&str, &str, &str, &[&str]); 7] = [
    (
        "minute",
        "03-29T00:58",
        "03-29T01:01",
        &["03-29T00:58", "03-29T00:59", "03-29T01:00", "03-29T01:01"],
    ),
    // There is no half past two on the 29th: it is due at the change.
    ("half-past-two", "03-28T00:00", "03-31T00:00", &["03-28T01:30", "03-29T01:00", "03-30T00:30"]),
    // All that the change skips is due once, with 3:00.
    (
        "often",
        "03-29T00:49",
        "03-29T01:14",
        &["03-29T00:49", "03-29T00:56", "03-29T01:00", "03-29T01:07", "03-29T01:14"],
    ),
    // There are two half past twos on the 5th: the first counts.
    ("sydney", "04-03T00:00", "04-05T00:00", &["04-03T15:30", "04-04T15:30"]),
    (
        "sydney-often",
        "04-04T15:49",
        "04-04T17:07",
        &["04-04T15:49", "04-04T15:56", "04-04T17:00", "04-04T17:07"],
    ),
    // A quarter to two comes twice, a quarter to three half an hour later than the day before.
    (
        "lord-howe",
        "04-03T00:00",
        "04-05T00:00",
        &["04-03T14:45", "04-03T15:45", "04-04T14:45", "04-04T16:15"],
    ),
    ("weekdays", "03-27T00:00", "03-31T00:00", &["03-27T13:00", "03-30T13:00"]),
];

fn rule(cron: &str, timezone: &str, overlap: Overlap) -> ScheduleDef {
    ScheduleDef { cron: cron.into(), timezone: timezone.into(), overlap, catch_up: false }
}

fn of_2026(time: &str) -> Timestamp {
    format!("2026-{time}:00Z").parse().unwrap()
}

fn definitions() -> Vec<Definition> {
    let scheduled = RULES.iter().map(|(name, cron, timezone)| Definition {
        schedule: Some(rule(cron, timezone, Overlap::Queue)),
        ..pipeline(name, &[("step", "true")])
    });
    scheduled.collect()
}

struct Parts {
    store: Store,
    board: Board,
    scheduler: Scheduler,
}

fn open(dir: &Path, pipelines: &[Definition], now: Timestamp) -> Parts {
    let (store, writer) = Store::open(dir).unwrap();
    let board = Board::start(&store, writer, Hub::start(&store).unwrap()).unwrap();
    let parts = (board.clone(), store.clone());
    let scheduler = Scheduler::new(parts, CONNECTION, pipelines, now).unwrap();
    Parts { store, board, scheduler }
}

/// Not a test: what the one below starts and kills. Says which minute it has dealt with.
#[test]
#[ignore = "started by the test that kills it"]
fn child() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let from: i64 = std::env::var(FROM).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut parts = open(dir.as_ref(), &definitions(), Timestamp(from));
    let mut out = std::io::stdout().lock();
    for minute in 0.. {
        let now = Timestamp(from + minute * MINUTE);
        if now.0 > START.0 + WEEKS {
            break;
        }
        runtime.block_on(parts.scheduler.tick(now)).unwrap();
        writeln!(out, "minute {}", now.0).unwrap();
        out.flush().unwrap();
    }
    parts.board.stop();
}

/// When the jobs of a pipeline were due, oldest first.
fn made(store: &Store, pipeline: &str) -> Vec<Timestamp> {
    let filter = JobFilter { pipeline: Some(pipeline.into()), ..JobFilter::default() };
    let mut query = JobsQuery { filter, limit: 200, ..JobsQuery::default() };
    let mut all = Vec::new();
    loop {
        let page = store.jobs(&Caller::board(), &query).unwrap();
        all.extend(page.items.iter().map(|job| job.run_at.unwrap()));
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            all.sort_unstable();
            return all;
        }
    }
}

#[test]
fn two_weeks_lose_no_run_and_double_none_whatever_is_killed() {
    // Memory, where there is some: it is the order of commits that counts here, not the disk.
    let shm = Path::new("/dev/shm");
    let dir = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap();
    let mut at = START.0;
    // The first one is new at the start, so what is due there is not its business.
    for kill in 1_u64.. {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "schedules::child", "--nocapture"])
            .env(DIR, dir.path())
            .env(FROM, at.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let minute = |line: String| line.split_once("minute ")?.1.parse::<i64>().ok();
        // Any number of minutes, the same ones in every run of this test.
        let lines = kill.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 53;
        let mut seen = 0;
        while seen < lines {
            let Some(line) = output.next() else { break };
            if let Some(minute) = minute(line.unwrap()) {
                (at, seen) = (minute, seen + 1);
            }
        }
        child.kill().unwrap();
        let ended = child.wait().unwrap();
        at = output.map_while(Result::ok).filter_map(minute).last().unwrap_or(at);
        if ended.success() || at >= START.0 + WEEKS {
            break;
        }
        // It may have died before it said so, and the next one may come a minute later.
        at += i64::from(kill % 2 == 0) * MINUTE;
    }
    let parts = open(dir.path(), &definitions(), Timestamp(START.0 + WEEKS));
    for (name, cron, timezone) in RULES {
        let schedule = Schedule::parse(cron, zone(timezone).unwrap()).unwrap();
        let all = std::iter::successors(schedule.next_after(START), |at| schedule.next_after(*at));
        let expected: Vec<_> = all.take_while(|at| at.0 <= START.0 + WEEKS).collect();
        let found = made(&parts.store, name);
        assert_eq!(found.len(), expected.len(), "{name}");
        assert!(found == expected, "{name}");
    }
    assert_eq!(made(&parts.store, "minute").len(), 14 * 24 * 60);
    assert_eq!(made(&parts.store, "half-past-two").len(), 14);
    for (name, from, to, expected) in BY_HAND {
        let mut found = made(&parts.store, name);
        found.retain(|at| (of_2026(from)..=of_2026(to)).contains(at));
        let expected: Vec<_> = expected.iter().map(|time| of_2026(time)).collect();
        assert_eq!(found, expected, "{name}");
    }
    parts.board.stop();
}

fn one(overlap: Overlap, catch_up: bool) -> Vec<Definition> {
    let schedule = Some(ScheduleDef { catch_up, ..rule("*/10 * * * *", "UTC", overlap) });
    vec![Definition { schedule, ..pipeline("one", &[("step", "true")]) }]
}

#[tokio::test]
async fn what_is_due_while_the_run_before_goes_on_is_skipped_and_shown() {
    let dir = tempfile::tempdir().unwrap();
    let mut parts = open(dir.path(), &one(Overlap::Skip, false), START);
    let at = |tens: i64| Timestamp(START.0 + tens * 10 * MINUTE);
    assert_eq!(parts.scheduler.tick(at(1)).await.unwrap().len(), 1);
    assert!(parts.scheduler.tick(at(2)).await.unwrap().is_empty());
    assert_eq!(parts.store.skipped().unwrap(), [("one".to_owned(), at(2))]);
    parts.board.stop();
}

#[tokio::test]
async fn what_passed_while_no_server_ran_is_made_up_for_once_if_that_is_wanted() {
    for (catch_up, made) in [(false, 0), (true, 1)] {
        let dir = tempfile::tempdir().unwrap();
        let pipelines = one(Overlap::Queue, catch_up);
        let mut parts = open(dir.path(), &pipelines, START);
        assert!(parts.scheduler.tick(START).await.unwrap().is_empty());
        parts.board.stop();
        drop(parts);
        let later = Timestamp(START.0 + 24 * 60 * MINUTE + 5 * MINUTE);
        let mut parts = open(dir.path(), &pipelines, later);
        assert_eq!(parts.scheduler.tick(later).await.unwrap().len(), made);
        assert!(parts.scheduler.tick(later).await.unwrap().is_empty());
        let next = Timestamp(later.0 + 5 * MINUTE);
        assert_eq!(parts.scheduler.next(), Some(next));
        assert_eq!(parts.scheduler.tick(next).await.unwrap().len(), 1);
        parts.board.stop();
    }
}

#[tokio::test]
async fn what_is_late_by_at_most_a_minute_runs_unless_the_next_time_has_come() {
    let at = |minutes: i64| START.0 + minutes * MINUTE;
    // A schedule, when the next server is there, and which time it runs.
    let cases = [
        ("*/10 * * * *", false, at(10) + MINUTE, Some(at(10))),
        ("*/10 * * * *", false, at(10) + MINUTE + 1, None),
        ("* * * * *", false, at(10) + MINUTE / 2, Some(at(10))),
        ("* * * * *", false, at(11), Some(at(11))),
        ("* * * * *", true, at(10) + MINUTE / 2, Some(at(10))),
        ("*/10 * * * *", true, at(25), Some(at(10))),
        ("*/10 * * * *", true, at(20), Some(at(20))),
    ];
    for (cron, catch_up, then, expected) in cases {
        let dir = tempfile::tempdir().unwrap();
        let schedule = Some(ScheduleDef { catch_up, ..rule(cron, "UTC", Overlap::Queue) });
        let pipelines = [Definition { schedule, ..pipeline("one", &[("step", "true")]) }];
        let mut parts = open(dir.path(), &pipelines, START);
        assert!(parts.scheduler.tick(START).await.unwrap().is_empty());
        parts.board.stop();
        drop(parts);
        let mut parts = open(dir.path(), &pipelines, Timestamp(then));
        parts.scheduler.tick(Timestamp(then)).await.unwrap();
        let expected: Vec<_> = expected.map(Timestamp).into_iter().collect();
        assert_eq!(made(&parts.store, "one"), expected, "{cron} {catch_up} {then}");
        assert!(parts.scheduler.tick(Timestamp(then)).await.unwrap().is_empty());
        parts.board.stop();
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_a_little_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut parts = open(dir.path(), &one(Overlap::Queue, false), START);
    let at = |minutes: i64| Timestamp(START.0 + minutes * MINUTE);
    assert_eq!(parts.scheduler.tick(at(10)).await.unwrap().len(), 1);
    for minute in 0..=10 {
        assert!(parts.scheduler.tick(at(minute)).await.unwrap().is_empty());
    }
    assert_eq!(parts.scheduler.tick(at(20)).await.unwrap().len(), 1);
    parts.board.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_runs_what_is_due_and_a_reload_changes_when_that_is() {
    let mut house = House::new(1, &[("hello", "echo hello")]);
    let engine = house.open().await;
    let caller = Caller::board();
    let mut reloaded = house.settings.clone();
    reloaded.pipelines[0].name = "other".into();
    reloaded.pipelines[0].schedule = Some(rule("* * * * *", "UTC", Overlap::Skip));
    // Not waited for: only whether it is known.
    engine.reload(reloaded);
    let shown = engine.pipelines(&caller).await.unwrap().pipelines.remove(0).schedule.unwrap();
    assert_eq!(shown.next.len(), 5);
    assert!(shown.next.windows(2).all(|pair| pair[1].0 - pair[0].0 == MINUTE));
    engine.stop(false).await;
    drop(engine);
    // As if it had been known for a while, and a server had been away for a moment.
    let (store, writer) = Store::open(&house.data()).unwrap();
    let board = Board::start(&store, writer, Hub::start(&store).unwrap()).unwrap();
    let minute = Timestamp::now().0 / MINUTE * MINUTE;
    let upto = Timestamp(minute - MINUTE);
    let passed = engine::Observation::DuesPassed { pipeline: "hello".into(), upto };
    board.send(passed).await.unwrap().await.unwrap();
    board.stop();
    drop((store, board));
    house.settings.pipelines[0].schedule = Some(rule("* * * * *", "UTC", Overlap::Skip));
    let engine = house.open().await;
    let job = until("the schedule made a job", async || {
        let query = JobsQuery { limit: 1, ..JobsQuery::default() };
        engine.jobs(&caller, &query).await.unwrap().items.pop()
    })
    .await;
    assert_eq!(detail(&engine, job.id).await.created_by, "schedule");
    assert_eq!(over(&engine, job.id).await.job.state, JobState::Completed);
    engine.stop(false).await;
}
