//! What the job is, who asked for it, and why it failed.

use super::model::JobModel;
use crate::{
    format,
    log::Jump,
    parts::{
        action::CancelButton,
        icon::{self, Icon},
        jobs::short,
        meter::Progress,
        params,
        state::{Badge, Look},
        text,
        time::{Clock, JobDuration, When},
    },
    url::encode,
};
use leptos::{either::Either, prelude::*};
use shared::{JobId, JobState, StepState, job::JobDetail};

/// Name, state, and what can be done.
#[component]
pub fn Head(model: JobModel) -> impl IntoView {
    let job = model.job();
    let id = job.with_untracked(|job| job.id);
    let look = Memo::new(move |_| Look::from(job.with(|job| job.state)));
    let over = Memo::new(move |_| job.with(|job| job.state.is_over()));
    let asked = model.part(|detail| detail.cancel.is_some());
    let name = job.with_untracked(|job| job.name.clone());
    // What can be done when it is over.
    let after = model.detail.with_untracked(|d| {
        let again = format!("/jobs/{id}/retry");
        params::run(&again, "Run again", "button", &d.param_defs, &d.params)
            + &params::delete(&format!("/jobs/{id}/delete"))
    });
    let percent =
        Signal::derive(move || job.with(|job| job.progress.filter(|_| !job.state.is_over())));
    view! {
        <nav class="crumbs dim" aria-label="Breadcrumb">
            <a href="/jobs">"Jobs"</a>
            " / "
            <a href=format!("/jobs?pipeline={}", encode(&name))>{name.clone()}</a>
        </nav>
        <div class="page-head job-head">
            <h1>{name}</h1>
            <Badge look/>
            <span class="mono dim job-head-id">{id.to_string()}</span>
            <div class="page-head-end">
                {move || match over.get() {
                    false => Either::Left(view! { <CancelButton id asked/> }),
                    true => Either::Right(view! { <div class="acts" inner_html=after.clone()></div> }),
                }}
            </div>
        </div>
        <div class="job-progress">
            <Progress percent label="Progress of the job"/>
        </div>
    }
}

/// The facts, each under its name.
#[component]
pub fn Meta(model: JobModel) -> impl IntoView {
    let job = model.job();
    let clock = expect_context::<Clock>();
    let by = model.part(|detail| detail.created_by.clone());
    let params = model.part(|detail| detail.params.clone());
    // As text: nothing in it moves, and ids need no escape.
    let kin = model.detail.with_untracked(|detail| {
        let link = |name, id: Option<JobId>| {
            let id = id?;
            Some(format!(
                "<dt>{name}</dt><dd><a class=\"mono\" href=\"/jobs/{id}\">{}</a></dd>",
                short(id)
            ))
        };
        let again = link("Run again as", detail.retried_by);
        let html = link("Runs again", detail.job.retry_of).or(again);
        html.map(|html| view! { <div inner_html=html></div> })
    });
    let log = model.log.clone();
    let waited = text(move || {
        job.with(|job| match (job.started_at, job.state.is_over()) {
            (Some(start), _) => format::duration(start.since(job.created_at)),
            (None, true) => "—".to_owned(),
            (None, false) => {
                clock.since(job.created_at).map_or_else(|| "waiting".to_owned(), format::running)
            }
        })
    });
    let log_size = text(move || {
        let log = log.get();
        format!("{} · {}", format::plural(log.lines, "line", "lines"), format::bytes(log.bytes))
    });
    let ran =
        text(move || job.with(|job| if job.state.is_over() { "Ran for" } else { "Running for" }));
    let params = move || {
        let params = params.get();
        (!params.is_empty()).then(|| {
            let list: Vec<_> =
                params.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let list = list.join(" ");
            view! { <Fact name="Parameters" value=text(move || list.clone())/> }
        })
    };
    let queue = text(move || job.with(|job| job.queue.clone()));
    let worker = text(move || job.with(|job| job.worker.clone().unwrap_or_else(|| "—".to_owned())));
    let attempt = text(move || job.with(|job| format!("{} of {}", job.attempt, job.max_attempts)));
    view! {
        <dl class="meta">
            <Fact name="Queue" value=queue/>
            <Fact name="Worker" value=worker/>
            <Fact name="Attempt" value=attempt/>
            <Fact name="Waited" value=waited/>
            <div>
                <dt>{ran}</dt>
                <dd><JobDuration job/></dd>
            </div>
            <div>
                <dt>"Created"</dt>
                <dd><When at=Signal::derive(move || job.with(|job| Some(job.created_at)))/></dd>
            </div>
            <Fact name="Asked for by" value=text(move || by.get())/>
            {params}
            {kin}
            <Fact name="Log" value=log_size/>
        </dl>
        <Waiting model/>
    }
}

#[component]
fn Fact(name: &'static str, value: Signal<String>) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd class="num">{value}</dd>
        </div>
    }
}

/// Why it has not begun, and who wants it to end.
#[component]
fn Waiting(model: JobModel) -> impl IntoView {
    let waiting = model.part(|detail| detail.waiting.clone());
    let cancel = model.part(|detail| detail.cancel.clone().filter(|_| !detail.job.state.is_over()));
    view! {
        {move || waiting.get().map(|why| view! { <p class="remark">"Waiting: " {why}</p> })}
        {move || {
            cancel
                .get()
                .map(|cancel| {
                    let at = Some(cancel.at);
                    view! {
                        <p class="remark">
                            "Cancel asked for by " {cancel.by} " at " <When at/>
                            {cancel.why.map(|why| format!(": {why}"))}
                        </p>
                    }
                })
        }}
    }
}

/// Why it failed: the reason, the step it failed in, and the way to that place in the log.
#[component]
pub fn Why(model: JobModel, jump: Jump) -> impl IntoView {
    let why = model.part(why);
    view! {
        {move || {
            let Failure { reason, step, line } = why.get()?;
            let jump = jump.clone();
            Some(
                view! {
                    <div class="why" role="group" aria-label="Why it failed">
                        <Icon path=icon::WARNING/>
                        <div>
                            <p class="why-reason">{reason}</p>
                            {step.map(|step| view! { <p class="dim">"in step " {step}</p> })}
                        </div>
                        {line
                            .map(|line| {
                                view! {
                                    <button type="button" class="button" on:click=move |_| jump.to(line)>
                                        "Show in log"
                                    </button>
                                }
                            })}
                    </div>
                },
            )
        }}
    }
}

#[derive(Clone, PartialEq)]
struct Failure {
    reason: String,
    step: Option<String>,
    /// Last line of the step, where its own words for it most likely stand.
    line: Option<u64>,
}

fn why(detail: &JobDetail) -> Option<Failure> {
    let job = &detail.job;
    if job.state != JobState::Failed {
        return None;
    }
    let step = detail.steps.iter().find(|step| step.state == StepState::Failed);
    let exit = format::exit(job.exit_code, job.signal);
    let reason = job.error.clone().or(exit).unwrap_or_else(|| "It gave no reason.".to_owned());
    Some(Failure {
        step: step.map(|step| step.name.clone()).filter(|name| !reason.contains(name.as_str())),
        reason,
        line: step.and_then(|step| step.log_line_end).filter(|line| *line > 0),
    })
}
