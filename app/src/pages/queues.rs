//! Queues: how full each is, how long its jobs wait, and a switch to hold it.

use super::of_board::of_board;
use crate::{
    board::Board,
    format,
    parts::{meter::Share, notice::Empty, text},
    url::encode,
};
use leptos::prelude::*;
use shared::{Percentiles, Queue};

#[component]
pub fn QueuesPage() -> impl IntoView {
    of_board("Queues", |board| view! { <Queues board/> })
}

#[component]
fn Queues(board: Board) -> impl IntoView {
    let (rows, none) = (board.queues.clone(), board.queues);
    view! {
        <div class="page-head">
            <h1>"Queues"</h1>
        </div>
        <section class="card list" aria-label="Queues">
            <table class="rows">
                <caption class="sr-only">"Queues"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Queue"</th>
                        <th scope="col" class="col-progress wide">"Slots taken"</th>
                        <th scope="col" class="col-figure end">"Active"</th>
                        <th scope="col" class="col-figure end">"Waiting"</th>
                        <th scope="col" class="col-figure end wide">"Oldest"</th>
                        <th scope="col" class="col-figure end wide">"Ended / min"</th>
                        <th scope="col" class="col-figure end wide">"Failed / min"</th>
                        <th scope="col" class="col-spread end wider">"Wait p50 · p95 · p99"</th>
                        <th scope="col" class="col-spread end wider">"Run p50 · p95 · p99"</th>
                        <th scope="col" class="col-state"><span class="sr-only">"Pause or resume"</span></th>
                    </tr>
                </thead>
                <tbody>
                    <For
                        each=move || rows.list()
                        key=|mounted| mounted.key.clone()
                        children=|mounted| view! { <Row queue=mounted.row/> }
                    />
                </tbody>
            </table>
            {move || none.is_empty().then(|| view! { <Empty title="No queues" text="The board has only just begun."/> })}
        </section>
    }
}

/// Of the last hour.
fn spread(of: Option<Percentiles>) -> String {
    let Percentiles { p50, p95, p99 } = of.unwrap_or_default();
    match (p50, p95, p99) {
        (Some(p50), Some(p95), Some(p99)) => [p50, p95, p99].map(format::duration).join(" · "),
        _ => "—".to_owned(),
    }
}

#[component]
fn Row(#[prop(into)] queue: Signal<Queue>) -> impl IntoView {
    let (name, connection) = queue.with_untracked(|q| (q.name.clone(), q.connection_id));
    let href = format!("/jobs?queue={}", encode(&name));
    let action = format!("/queues/{connection}/{}", encode(&name));
    let paused = Memo::new(move |_| queue.with(|q| q.paused));
    let taken = Signal::derive(move || {
        queue.with(|q| match q.concurrency {
            Some(slots) if slots > 0 => q.active as f64 * 100.0 / f64::from(slots),
            _ => 0.0,
        })
    });
    let figure = move |read: fn(&Queue) -> String| text(move || queue.with(read));
    let verb = move || if paused.get() { "resume" } else { "pause" };
    let word = move || if paused.get() { "Resume" } else { "Pause" };
    view! {
        <tr>
            <td class="cut">
                <a class="job-name" href=href>{name.clone()}</a>
                <span class="job-remark">{text(move || if paused.get() { "paused" } else { "" })}</span>
            </td>
            <td class="col-progress wide"><Share percent=taken/></td>
            <td class="end num col-figure">
                {figure(|q| match q.concurrency {
                    Some(slots) => format!("{} / {slots}", q.active),
                    None => q.active.to_string(),
                })}
            </td>
            <td class="end num col-figure">{figure(|q| format::count(q.depth))}</td>
            <td class="end num col-figure wide">
                {figure(|q| q.oldest_waiting_ms.map_or("—".to_owned(), format::running))}
            </td>
            <td class="end num col-figure wide">{figure(|q| format::count(q.rate_per_min.round() as u64))}</td>
            <td class="end num col-figure wide">{figure(|q| format::count(q.failed_per_min.round() as u64))}</td>
            <td class="end num col-spread wider">{figure(|q| spread(q.stats.map(|stats| stats.wait)))}</td>
            <td class="end num col-spread wider">{figure(|q| spread(q.stats.map(|stats| stats.run)))}</td>
            <td class="col-state end">
                <form method="post" action=text(move || format!("{action}/{}", verb()))>
                    <button class="button" aria-label=text(move || format!("{} {name}", word()))>
                        {text(word)}
                    </button>
                </form>
            </td>
        </tr>
    }
}
