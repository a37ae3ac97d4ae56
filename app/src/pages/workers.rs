//! Workers: who is there, how busy, and with what.

use super::of_board::of_board;
use crate::{
    board::Board,
    format,
    live::JobList,
    parts::{notice::Empty, text, time::When},
    url::encode,
};
use leptos::prelude::*;
use shared::{Worker, WorkerState};

#[component]
pub fn WorkersPage() -> impl IntoView {
    of_board("Workers", |board| view! { <Workers board/> })
}

#[component]
fn Workers(board: Board) -> impl IntoView {
    let (rows, none, active) = (board.workers.clone(), board.workers, board.active);
    view! {
        <div class="page-head">
            <h1>"Workers"</h1>
        </div>
        <section class="card list" aria-label="Workers">
            <table class="rows">
                <caption class="sr-only">"Workers"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Worker"</th>
                        <th scope="col" class="col-state">"State"</th>
                        <th scope="col" class="col-figure end">"Slots taken"</th>
                        <th scope="col" class="col-figure end wide">"Ended"</th>
                        <th scope="col" class="col-figure end wide">"Failed"</th>
                        <th scope="col" class="col-figure end wide">"Last beat"</th>
                    </tr>
                </thead>
                <tbody>
                    <For
                        each=move || rows.list()
                        key=|mounted| mounted.key.clone()
                        children=move |mounted| view! { <Row worker=mounted.row active=active.clone()/> }
                    />
                </tbody>
            </table>
            {move || none.is_empty().then(|| view! { <Empty title="No workers" text="The board has only just begun."/> })}
        </section>
    }
}

#[component]
fn Row(#[prop(into)] worker: Signal<Worker>, active: JobList) -> impl IntoView {
    let id = worker.with_untracked(|worker| worker.id.clone());
    let href = format!("/jobs?worker={}&state=active", encode(&id));
    let online = Memo::new(move |_| worker.with(|worker| worker.state == WorkerState::Online));
    let seen = Signal::derive(move || worker.with(|worker| Some(worker.seen_at)));
    let figure = move |read: fn(&Worker) -> String| text(move || worker.with(read));
    let of = id.clone();
    let running = move || {
        let jobs = active.list().into_iter().map(|mounted| mounted.row.get_untracked());
        let own = jobs.filter(|job| job.worker.as_ref() == Some(&of));
        own.map(|job| {
            let started = Signal::stored(job.started_at);
            view! { <a class="job-remark" href=format!("/jobs/{}", job.id)>{job.name} " " <When at=started/></a> }
        })
        .collect_view()
    };
    view! {
        <tr>
            <td class="cut">
                <a class="job-name" href=href>{id}</a>
                {running}
            </td>
            <td class="col-state">
                <span class=text(move || if online.get() { "worker-state is-completed" } else { "worker-state is-failed" })>
                    {text(move || if online.get() { "Online" } else { "Offline" })}
                </span>
            </td>
            <td class="end num col-figure">{figure(|w| format!("{} / {}", w.active_jobs, w.concurrency))}</td>
            <td class="end num col-figure wide">{figure(|w| format::count(w.processed))}</td>
            <td class="end num col-figure wide">{figure(|w| format::count(w.failed))}</td>
            <td class="end num col-figure wide"><When at=seen/></td>
        </tr>
    }
}
