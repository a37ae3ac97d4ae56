//! Queues: how full each is, how long its jobs wait, and a switch to hold it.

use super::of_board::of_board;
use crate::{
    board::Board,
    format,
    parts::{
        html::{element, escape, link, text},
        meter,
        notice::Empty,
        rows::{self, Row},
        state::Look,
    },
    url::encode,
};
use leptos::prelude::*;
use shared::{Percentiles, Queue, page::AttentionKind};

const HEAD: &str = "<tr><th scope=\"col\">Queue</th><th scope=\"col\" class=\"col-meter broad\">Slots taken</th>\
    <th scope=\"col\" class=\"col-figure end\">Active</th><th scope=\"col\" class=\"col-figure end\">Waiting</th>\
    <th scope=\"col\" class=\"col-figure end broad\">Oldest</th><th scope=\"col\" class=\"col-figure end broad\" title=\"Jobs that completed or failed\">Ended / min</th>\
    <th scope=\"col\" class=\"col-figure end broad\">Failed / min</th>\
    <th scope=\"col\" class=\"col-spread end wider\">Wait p50 · p95 · p99</th>\
    <th scope=\"col\" class=\"col-spread end wider\">Run p50 · p95 · p99</th>\
    <th scope=\"col\" class=\"col-act\"><span class=\"sr-only\">Pause or resume</span></th></tr>";

#[component]
pub fn QueuesPage() -> impl IntoView {
    of_board("Queues", |board| view! { <Queues board/> })
}

#[component]
fn Queues(board: Board) -> impl IntoView {
    let (queues, none) = (board.queues.clone(), board.queues);
    let body = rows::body(move || queues.map(row));
    view! {
        <div class="page-head">
            <h1>"Queues"</h1>
        </div>
        <section class="card list" aria-label="Queues">
            <table class="rows" aria-label="Queues">
                <thead inner_html=HEAD></thead>
                {body}
            </table>
            {move || none.is_empty().then(|| view! { <Empty title="No queues" text="The board has only just begun."/> })}
        </section>
    }
}

fn row(queue: &Queue) -> Row {
    let name = &queue.name;
    let (verb, word) = if queue.paused { ("resume", "Resume") } else { ("pause", "Pause") };
    let action = escape(&format!("/queues/{}/{}/{verb}", queue.connection_id, encode(name)));
    let label = escape(&format!("{word} {name}"));
    let figure = |value: &str| text("td class=\"end num col-figure\"", value);
    let broad = |value: &str| text("td class=\"end num col-figure broad\"", value);
    // What the columns say that a narrow screen has no room for.
    let more = [
        queue.oldest_waiting_ms.map(|ms| format!("oldest {}", format::running(ms))),
        Some(format!("{} ended / min", format::count(queue.rate_per_min.round() as u64))),
        queue
            .stats
            .and_then(|stats| stats.wait.p95)
            .map(|ms| format!("waits p95 {}", format::duration(ms))),
    ];
    let more = more.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let cells = [
        element("td class=\"cut\"", &(linked(queue) + &text("p class=\"narrow dim num\"", &more))),
        element("td class=\"col-meter broad\"", &taken(queue)),
        figure(&match queue.concurrency {
            Some(slots) => format!("{} / {slots}", queue.active),
            None => queue.active.to_string(),
        }),
        figure(&format::count(queue.depth)),
        broad(&oldest(queue)),
        broad(&format::count(queue.rate_per_min.round() as u64)),
        broad(&format::count(queue.failed_per_min.round() as u64)),
        text("td class=\"end num col-spread wider\"", &spread(queue.stats.map(|stats| stats.wait))),
        text("td class=\"end num col-spread wider\"", &spread(queue.stats.map(|stats| stats.run))),
        format!(
            "<td class=\"col-act\"><form method=\"post\" action=\"{action}\">\
             <button class=\"button\" aria-label=\"{label}\">{word}</button></form></td>"
        ),
    ];
    Row::new(format!("{}/{name}", queue.connection_id), element("tr", &cells.concat()))
}

/// Of the last hour.
fn spread(of: Option<Percentiles>) -> String {
    let Percentiles { p50, p95, p99 } = of.unwrap_or_default();
    match (p50, p95, p99) {
        (Some(p50), Some(p95), Some(p99)) => [p50, p95, p99].map(format::duration).join(" · "),
        _ => "—".to_owned(),
    }
}

/// Its name, as the way to its jobs, and whether it is held; HTML.
pub fn linked(queue: &Queue) -> String {
    let href = format!("/jobs?queue={}", encode(&queue.name));
    let name = link("job-name", &href, &escape(&queue.name));
    if !queue.paused {
        return name;
    }
    let look = Look::from(AttentionKind::QueuePaused);
    let mark = look.shape() + "<span class=\"sr-only\">paused</span>";
    name + " " + &element(&format!("span class=\"held {}\" title=\"paused\"", look.class), &mark)
}

/// How many of its slots are taken, as a bar; HTML.
pub fn taken(queue: &Queue) -> String {
    meter::share(queue.active, queue.concurrency.unwrap_or(0).into())
}

/// How long the first has waited.
pub fn oldest(queue: &Queue) -> String {
    queue.oldest_waiting_ms.map_or("—".to_owned(), format::running)
}
