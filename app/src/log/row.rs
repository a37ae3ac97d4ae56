//! One row of the log, as HTML.

use super::{address::Lines, outline::Shown, prefs::Times};
use crate::{
    format,
    parts::{
        html::{element, escape, push, text},
        rows::Row,
        state::Look,
    },
};
use js_sys::{JsString, RegExp};
use leptos::wasm_bindgen::JsCast;
use send_wrapper::SendWrapper;
use shared::{
    Step, StepState, Timestamp,
    log::{LeftOutBy, Line, Run, Stream},
};
use std::collections::BTreeSet;

/// What rows are drawn with beside what they show.
pub struct Drawn<'a> {
    /// Minutes east of UTC.
    pub east: i32,
    pub steps: &'a [Step],
    pub times: Times,
    /// When the run began, if times count from there.
    pub began: Option<Timestamp>,
    pub folded: &'a BTreeSet<usize>,
    pub marked: Option<&'a Lines>,
    pub pattern: Option<&'a SendWrapper<RegExp>>,
    /// The match that was gone to.
    pub current: Option<u64>,
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
                if self.marked.is_some_and(|marked| marked.contains(&line.n)) {
                    class.push_str(" is-marked");
                }
                if self.current == Some(line.n) {
                    class.push_str(" is-current");
                }
                let inner = self.runs(&line.runs) + &notes(line);
                cells(&class, &number(line.n), &self.time(line.at), "line-x", &inner)
            }
            Shown::Awaited(n) => cells("line", &number(*n), "", "line-x line-awaited", ""),
            Shown::Open(_, _, open) => {
                cells("line is-open", "", "", "line-x", &self.runs(&open.runs))
            }
        }
    }

    fn time(&self, at: Option<Timestamp>) -> String {
        match (at, self.times, self.began) {
            (None, _, _) | (_, Times::Off, _) => String::new(),
            (Some(at), Times::Relative, Some(began)) => format::after(at.since(began)),
            (Some(at), _, _) => format::time_of_day(at.0, self.east),
        }
    }

    /// Text in its styles. The classes were made by the server from what the job printed, out of a
    /// known set; the text is text.
    fn runs(&self, runs: &[Run]) -> String {
        let mut html = String::new();
        let mut hits = Hits::of(self.pattern, runs);
        for run in runs {
            let text = hits.text(&run.text);
            if run.class.is_empty() {
                html.push_str(&text);
            } else {
                html += &element(&format!("span class=\"{}\"", escape(&run.class)), &text);
            }
        }
        html
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
            let attempt = match step.attempt {
                1 => String::new(),
                n => format!(" · attempt {n}"),
            };
            format!("{} · {} · {end}{attempt}", step.name, step.phase.as_str())
        });
        let folded = self.folded.contains(&index);
        let (fold, open) = if folded { ("▸", "false") } else { ("▾", "true") };
        format!(
            "<div class=\"line line-step\"><button type=\"button\" class=\"line-x step-mark {}\" data-step=\"{index}\" \
             aria-expanded=\"{open}\" tabindex=\"-1\"><span class=\"fold\" aria-hidden=\"true\">{fold}</span>{}{}{}</button></div>",
            look.class,
            look.shape(),
            text("span class=\"line-step-words\"", &words.unwrap_or_default()),
            text("span class=\"sr-only\"", look.word),
        )
    }
}

fn cells(class: &str, n: &str, time: &str, kind: &str, inner: &str) -> String {
    format!(
        "<div class=\"{class}\">{n}<span class=\"line-t\">{time}</span><span class=\"{kind}\">{inner}</span></div>"
    )
}

/// The number of a line: a link to it, which a click puts into the address.
fn number(n: u64) -> String {
    let words = format::count(n);
    format!(
        "<a class=\"line-n\" href=\"#L{n}\" data-n=\"{n}\" tabindex=\"-1\" rel=\"external\">{words}</a>"
    )
}

/// What is not as the job printed it.
fn notes(line: &Line) -> String {
    let note = |words: &str| element("span class=\"line-note\"", words);
    let mut html = String::new();
    if let Some(count) = line.left_out {
        let why = match line.left_out_by {
            Some(LeftOutBy::Limit) => ": the log reached its limit",
            Some(LeftOutBy::Disk) => ": too little room on the disk",
            None => "",
        };
        html += &note(&(format::plural(count, "line", "lines") + " left out" + why));
    }
    if line.cut {
        html += &note("goes on in the next line");
    }
    if line.more {
        let n = line.n;
        html += &format!(
            "<button type=\"button\" class=\"line-note line-more\" data-whole=\"{n}\">… show all</button>"
        );
    }
    html
}

/// Where in a line the matches are, in the units that the browser counts text in (UTF-16).
struct Hits {
    /// From, to; ascending.
    ranges: Vec<(u32, u32)>,
    /// How far the line was written.
    at: u32,
}

// === impl Hits ===

impl Hits {
    fn of(pattern: Option<&SendWrapper<RegExp>>, runs: &[Run]) -> Self {
        let mut ranges = Vec::new();
        if let Some(pattern) = pattern {
            let line: String = runs.iter().map(|run| run.text.as_str()).collect();
            pattern.set_last_index(0);
            while let Some(hit) = pattern.exec(&line) {
                let to = pattern.last_index();
                let length = hit.get(0).unchecked_into::<JsString>().length();
                if length == 0 {
                    pattern.set_last_index(to + 1);
                    if to as usize > line.len() {
                        break;
                    }
                    continue;
                }
                ranges.push((to - length, to));
            }
        }
        Self { ranges, at: 0 }
    }

    /// The next piece of the line, with its matches marked; HTML.
    fn text(&mut self, text: &str) -> String {
        let mut html = String::new();
        if self.ranges.is_empty() {
            push(&mut html, text);
            return html;
        }
        let mut open = false;
        let mut bytes = [0; 4];
        for c in text.chars() {
            let inside = self.ranges.iter().any(|(from, to)| (*from..*to).contains(&self.at));
            if inside != open {
                html.push_str(if inside { "<mark>" } else { "</mark>" });
                open = inside;
            }
            push(&mut html, c.encode_utf8(&mut bytes));
            self.at += c.len_utf16() as u32;
        }
        if open {
            html.push_str("</mark>");
        }
        html
    }
}
