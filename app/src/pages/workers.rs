//! Workers: who is there, how busy, and with what.

use super::of_board::of_board;
use crate::{
    board::Board,
    format,
    live::JobList,
    parts::{
        html::{element, escape, link, text},
        notice::Empty,
        rows::{self, Row},
        time::{Clock, when},
    },
    url::encode,
};
use leptos::prelude::*;
use shared::{Worker, WorkerState};

const HEAD: &str = "<tr><th scope=\"col\">Worker</th><th scope=\"col\" class=\"col-state\">State</th>\
    <th scope=\"col\" class=\"col-figure end\">Slots taken</th><th scope=\"col\" class=\"col-figure end broad\">Ended</th>\
    <th scope=\"col\" class=\"col-figure end broad\">Failed</th><th scope=\"col\" class=\"col-when end wide\">Last beat</th></tr>";

#[component]
pub fn WorkersPage() -> impl IntoView {
    of_board("Workers", |board| view! { <Workers board/> })
}

#[component]
fn Workers(board: Board) -> impl IntoView {
    let (workers, none, active) = (board.workers.clone(), board.workers, board.active);
    let clock = expect_context::<Clock>();
    let body = rows::body(move || workers.map(|worker| row(&clock, worker, &active)));
    view! {
        <div class="page-head">
            <h1>"Workers"</h1>
        </div>
        <section class="card list" aria-label="Workers">
            <table class="rows" aria-label="Workers">
                <thead inner_html=HEAD></thead>
                {body}
            </table>
            {move || none.is_empty().then(|| view! { <Empty title="No workers" text="The board has only just begun."/> })}
        </section>
    }
}

fn row(clock: &Clock, worker: &Worker, active: &JobList) -> Row {
    let running = active.map(|job| {
        if job.worker.as_ref() != Some(&worker.id) {
            return String::new();
        }
        let words = [escape(&job.name), " since ".to_owned(), when(clock, job.started_at)].concat();
        link("job-remark", &format!("/jobs/{}", job.id), &words)
    });
    let href = format!("/jobs?worker={}&state=active", encode(&worker.id));
    let state = if is_online(worker) { "completed\">Online" } else { "failed\">Offline" };
    let since = worker.since.map(|since| format!(" title=\"since {since}\"")).unwrap_or_default();
    let figure = format!("td class=\"end num col-figure broad\"{since}");
    let cells = [
        element(
            "td class=\"cut stacked\"",
            &(link("job-name", &href, &escape(&worker.id)) + &running.concat()),
        ),
        format!("<td class=\"col-state\"><span class=\"worker-state is-{state}</span></td>"),
        text("td class=\"end num col-figure\"", &slots(worker)),
        text(&figure, &format::count(worker.processed)),
        text(&figure, &format::count(worker.failed)),
        element("td class=\"end num col-when wide\"", &when(clock, Some(worker.seen_at))),
    ];
    Row::new(format!("{}/{}", worker.connection_id, worker.id), element("tr", &cells.concat()))
}

pub fn is_online(worker: &Worker) -> bool {
    worker.state == WorkerState::Online
}

/// Slots taken of how many.
pub fn slots(worker: &Worker) -> String {
    format!("{} / {}", worker.active_jobs, worker.concurrency)
}
