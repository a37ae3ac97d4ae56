//! A job as a row.

use super::{
    meter::Progress,
    state::Badge,
    text,
    time::{JobDuration, When},
};
use crate::{format, live::JobList};
use leptos::prelude::*;
use shared::{Job, JobId, JobState};

/// The end of an id: enough to tell two jobs apart, and unlike its beginning not a time.
pub fn short(id: JobId) -> String {
    let mut text = id.to_string();
    text.split_off(text.len().saturating_sub(8))
}

/// What a row says of its job beside the name: why it failed, or what it does now.
fn remark(job: &Job) -> String {
    let remark = match job.state {
        JobState::Failed => job.error.clone().or_else(|| format::exit(job.exit_code, job.signal)),
        JobState::Active => job.step.clone(),
        _ => None,
    };
    remark.unwrap_or_default()
}

/// Name, short id and remark: the cell that leads to the job.
#[component]
pub fn JobName(#[prop(into)] job: Signal<Job>) -> impl IntoView {
    let id = job.with_untracked(|job| job.id);
    view! {
        <a class="job-name" href=format!("/jobs/{id}")>
            {text(move || job.with(|job| job.name.clone()))}
        </a>
        " "
        <span class="job-id mono">{short(id)}</span>
        <span class=text(move || {
            if job.with(|job| job.state == JobState::Failed) { "job-remark is-failed" } else { "job-remark" }
        })>{text(move || job.with(remark))}</span>
    }
}

/// Columns of the full list. `table` has a fixed layout, so a change of a row moves nothing.
#[component]
pub fn JobTable(jobs: JobList) -> impl IntoView {
    view! {
        <table class="rows rows-jobs">
            <caption class="sr-only">"Jobs, newest first"</caption>
            <thead>
                <tr>
                    <th scope="col" class="col-state">"State"</th>
                    <th scope="col">"Name"</th>
                    <th scope="col" class="col-queue wide">"Queue"</th>
                    <th scope="col" class="col-worker wider">"Worker"</th>
                    <th scope="col" class="col-attempt wide end">"Attempt"</th>
                    <th scope="col" class="col-duration end">"Duration"</th>
                    <th scope="col" class="col-when wide end">"Created"</th>
                </tr>
            </thead>
            <tbody>
                <For
                    each=move || jobs.list()
                    key=|mounted| mounted.key
                    children=|mounted| view! { <JobRow job=mounted.row/> }
                />
            </tbody>
        </table>
    }
}

#[component]
fn JobRow(#[prop(into)] job: Signal<Job>) -> impl IntoView {
    let state = Memo::new(move |_| job.with(|job| job.state));
    view! {
        <tr>
            <td><Badge look=Signal::derive(move || state.get().into())/></td>
            <td class="cut"><JobName job/></td>
            <td class="dim wide cut">{text(move || job.with(|job| job.queue.clone()))}</td>
            <td class="dim wider cut">{text(move || job.with(|job| job.worker.clone().unwrap_or_default()))}</td>
            <td class="dim wide end num">
                {text(move || job.with(|job| format!("{} / {}", job.attempt, job.max_attempts)))}
            </td>
            <td class="end"><JobDuration job/></td>
            <td class="dim wide end"><When at=Signal::derive(move || job.with(|job| Some(job.created_at)))/></td>
        </tr>
    }
}

/// A short list of what runs: how far it is, and for how long already.
#[component]
pub fn RunningTable(jobs: JobList) -> impl IntoView {
    view! {
        <table class="rows">
            <caption class="sr-only">"Jobs that run now"</caption>
            <thead class="quiet">
                <tr>
                    <th scope="col">"Name"</th>
                    <th scope="col" class="col-queue wide">"Queue"</th>
                    <th scope="col" class="col-progress">"Progress"</th>
                    <th scope="col" class="col-duration">"Running for"</th>
                </tr>
            </thead>
            <tbody>
                <For
                    each=move || jobs.list()
                    key=|mounted| mounted.key
                    children=|mounted| {
                        let job = Signal::<Job>::from(mounted.row);
                        let percent = Signal::derive(move || job.with(|job| job.progress));
                        view! {
                            <tr>
                                <td class="cut"><JobName job/></td>
                                <td class="dim wide cut col-queue">{text(move || job.with(|job| job.queue.clone()))}</td>
                                <td class="col-progress"><Progress percent label="Progress of the job"/></td>
                                <td class="end dim col-duration"><JobDuration job/></td>
                            </tr>
                        }
                    }
                />
            </tbody>
        </table>
    }
}

/// A short list of what failed, and when.
#[component]
pub fn FailedTable(jobs: JobList) -> impl IntoView {
    view! {
        <table class="rows">
            <caption class="sr-only">"Jobs that failed, newest first"</caption>
            <thead class="quiet">
                <tr>
                    <th scope="col" class="col-state">"State"</th>
                    <th scope="col">"Name"</th>
                    <th scope="col" class="col-when">"Ended"</th>
                </tr>
            </thead>
            <tbody>
                <For
                    each=move || jobs.list()
                    key=|mounted| mounted.key
                    children=|mounted| {
                        let job = Signal::<Job>::from(mounted.row);
                        let state = Signal::derive(move || job.with(|job| job.state.into()));
                        let ended = Signal::derive(move || job.with(|job| job.finished_at));
                        view! {
                            <tr>
                                <td class="col-state"><Badge look=state/></td>
                                <td class="cut"><JobName job/></td>
                                <td class="end dim col-when"><When at=ended/></td>
                            </tr>
                        }
                    }
                />
            </tbody>
        </table>
    }
}
