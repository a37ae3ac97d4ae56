//! A job as a row.

use super::{
    html::{element, link, text},
    meter,
    rows::{self, Row},
    state::Look,
    time::{Clock, ran, when},
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
fn name(job: &Job) -> String {
    let class = if job.state == JobState::Failed { "job-remark is-failed" } else { "job-remark" };
    let name = link("job-name", &format!("/jobs/{}", job.id), &super::html::escape(&job.name));
    let id = text("span class=\"job-id mono\"", &short(job.id));
    let remark = text(&format!("span class=\"{class}\""), &remark(job));
    element("td class=\"cut\"", &[&name, " ", &id, &remark].concat())
}

/// A table of jobs: `row` makes the cells of each. `head` is HTML.
fn table(
    label: &'static str,
    head: &'static str,
    jobs: JobList,
    row: fn(&Clock, &Job) -> String,
) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let read =
        move || jobs.map(|job| Row::new(job.id.to_string(), element("tr", &row(&clock, job))));
    let body = rows::body(read);
    view! {
        <table class="rows" aria-label=label>
            <thead inner_html=head></thead>
            {body}
        </table>
    }
}

/// Headings of the full list. The table has a fixed layout, so a change of a row moves nothing.
macro_rules! headings {
    ($first:literal) => {
        concat!(
            "<tr>", $first, "<th scope=\"col\" class=\"col-state\">State</th><th scope=\"col\">Name</th>\
             <th scope=\"col\" class=\"col-queue broad\">Queue</th><th scope=\"col\" class=\"col-worker wider\">Worker</th>\
             <th scope=\"col\" class=\"col-attempt broad end\">Attempt</th><th scope=\"col\" class=\"col-duration end\">Duration</th>\
             <th scope=\"col\" class=\"col-when wide end\">Created</th></tr>"
        )
    };
}

/// The same where jobs can be selected.
pub const SELECTABLE: &str = headings!(
    "<th scope=\"col\" class=\"col-select\"><input type=\"checkbox\" data-all aria-label=\"Select all\"></th>"
);

/// The cell to select a job by.
pub fn select(job: &Job, chosen: bool) -> String {
    let checked = if chosen { " checked" } else { "" };
    let name = super::html::escape(&job.name);
    format!(
        "<td class=\"col-select\"><input type=\"checkbox\" name=\"id\" value=\"{}\" aria-label=\"Select {name} {}\"{checked}></td>",
        job.id,
        short(job.id)
    )
}

/// The cells of the full list.
pub fn cells(clock: &Clock, job: &Job) -> String {
    [
        element("td", &Look::from(job.state).badge()),
        name(job),
        text("td class=\"dim broad cut\"", &job.queue),
        text("td class=\"dim wider cut\"", job.worker.as_deref().unwrap_or_default()),
        text("td class=\"dim broad end num\"", &format!("{} / {}", job.attempt, job.max_attempts)),
        text("td class=\"end num\"", &ran(clock, job)),
        element("td class=\"dim wide end\"", &when(clock, Some(job.created_at))),
    ]
    .concat()
}

/// The full list, as it is.
pub fn all(jobs: JobList) -> impl IntoView {
    table("Jobs", headings!(""), jobs, cells)
}

/// A short list of what runs: how far it is, and for how long already.
pub fn running(jobs: JobList) -> impl IntoView {
    const HEAD: &str = "<tr class=\"quiet\"><th scope=\"col\">Name</th><th scope=\"col\" class=\"col-queue wide\">Queue</th>\
        <th scope=\"col\" class=\"col-progress\">Progress</th><th scope=\"col\" class=\"col-duration\">Running for</th></tr>";
    table("Jobs that run now", HEAD, jobs, |clock, job| {
        [
            name(job),
            text("td class=\"dim wide cut col-queue\"", &job.queue),
            element("td class=\"col-progress\"", &meter::progress(job.progress)),
            text("td class=\"end dim num col-duration\"", &ran(clock, job)),
        ]
        .concat()
    })
}

/// A short list of what failed, and when.
pub fn failed(jobs: JobList) -> impl IntoView {
    const HEAD: &str = "<tr class=\"quiet\"><th scope=\"col\" class=\"col-state\">State</th><th scope=\"col\">Name</th>\
        <th scope=\"col\" class=\"col-when\">Ended</th></tr>";
    table("Jobs that failed, newest first", HEAD, jobs, |clock, job| {
        [
            element("td class=\"col-state\"", &Look::from(job.state).badge()),
            name(job),
            element("td class=\"end dim col-when\"", &when(clock, job.finished_at)),
        ]
        .concat()
    })
}
