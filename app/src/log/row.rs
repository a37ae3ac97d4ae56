//! One row of the log.

use super::outline::Shown;
use crate::{
    format,
    parts::{
        state::{Look, Shape},
        text,
        time::Clock,
    },
};
use leptos::{either::EitherOf4, prelude::*};
use shared::{
    JobId, Step, StepState,
    log::{Line, Run, Stream},
};

#[component]
pub fn RowView(
    id: JobId,
    shown: Shown,
    steps: Memo<Vec<Step>>,
    marked: Memo<Option<u64>>,
) -> impl IntoView {
    match shown {
        Shown::Step(index) => EitherOf4::A(view! { <StepHeader index steps/> }),
        Shown::Line(line) => {
            let (n, at) = (line.n, line.at);
            let class = if line.stream == Stream::Stderr { "line is-stderr" } else { "line" };
            let clock = expect_context::<Clock>();
            let time = text(move || {
                at.map_or(String::new(), |at| format::time_of_day(at.0, clock.minutes_east()))
            });
            EitherOf4::B(view! {
                <div class=class class:is-marked=move || marked.get() == Some(n)>
                    <span class="line-n">{format::count(n)}</span>
                    <span class="line-t">{time}</span>
                    <span class="line-x">{runs(&line.runs)} {notes(id, &line)}</span>
                </div>
            })
        }
        Shown::Awaited(n) => EitherOf4::C(view! {
            <div class="line">
                <span class="line-n">{format::count(n)}</span>
                <span class="line-t"></span>
                <span class="line-x line-awaited"></span>
            </div>
        }),
        Shown::Open(_, _, open) => EitherOf4::D(view! {
            <div class="line is-open">
                <span class="line-n"></span>
                <span class="line-t"></span>
                <span class="line-x">{runs(&open.runs)}</span>
            </div>
        }),
    }
}

/// Text in its styles. The classes were made by the server from what the job printed, out of a
/// known set; the text is text.
fn runs(runs: &[Run]) -> impl IntoView + use<> {
    runs.iter()
        .map(|run| {
            let class = Some(run.class.clone()).filter(|class| !class.is_empty());
            view! { <span class=class>{run.text.clone()}</span> }
        })
        .collect_view()
}

/// What is not as the job printed it.
fn notes(id: JobId, line: &Line) -> impl IntoView + use<> {
    let n = line.n;
    let left_out = line.left_out.map(|count| {
        view! { <span class="line-note">{format::plural(count, "line", "lines")} " left out"</span> }
    });
    let cut = line.cut.then(|| view! { <span class="line-note">"goes on in the next line"</span> });
    let more = line.more.then(|| {
        view! {
            <a class="line-note" href=format!("/api/v1/jobs/{id}/log/{n}") rel="external" target="_blank">
                "whole line"
            </a>
        }
    });
    view! { {left_out} {cut} {more} }
}

#[component]
fn StepHeader(index: usize, steps: Memo<Vec<Step>>) -> impl IntoView {
    let step = Memo::new(move |_| steps.with(|steps| steps.get(index).cloned()));
    let look = Memo::new(move |_| {
        Look::from(step.with(|step| step.as_ref().map_or(StepState::Pending, |step| step.state)))
    });
    let words = text(move || {
        step.with(|step| {
            let Some(step) = step else { return String::new() };
            let end = match step.duration_ms {
                Some(ms) => format::duration(ms),
                None => step.state.as_str().to_owned(),
            };
            format!("{} · {} · {end}", step.name, step.phase.as_str())
        })
    });
    view! {
        <div class="line line-step">
            <span class="line-n"></span>
            <span class=text(move || format!("line-x step-mark {}", look.get().class))>
                <Shape look/>
                <span class="line-step-words">{words}</span>
                <span class="sr-only">{text(move || look.get().word)}</span>
            </span>
        </div>
    }
}
