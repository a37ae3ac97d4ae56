//! When what ran, to scale: waiting and each step as a bar between the job's creation and its end,
//! or now.

use crate::{
    format,
    parts::{
        html::{element, escape, text},
        state::Look,
        time::Clock,
    },
};
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

/// The bars of the job, beside which its steps stand; HTML. A step leads to its lines by
/// `data-line`.
pub fn timeline(clock: &Clock, detail: &JobDetail) -> String {
    let job = &detail.job;
    let now = if job.state.is_over() { None } else { clock.since(job.created_at) };
    let now = now.map(|ms| Timestamp(job.created_at.0.saturating_add_unsigned(ms)));
    let whole = Whole::of(detail, now);
    let waits = job.started_at.is_none() && !job.state.is_over();
    let queued = whole.bar(Some(whole.from), job.started_at.or(job.finished_at), None);
    let look = Look::from(JobState::Queued);
    let name = format!("<span class=\"timeline-name\">{}Queued</span>", look.mark());
    let mut rows = row(&name, look, &queued, running(clock, &queued, waits), "");
    for one in &detail.steps {
        rows.push_str(&step(clock, whole, one));
    }
    element("ol class=\"timeline\" aria-label=\"Steps\"", &rows)
}

/// The steps of an attempt that is over, to the scale of its own time; HTML.
pub fn earlier(clock: &Clock, steps: &[Step]) -> String {
    let times = |step: &Step| [step.started_at, step.finished_at];
    let from = steps.iter().flat_map(times).flatten().min().unwrap_or_default();
    let to = steps.iter().flat_map(times).flatten().max().unwrap_or(from);
    let rows: String = steps.iter().map(|one| step(clock, Whole { from, to }, one)).collect();
    element("ol class=\"timeline\"", &rows)
}

fn step(clock: &Clock, whole: Whole, step: &Step) -> String {
    let look = Look::from(step.state);
    let bar = whole.bar(step.started_at, step.finished_at, step.duration_ms);
    let line = match step.log_line {
        Some(line) => format!("data-line=\"{}\"", line + 1),
        None => "disabled".to_owned(),
    };
    let name = format!(
        "<button type=\"button\" class=\"timeline-name\" {line} title=\"{word}: show in log\">{}\
         <span class=\"cut\"><span class=\"dim\">{} · </span>{}</span>\
         <span class=\"sr-only\">, {word}</span></button>",
        look.mark(),
        step.phase.as_str(),
        escape(&step.name),
        word = look.word,
    );
    // The end of a step where it says more than its state.
    let telling = step.state.is_over() && step.state != StepState::Completed;
    let end = step.error.clone().or_else(|| format::exit(step.exit_code, step.signal));
    let end = end.filter(|_| telling).unwrap_or_default();
    let time = running(clock, &bar, step.state == StepState::Active);
    row(&name, look, &bar, time, &end)
}

/// The bar's place is set by attributes: the policy allows no style in the document.
fn row(name: &str, look: Look, bar: &Bar, time: String, end: &str) -> String {
    let Bar { from, width, .. } = bar;
    let track = format!(
        "<svg class=\"track {}\" aria-hidden=\"true\"><rect class=\"track-bar\" x=\"{from:.2}%\" \
         width=\"{width:.2}%\" height=\"100%\" rx=\"3\"></rect></svg>",
        look.class
    );
    let time = text("span class=\"timeline-time num\"", &time);
    let end = text("span class=\"timeline-end is-failed\"", end);
    element("li class=\"timeline-row\"", &[name, &track, &time, &end].concat())
}

fn running(clock: &Clock, bar: &Bar, running: bool) -> String {
    match (bar.ms, running) {
        (None, _) => "—".to_owned(),
        (Some(ms), false) => format::duration(ms),
        // Without a clock the last known moment would pass for now.
        (Some(ms), true) if clock.ticks() => format::running(ms),
        (Some(_), true) => "running".to_owned(),
    }
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
