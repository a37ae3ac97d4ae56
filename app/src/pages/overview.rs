//! The overview: what runs, what failed, what waits, and who works.

use super::{of_board::of_board, queues, workers, workers::is_online};
use crate::{
    board::Board,
    format,
    parts::{
        activity,
        html::{element, text},
        jobs, meter,
        notice::Empty,
        rows::{self, Row},
        text as signal_text,
        time::{Clock, when},
    },
};
use leptos::prelude::*;
use shared::{JobState, Queue, Worker};

const QUEUES: &str = "<tr class=\"quiet\"><th scope=\"col\">Queue</th><th scope=\"col\" class=\"col-progress\">Slots taken</th>\
    <th scope=\"col\" class=\"col-figure\">Waiting</th><th scope=\"col\" class=\"col-figure\">Oldest</th></tr>";
const WORKERS: &str = "<tr class=\"quiet\"><th scope=\"col\">Worker</th><th scope=\"col\" class=\"col-state\">State</th>\
    <th scope=\"col\" class=\"col-figure\">Slots taken</th></tr>";

#[component]
pub fn OverviewPage() -> impl IntoView {
    of_board("", |board| view! { <Overview board/> })
}

#[component]
fn Overview(board: Board) -> impl IntoView {
    let (active, failed) = (board.active.clone(), board.failed.clone());
    let (none_active, none_failed) = (active.clone(), failed.clone());
    let (queues, workers) = (board.queues.clone(), board.workers.clone());
    let queues = rows::body(move || queues.map(queue_row));
    let clock = expect_context::<Clock>();
    let of_workers = clock.clone();
    let workers = rows::body(move || workers.map(|worker| worker_row(&of_workers, worker)));
    let counts = board.counts.clone();
    let running = signal_text(move || format::total(counts.of(&[JobState::Active])));
    let (activity, attention) = (board.activity.clone(), board.attention.clone());
    let chart = signal_text(move || activity.with(|minutes| activity::chart(minutes)));
    let attention = signal_text(move || attention.with(|all| activity::attention(&clock, all)));
    let tiles = rows::pieces("contents", move || vec![Row::new("", tiles(&board))]);
    view! {
        <h1>"Overview"</h1>
        {tiles}
        <div class="columns">
            <div class="column">
                <section class="card last-hour" aria-label="The last hour" inner_html=chart></section>
                <section class="card" aria-labelledby="running">
                    <div class="card-head">
                        <h2 id="running">"Running now"</h2>
                        <a class="card-more num" href="/jobs?state=active">{running} " active"</a>
                    </div>
                    {jobs::running(active)}
                    {move || {
                        none_active
                            .is_empty()
                            .then(|| view! { <Empty title="Nothing runs" link=("/pipelines", "Run a pipeline")/> })
                    }}
                </section>
                <section class="card" aria-labelledby="failures">
                    <div class="card-head">
                        <h2 id="failures">"Last failures"</h2>
                        <a class="card-more" href="/jobs?state=failed">"all failed"</a>
                    </div>
                    {jobs::failed(failed)}
                    {move || {
                        none_failed
                            .is_empty()
                            .then(|| view! { <Empty title="Nothing failed" text="Failures show up here as they happen."/> })
                    }}
                </section>
            </div>
            <div class="column">
                <section class="card attention" aria-labelledby="attention">
                    <div class="card-head">
                        <h2 id="attention">"Needs attention"</h2>
                    </div>
                    <ul aria-labelledby="attention" inner_html=attention></ul>
                </section>
                <section class="card" aria-labelledby="queues">
                    <div class="card-head">
                        <h2 id="queues">"Queues"</h2>
                        <span class="card-more">"waiting, oldest"</span>
                    </div>
                    <table class="rows" aria-label="Queues">
                        <thead inner_html=QUEUES></thead>
                        {queues}
                    </table>
                </section>
                <section class="card" aria-labelledby="workers">
                    <div class="card-head">
                        <h2 id="workers">"Workers"</h2>
                        <span class="card-more">"slots taken"</span>
                    </div>
                    <table class="rows" aria-label="Workers">
                        <thead inner_html=WORKERS></thead>
                        {workers}
                    </table>
                </section>
            </div>
        </div>
    }
}

/// The figures that say whether anything is wrong.
fn tiles(board: &Board) -> String {
    let sum =
        |read: fn(&Queue) -> f64| board.queues.map(read).into_iter().sum::<f64>().round() as u64;
    let failing = sum(|q| q.failed_per_min);
    let slots: u64 =
        board.workers.map(|w| if is_online(w) { u64::from(w.concurrency) } else { 0 }).iter().sum();
    let online = board.workers.map(is_online);
    let offline = online.iter().filter(|online| !**online).count();
    let oldest = board.queues.map(|q| q.oldest_waiting_ms).into_iter().flatten().max();
    let later = board.counts.of(&[JobState::Scheduled, JobState::Retrying]);
    let waits = match oldest {
        Some(ms) => format!("oldest {}", format::running(ms)),
        None => "nothing waits".to_owned(),
    };
    let waits = match later.count {
        0 => waits,
        _ => format!("{waits} · {} later", format::total(later)),
    };
    let active = board.counts.of(&[JobState::Active]);
    let (hour, completed, failed) = board.activity.with(|minutes| {
        let completed = activity::spark("is-completed", minutes, |minute| minute.completed);
        let failed = activity::spark("is-failed", minutes, |minute| minute.failed);
        (activity::sums(minutes), completed, failed)
    });
    let share = match hour.0 + hour.1 {
        0 => "none in the last hour".to_owned(),
        ended => format!("{:.1} % of the last hour's", 100.0 * hour.1 as f64 / ended as f64),
    };
    let figures = [
        (
            "Completed / min",
            format::count(sum(|q| q.rate_per_min - q.failed_per_min)),
            false,
            format!("{} in the last hour", format::count(hour.0)),
            completed,
        ),
        ("Failed / min", format::count(failing), failing > 0, share, failed),
        (
            "Active",
            format::total(active),
            false,
            format!("of {}", format::plural(slots, "slot", "slots")),
            meter::share(active.count, slots),
        ),
        (
            "Waiting",
            format::total(board.counts.of(&[JobState::Queued])),
            false,
            waits,
            String::new(),
        ),
        (
            "Workers",
            (online.len() - offline).to_string(),
            offline > 0,
            if offline > 0 { format!("{offline} offline") } else { "all online".to_owned() },
            String::new(),
        ),
    ];
    let tile = |(name, figure, bad, more, drawn): (&str, String, bool, String, String)| {
        let bad = if bad { " is-failed" } else { "" };
        format!(
            "<div class=\"card tile\"><dt>{name}</dt><dd class=\"tile-figure num{bad}\">{figure}</dd>\
             <dd class=\"tile-drawn\">{drawn}</dd><dd class=\"tile-more num\">{more}</dd></div>"
        )
    };
    element("dl class=\"tiles\"", &figures.map(tile).concat())
}

fn queue_row(queue: &Queue) -> Row {
    let cells = [
        element("td class=\"cut\"", &queues::linked(queue)),
        element("td class=\"col-progress\"", &queues::taken(queue)),
        text("td class=\"end num col-figure\"", &format::count(queue.depth)),
        text("td class=\"end dim num col-figure\"", &queues::oldest(queue)),
    ];
    Row::new(format!("{}/{}", queue.connection_id, queue.name), element("tr", &cells.concat()))
}

fn worker_row(clock: &Clock, worker: &Worker) -> Row {
    let state = match is_online(worker) {
        true => "<span class=\"worker-state is-completed\">Online</span>".to_owned(),
        false => element(
            "span class=\"worker-state is-failed\"",
            &["Offline since ", &when(clock, Some(worker.seen_at))].concat(),
        ),
    };
    let cells = [
        text("td class=\"cut\"", &worker.id),
        element("td class=\"col-state\"", &state),
        text("td class=\"end num col-figure\"", &workers::slots(worker)),
    ];
    Row::new(format!("{}/{}", worker.connection_id, worker.id), element("tr", &cells.concat()))
}
