//! The overview: what runs, what failed, what waits, and who works.

use super::of_board::of_board;
use crate::{
    board::Board,
    format,
    parts::{
        activity,
        jobs::{FailedTable, RunningTable},
        meter::Share,
        notice::Empty,
        text,
        time::When,
    },
    url::encode,
};
use leptos::{either::Either, prelude::*};
use shared::{JobState, Queue, Worker, WorkerState};

#[component]
pub fn OverviewPage() -> impl IntoView {
    of_board("", |board| view! { <Overview board/> })
}

#[component]
fn Overview(board: Board) -> impl IntoView {
    let (active, failed) = (board.active.clone(), board.failed.clone());
    let (none_active, none_failed) = (active.clone(), failed.clone());
    let (queues, workers) = (board.queues.clone(), board.workers.clone());
    let counts = board.counts.clone();
    let running = text(move || format::total(counts.of(&[JobState::Active])));
    let (activity, attention) = (board.activity.clone(), board.attention.clone());
    let chart = text(move || activity.with(|minutes| activity::chart(minutes)));
    let attention = text(move || attention.with(|all| activity::attention(all)));
    view! {
        <h1>"Overview"</h1>
        <Tiles board/>
        <ul class="attention" aria-label="Needs attention" inner_html=attention></ul>
        <section class="card last-hour" aria-label="The last hour" inner_html=chart></section>
        <div class="columns">
            <section class="card" aria-labelledby="running">
                <div class="card-head">
                    <h2 id="running">"Running now"</h2>
                    <a class="card-more num" href="/jobs?state=active">{running} " active"</a>
                </div>
                <RunningTable jobs=active/>
                {move || {
                    none_active
                        .is_empty()
                        .then(|| view! { <Empty title="Nothing runs" link=("/pipelines", "Run a pipeline")/> })
                }}
            </section>
            <section class="card" aria-labelledby="queues">
                <div class="card-head">
                    <h2 id="queues">"Queues"</h2>
                    <span class="card-more">"waiting, oldest"</span>
                </div>
                <table class="rows">
                    <caption class="sr-only">"Queues"</caption>
                    <thead class="quiet">
                        <tr>
                            <th scope="col">"Queue"</th>
                            <th scope="col" class="col-progress">"Slots taken"</th>
                            <th scope="col" class="col-figure">"Waiting"</th>
                            <th scope="col" class="col-figure">"Oldest"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For
                            each=move || queues.list()
                            key=|mounted| mounted.key.clone()
                            children=|mounted| view! { <QueueRow queue=mounted.row/> }
                        />
                    </tbody>
                </table>
            </section>
            <section class="card" aria-labelledby="failures">
                <div class="card-head">
                    <h2 id="failures">"Last failures"</h2>
                    <a class="card-more" href="/jobs?state=failed">"all failed"</a>
                </div>
                <FailedTable jobs=failed/>
                {move || {
                    none_failed
                        .is_empty()
                        .then(|| view! { <Empty title="Nothing failed" text="Failures show up here as they happen."/> })
                }}
            </section>
            <section class="card" aria-labelledby="workers">
                <div class="card-head">
                    <h2 id="workers">"Workers"</h2>
                    <span class="card-more">"slots taken"</span>
                </div>
                <table class="rows">
                    <caption class="sr-only">"Workers"</caption>
                    <thead class="quiet">
                        <tr>
                            <th scope="col">"Worker"</th>
                            <th scope="col" class="col-state">"State"</th>
                            <th scope="col" class="col-figure">"Slots taken"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For
                            each=move || workers.list()
                            key=|mounted| mounted.key.clone()
                            children=|mounted| view! { <WorkerRow worker=mounted.row/> }
                        />
                    </tbody>
                </table>
            </section>
        </div>
    }
}

/// The figures that say whether anything is wrong.
#[component]
fn Tiles(board: Board) -> impl IntoView {
    let Board { queues, workers, counts, .. } = board;
    let sum = |values: Vec<f64>| format::count(values.into_iter().sum::<f64>().round() as u64);
    let completed = {
        let queues = queues.clone();
        text(move || sum(queues.map(|q| q.rate_per_min - q.failed_per_min)))
    };
    let failing = {
        let queues = queues.clone();
        Memo::new(move |_| queues.map(|q| q.failed_per_min).into_iter().sum::<f64>())
    };
    let failed = text(move || format::count(failing.get().round() as u64));
    let active = {
        let counts = counts.clone();
        text(move || format::total(counts.of(&[JobState::Active])))
    };
    let slots = {
        let workers = workers.clone();
        move || {
            workers.map(|w| if is_online(w) { u64::from(w.concurrency) } else { 0 }).iter().sum()
        }
    };
    let waiting = text(move || {
        format::total(counts.of(&[JobState::Queued, JobState::Scheduled, JobState::Retrying]))
    });
    let oldest =
        text(move || match queues.map(|q| q.oldest_waiting_ms).into_iter().flatten().max() {
            Some(ms) => format!("oldest {}", format::running(ms)),
            None => "nothing waits".to_owned(),
        });
    let online = {
        let workers = workers.clone();
        text(move || {
            workers.map(is_online).into_iter().filter(|online| *online).count().to_string()
        })
    };
    let offline =
        Memo::new(move |_| workers.map(is_online).into_iter().filter(|online| !*online).count());
    view! {
        <dl class="tiles">
            <div class="card tile">
                <dt>"Completed / min"</dt>
                <dd class="tile-figure num">{completed}</dd>
            </div>
            <div class="card tile">
                <dt>"Failed / min"</dt>
                <dd class="tile-figure num" class:is-failed=move || { failing.get() != 0.0 }>{failed}</dd>
            </div>
            <div class="card tile">
                <dt>"Active"</dt>
                <dd class="tile-figure num">{active}</dd>
                <dd class="tile-more num">{text(move || format!("of {}", format::plural(slots(), "slot", "slots")))}</dd>
            </div>
            <div class="card tile">
                <dt>"Waiting"</dt>
                <dd class="tile-figure num">{waiting}</dd>
                <dd class="tile-more num">{oldest}</dd>
            </div>
            <div class="card tile">
                <dt>"Workers"</dt>
                <dd class="tile-figure num">{online}</dd>
                <dd class="tile-more num" class:is-failed=move || { offline.get() != 0 }>
                    {text(move || match offline.get() {
                        0 => "all online".to_owned(),
                        n => format!("{n} offline"),
                    })}
                </dd>
            </div>
        </dl>
    }
}

fn is_online(worker: &Worker) -> bool {
    worker.state == WorkerState::Online
}

#[component]
fn QueueRow(#[prop(into)] queue: Signal<Queue>) -> impl IntoView {
    let name = queue.with_untracked(|queue| queue.name.clone());
    let href = format!("/jobs?queue={}", encode(&name));
    let taken = Signal::derive(move || {
        queue.with(|q| match q.concurrency {
            Some(slots) if slots > 0 => q.active as f64 * 100.0 / f64::from(slots),
            _ => 0.0,
        })
    });
    view! {
        <tr>
            <td class="cut">
                <a class="job-name" href=href>{name}</a>
                <span class="job-remark">{text(move || queue.with(|q| if q.paused { "paused" } else { "" }))}</span>
            </td>
            <td class="col-progress"><Share percent=taken/></td>
            <td class="end num col-figure">{text(move || format::count(queue.with(|q| q.depth)))}</td>
            <td class="end dim num col-figure">
                {text(move || queue.with(|q| q.oldest_waiting_ms.map_or("—".to_owned(), format::running)))}
            </td>
        </tr>
    }
}

#[component]
fn WorkerRow(#[prop(into)] worker: Signal<Worker>) -> impl IntoView {
    let id = worker.with_untracked(|worker| worker.id.clone());
    let online = Memo::new(move |_| worker.with(is_online));
    let seen = Signal::derive(move || worker.with(|worker| Some(worker.seen_at)));
    view! {
        <tr>
            <td class="cut">{id}</td>
            <td class="col-state">
                {move || match online.get() {
                    true => Either::Left(view! { <span class="worker-state is-completed">"Online"</span> }),
                    false => {
                        Either::Right(
                            view! {
                                <span class="worker-state is-failed">"Offline since " <When at=seen/></span>
                            },
                        )
                    }
                }}
            </td>
            <td class="end num col-figure">
                {text(move || worker.with(|w| format!("{} / {}", w.active_jobs, w.concurrency)))}
            </td>
        </tr>
    }
}
