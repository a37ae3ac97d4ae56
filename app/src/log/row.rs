//! One row of the log, as HTML.

use super::outline::Shown;
use crate::{
    format,
    parts::{
        html::{element, escape, push, text},
        rows::Row,
        state::Look,
        time::Clock,
    },
};
use shared::{
    JobId, Step, StepState,
    log::{Line, Run, Stream},
};

/// What rows are drawn with beside what they show.
pub struct Drawn<'a> {
    pub id: JobId,
    pub clock: &'a Clock,
    pub steps: &'a [Step],
    /// The line that was asked for.
    pub marked: Option<u64>,
}

// === impl Drawn ===

impl Drawn<'_> {
    pub fn row(&self, shown: &Shown) -> Row {
        let (kind, n, version) = shown.key();
        Row::new(format!("{kind}/{n}/{version}"), self.html(shown))
    }

    fn html(&self, shown: &Shown) -> String {
        match shown {
            Shown::Step(index) => self.step(*index),
            Shown::Line(line) => {
                let mut class = "line".to_owned();
                if line.stream == Stream::Stderr {
                    class.push_str(" is-stderr");
                }
                if self.marked == Some(line.n) {
                    class.push_str(" is-marked");
                }
                let east = self.clock.minutes_east();
                let time = line.at.map(|at| format::time_of_day(at.0, east)).unwrap_or_default();
                let inner = runs(&line.runs) + &notes(self.id, line);
                cells(&class, &format::count(line.n), &time, "line-x", &inner)
            }
            Shown::Awaited(n) => cells("line", &format::count(*n), "", "line-x line-awaited", ""),
            Shown::Open(_, _, open) => cells("line is-open", "", "", "line-x", &runs(&open.runs)),
        }
    }

    /// The header over the lines of a step.
    fn step(&self, index: usize) -> String {
        let step = self.steps.get(index);
        let look = Look::from(step.map_or(StepState::Pending, |step| step.state));
        let words = step.map(|step| {
            let end = match step.duration_ms {
                Some(ms) => format::duration(ms),
                None => step.state.as_str().to_owned(),
            };
            format!("{} · {} · {end}", step.name, step.phase.as_str())
        });
        let inner = [
            look.shape(),
            text("span class=\"line-step-words\"", &words.unwrap_or_default()),
            text("span class=\"sr-only\"", look.word),
        ];
        let class = format!("line-x step-mark {}", look.class);
        cells("line line-step", "", "", &class, &inner.concat())
    }
}

fn cells(class: &str, n: &str, time: &str, kind: &str, inner: &str) -> String {
    format!(
        "<div class=\"{class}\"><span class=\"line-n\">{n}</span><span class=\"line-t\">{time}</span>\
         <span class=\"{kind}\">{inner}</span></div>"
    )
}

/// Text in its styles. The classes were made by the server from what the job printed, out of a
/// known set; the text is text.
fn runs(runs: &[Run]) -> String {
    let mut html = String::new();
    for run in runs {
        if run.class.is_empty() {
            push(&mut html, &run.text);
        } else {
            html += &text(&format!("span class=\"{}\"", escape(&run.class)), &run.text);
        }
    }
    html
}

/// What is not as the job printed it.
fn notes(id: JobId, line: &Line) -> String {
    let note = |words: &str| element("span class=\"line-note\"", words);
    let mut html = String::new();
    if let Some(count) = line.left_out {
        html += &note(&(format::plural(count, "line", "lines") + " left out"));
    }
    if line.cut {
        html += &note("goes on in the next line");
    }
    if line.more {
        let href = format!("/api/v1/jobs/{id}/log/{}", line.n);
        html += &format!(
            "<a class=\"line-note\" href=\"{href}\" rel=\"external\" target=\"_blank\">whole line</a>"
        );
    }
    html
}
