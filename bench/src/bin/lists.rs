//! What lists cost: `cargo run --release -p bench --bin lists -- --data-dir DIR`, of a directory that `seed`
//! filled. Exits with 1 when one is slower than its bound.

use bench::{
    Arguments,
    made::{self, OLD, PIPELINES, QUEUES, RARE, RARE_WORKER, SPAN},
};
use engine::{Caller, Engine, store::JobsQuery};
use shared::{JobFilter, JobSort, JobState, Timestamp};
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// Each list is asked for this often, after twice that do not count.
const ROUNDS: usize = 50;
/// At p95: a page by filter, a page of a search, and once from the start to the first page.
const FILTER: Duration = Duration::from_millis(20);
const SEARCH: Duration = Duration::from_millis(100);
const START: Duration = Duration::from_millis(500);
/// Pages that a walk down a list takes at most.
const PAGES: usize = 20;

/// How long the requests of one list took.
struct Measured {
    name: String,
    bound: Duration,
    /// In order.
    times: Vec<Duration>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let data_dir = Arguments::read()?.data_dir;
    let (begun, caller) = (Instant::now(), Caller::board());
    let engine = Engine::start(&data_dir, made::settings(), "/bin/false".into()).await?;
    engine.jobs_page(&caller, &query(JobFilter::default())).await?;
    let start = Measured {
        name: "start to first page".to_owned(),
        bound: START,
        times: vec![begun.elapsed()],
    };
    let mut all = vec![start];
    for (name, query) in lists() {
        all.push(of_list(&engine, &caller, name, &query).await?);
    }
    engine.stop(false).await;
    println!("{:>8} {:>8} {:>8}  list", "p50 ms", "p95 ms", "bound");
    for one in &all {
        let mark = if one.is_slow() { "  SLOW" } else { "" };
        let (p50, p95) = (milliseconds(one.at(50)), milliseconds(one.at(95)));
        println!("{p50:8.2} {p95:8.2} {:8}  {}{mark}", one.bound.as_millis(), one.name);
    }
    for bound in [FILTER, SEARCH] {
        let of_bound = all.iter().filter(|one| one.bound == bound);
        if let Some(worst) = of_bound.max_by_key(|one| one.at(95)) {
            let p95 = milliseconds(worst.at(95));
            println!("worst p95 within {} ms: {p95:.2}, {}", bound.as_millis(), worst.name);
        }
    }
    Ok(if all.iter().any(Measured::is_slow) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Measures the first page, and then, as one list more, the slowest of the pages after it.
async fn of_list(
    engine: &Engine,
    caller: &Caller,
    name: String,
    query: &JobsQuery,
) -> anyhow::Result<Measured> {
    let bound = if query.filter.q.is_some() { SEARCH } else { FILTER };
    let (mut slowest, mut at) = (Duration::ZERO, query.clone());
    let mut next = query.clone();
    let (mut rows, mut pages) = (0, 0);
    loop {
        engine.jobs(caller, &next).await?;
        let begun = Instant::now();
        let page = engine.jobs(caller, &next).await?;
        if begun.elapsed() > slowest {
            (slowest, at) = (begun.elapsed(), next.clone());
        }
        (rows, pages) = (rows + page.items.len(), pages + 1);
        next.cursor = page.next_cursor;
        if next.cursor.is_none() || pages == PAGES {
            break;
        }
    }
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..2 * ROUNDS {
        // The first page is asked for most; the slowest one must be fast enough, too.
        let query = if round % 2 == 0 { query } else { &at };
        let begun = Instant::now();
        engine.jobs(caller, query).await?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(Measured { name: format!("{name} ({rows} rows, {pages} pages)"), bound, times })
}

// === impl Measured ===

impl Measured {
    fn at(&self, percent: usize) -> Duration {
        self.times[(self.times.len() * percent / 100).min(self.times.len() - 1)]
    }

    fn is_slow(&self) -> bool {
        self.at(95) > self.bound
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn query(filter: JobFilter) -> JobsQuery {
    JobsQuery { filter, sort: JobSort::Created, cursor: None, limit: 50 }
}

/// Every order with what is common, rare, old, absent and contradictory; then words of all sorts.
fn lists() -> Vec<(String, JobsQuery)> {
    let text = |word: &str| Some(word.to_owned());
    let ago = |part: f64| Some(Timestamp(Timestamp::now().0 - (SPAN as f64 * part) as i64));
    let any = JobFilter::default;
    let states = |states: &[JobState]| JobFilter { states: states.to_vec(), ..any() };
    let queue = |name| JobFilter { queue: text(name), ..any() };
    let pipeline = |name| JobFilter { pipeline: text(name), ..any() };
    let worker = |name| JobFilter { worker: text(name), ..any() };
    let host = made::worker(QUEUES[0], 1);
    let filters = [
        ("all", any()),
        ("failed", states(&[JobState::Failed])),
        ("failed or cancelled", states(&[JobState::Failed, JobState::Cancelled])),
        ("common queue", queue(QUEUES[0])),
        ("absent queue", queue("none")),
        ("common pipeline", pipeline(PIPELINES[0])),
        ("rarer pipeline", pipeline(PIPELINES[17])),
        ("pipeline of long ago", pipeline(OLD)),
        ("pipeline of 5 jobs", pipeline(RARE)),
        ("absent pipeline", pipeline("none")),
        ("common worker", worker(&host)),
        ("worker of 1 job", worker(RARE_WORKER)),
        ("absent worker", worker("none")),
        ("pipeline and its queue", JobFilter { queue: text(QUEUES[0]), ..pipeline(PIPELINES[0]) }),
        (
            "pipeline and another queue",
            JobFilter { queue: text(QUEUES[1]), ..pipeline(PIPELINES[0]) },
        ),
        ("worker and another queue", JobFilter { queue: text(QUEUES[1]), ..worker(&host) }),
        ("pipeline and worker", JobFilter { worker: text(&host), ..pipeline(PIPELINES[0]) }),
        ("the last hour", JobFilter { from: ago(1.0 / 504.0), ..any() }),
        ("one old hour", JobFilter { from: ago(0.9), to: ago(0.9 - 1.0 / 504.0), ..any() }),
        ("the oldest week", JobFilter { to: ago(2.0 / 3.0), ..any() }),
        ("a future hour", JobFilter { from: Some(Timestamp(i64::MAX / 2)), ..any() }),
        (
            "failed, old day, queue",
            JobFilter {
                from: ago(0.9),
                to: ago(0.85),
                queue: text(QUEUES[0]),
                ..states(&[JobState::Failed])
            },
        ),
    ];
    let searches = [
        "send",
        "s",
        "customer",
        "customer-4711",
        "connection refused",
        "unreachable certificate",
        "order_5",
        "eu west batch",
        "refused unreachable",
        "nowhere",
        "019",
    ];
    let sifted = [
        ("", any()),
        (", common queue", queue(QUEUES[0])),
        (", failed", states(&[JobState::Failed])),
        (", pipeline of 5 jobs", pipeline(RARE)),
        (", pipeline of long ago", pipeline(OLD)),
        (", absent queue", queue("none")),
    ];
    let by_filter = filters.into_iter().flat_map(|(name, filter)| {
        JobSort::ALL.map(|sort| {
            (format!("{name}, by {}", sort.as_str()), JobsQuery { sort, ..query(filter.clone()) })
        })
    });
    let by_search = searches.into_iter().flat_map(|q| {
        sifted.clone().map(|(name, filter)| {
            (format!("{q:?}{name}"), query(JobFilter { q: text(q), ..filter }))
        })
    });
    by_filter.chain(by_search).collect()
}
