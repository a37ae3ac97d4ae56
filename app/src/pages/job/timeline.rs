//! When what ran, to scale: waiting and each step as a bar between the job's creation and its end,
//! or now.

use super::model::JobModel;
use crate::{
    format,
    log::Jump,
    parts::{
        state::{Look, Shape},
        text,
        time::Clock,
    },
};
use leptos::prelude::*;
use shared::{JobState, Step, StepState, Timestamp, job::JobDetail};

/// Least width of a bar that is there, in percent: seen, and still telling short from long.
const LEAST: f64 = 0.4;

/// One bar.
#[derive(Clone, PartialEq, Debug)]
struct Bar {
    /// From the left, in percent of the whole.
    from: f64,
    /// In percent of the whole.
    width: f64,
    /// `None`: it has not begun, or never will.
    ms: Option<u64>,
}

/// The time from the job's creation to its end.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Whole {
    from: Timestamp,
    to: Timestamp,
}

// === impl Whole ===

impl Whole {
    /// `now` counts while the job runs; without it, the last moment that is known.
    fn of(detail: &JobDetail, now: Option<Timestamp>) -> Self {
        let job = &detail.job;
        let known = detail
            .steps
            .iter()
            .flat_map(|step| [step.started_at, step.finished_at])
            .chain([job.started_at, job.finished_at])
            .flatten()
            .max()
            .unwrap_or(job.created_at);
        let to = if job.state.is_over() { known } else { known.max(now.unwrap_or(known)) };
        Self { from: job.created_at, to }
    }

    fn bar(self, from: Option<Timestamp>, to: Option<Timestamp>, ms: Option<u64>) -> Bar {
        let Some(start) = from else { return Bar { from: 0.0, width: 0.0, ms: None } };
        let end = to.unwrap_or(self.to);
        let whole = self.to.since(self.from).max(1) as f64;
        let percent = |at: Timestamp| (at.since(self.from) as f64 * 100.0 / whole).min(100.0);
        let width = (percent(end) - percent(start)).max(LEAST);
        let from = percent(start).min(100.0 - width);
        Bar { from, width, ms: ms.or_else(|| Some(end.since(start))) }
    }
}

/// The bars of the job, beside which its steps stand.
#[component]
pub fn Timeline(model: JobModel, jump: Jump) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let detail = model.detail.clone();
    let whole = Memo::new(move |_| {
        detail.with(|detail| {
            let job = &detail.job;
            let now = if job.state.is_over() { None } else { clock.since(job.created_at) };
            let now = now.map(|ms| Timestamp(job.created_at.0.saturating_add_unsigned(ms)));
            Whole::of(detail, now)
        })
    });
    let waiting = model.part(|detail| {
        let job = &detail.job;
        (job.started_at.or(job.finished_at), job.started_at.is_none() && !job.state.is_over())
    });
    let steps = model.steps();
    let queued = Memo::new(move |_| {
        let (until, _) = waiting.get();
        let whole = whole.get();
        whole.bar(Some(whole.from), until, None)
    });
    let look = Signal::derive(|| Look::from(JobState::Queued));
    view! {
        <ol class="timeline" aria-label="Steps">
            <li class="timeline-row">
                <span class="timeline-name">
                    <span class="step-mark is-queued"><Shape look/></span>
                    "Queued"
                </span>
                <Track bar=queued class="is-queued"/>
                <BarTime bar=queued running=Signal::derive(move || waiting.get().1)/>
            </li>
            <For
                each=move || 0..steps.with(Vec::len)
                key=|at| *at
                children=move |at| {
                    let step = Memo::new(move |_| steps.with(|steps| steps.get(at).cloned()));
                    view! { <StepRow step whole jump=jump.clone()/> }
                }
            />
        </ol>
    }
}

#[component]
fn StepRow(step: Memo<Option<Step>>, whole: Memo<Whole>, jump: Jump) -> impl IntoView {
    let state =
        Memo::new(move |_| step.with(|s| s.as_ref().map_or(StepState::Pending, |s| s.state)));
    let look = Memo::new(move |_| Look::from(state.get()));
    let bar = Memo::new(move |_| {
        let whole = whole.get();
        step.with(|step| match step {
            Some(s) => whole.bar(s.started_at, s.finished_at, s.duration_ms),
            None => whole.bar(None, None, None),
        })
    });
    let name = move || {
        step.with(|s| s.as_ref().map(|s| (s.phase.as_str(), s.name.clone()))).unwrap_or_default()
    };
    let line = Memo::new(move |_| step.with(|s| s.as_ref().and_then(|s| s.log_line)));
    // The end of a step where it says more than its state.
    let end = move || {
        step.with(|s| {
            let s = s.as_ref().filter(|s| s.state.is_over() && s.state != StepState::Completed)?;
            s.error.clone().or_else(|| format::exit(s.exit_code, s.signal))
        })
    };
    let go = move |_| {
        if let Some(line) = line.get_untracked() {
            jump.to(line + 1);
        }
    };
    view! {
        <li class="timeline-row">
            <button
                type="button"
                class="timeline-name"
                disabled=move || line.get().is_none()
                title=text(move || format!("{}: show in log", look.get().word))
                on:click=go
            >
                <span class=text(move || format!("step-mark {}", look.get().class))>
                    <Shape look/>
                </span>
                <span class="cut">
                    <span class="dim">{text(move || name().0)} " · "</span>
                    {text(move || name().1)}
                </span>
                <span class="sr-only">{text(move || format!(", {}", look.get().word))}</span>
            </button>
            <Track bar class=Signal::derive(move || look.get().class)/>
            <BarTime bar running=Signal::derive(move || state.get() == StepState::Active)/>
            <span class="timeline-end is-failed">{end}</span>
        </li>
    }
}

/// The bar itself. Its place is set by attributes: the policy allows no style in the document.
#[component]
fn Track(bar: Memo<Bar>, #[prop(into)] class: Signal<&'static str>) -> impl IntoView {
    view! {
        <svg class=text(move || format!("track {}", class.get())) aria-hidden="true">
            <rect
                class="track-bar"
                x=text(move || format!("{:.2}%", bar.get().from))
                width=text(move || format!("{:.2}%", bar.get().width))
                height="100%"
                rx="3"
            ></rect>
        </svg>
    }
}

#[component]
fn BarTime(bar: Memo<Bar>, running: Signal<bool>) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let time = text(move || match (bar.get().ms, running.get()) {
        (None, _) => "—".to_owned(),
        (Some(ms), false) => format::duration(ms),
        // Without a clock the last known moment would pass for now.
        (Some(ms), true) if clock.ticks() => format::running(ms),
        (Some(_), true) => "running".to_owned(),
    });
    view! { <span class="timeline-time num dim">{time}</span> }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Whole = Whole { from: Timestamp(1000), to: Timestamp(11_000) };

    #[test]
    fn bars_are_to_scale() {
        let bar = WHOLE.bar(Some(Timestamp(2000)), Some(Timestamp(7000)), None);
        assert_eq!(bar, Bar { from: 10.0, width: 50.0, ms: Some(5000) });
    }

    #[test]
    fn what_still_runs_reaches_to_the_end() {
        let bar = WHOLE.bar(Some(Timestamp(6000)), None, None);
        assert_eq!((bar.from, bar.width), (50.0, 50.0));
    }

    #[test]
    fn what_has_not_begun_has_no_bar() {
        assert_eq!(WHOLE.bar(None, None, None).ms, None);
    }

    #[test]
    fn a_short_bar_is_seen_and_stays_inside() {
        let bar = WHOLE.bar(Some(Timestamp(11_000)), Some(Timestamp(11_000)), Some(0));
        assert_eq!((bar.from, bar.width), (100.0 - LEAST, LEAST));
    }

    #[test]
    fn clocks_that_disagree_break_nothing() {
        let bar = WHOLE.bar(Some(Timestamp(0)), Some(Timestamp(90_000)), None);
        assert_eq!((bar.from, bar.width), (0.0, 100.0));
    }
}
