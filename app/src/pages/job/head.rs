//! What the job is, who asked for it, and why it failed; HTML.

use super::timeline::earlier;
use crate::{
    format,
    parts::{
        html::{element, escape, icon, link, text},
        icon::{self as icons},
        jobs::short,
        meter, params,
        state::Look,
        time::{Clock, ran, told, when},
    },
    url::encode,
};
use shared::{
    JobState, Step, StepState,
    job::JobDetail,
    log::{LeftOutBy, LogInfo},
};

/// Name, state, and what can be done.
pub fn head(detail: &JobDetail) -> String {
    let job = &detail.job;
    let (id, name) = (job.id, escape(&job.name));
    let crumbs = format!(
        "<nav class=\"crumbs dim\" aria-label=\"Breadcrumb\"><a href=\"/jobs\">Jobs</a> / {}</nav>",
        link("", &format!("/jobs?pipeline={}", encode(&job.name)), &name)
    );
    let acts = match job.state.is_over() {
        true => {
            let again = format!("/jobs/{id}/retry");
            params::run(
                &again,
                "Run again",
                "Run again",
                "button",
                &detail.param_defs,
                &detail.params,
            ) + &params::delete(&format!("/jobs/{id}/delete"))
        }
        false => {
            let (word, disabled) =
                if detail.cancel.is_some() { ("Cancelling", " disabled") } else { ("Cancel", "") };
            format!(
                "<form method=\"post\" action=\"/jobs/{id}/cancel\"><button class=\"button button-danger\"{disabled}>{}{word}</button></form>",
                icon(icons::STOP)
            )
        }
    };
    let acts = acts + &curl(detail);
    let percent = job.progress.filter(|_| !job.state.is_over());
    [
        crumbs,
        "<div class=\"page-head job-head\">".to_owned(),
        element("h1", &name),
        Look::from(job.state).badge(),
        format!("<span class=\"mono dim job-head-id\">{id}</span>"),
        element("div class=\"page-head-end acts\"", &acts),
        "</div>".to_owned(),
        element("div class=\"job-progress\"", &meter::progress(percent)),
    ]
    .concat()
}

/// A button that copies the command which runs the same again from a shell.
fn curl(detail: &JobDetail) -> String {
    let Some(pipeline) = &detail.job.pipeline else { return String::new() };
    // Texts are written as JSON without a doubt.
    let json = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let params =
        detail.params.iter().map(|(name, value)| format!("{}:{}", json(name), json(value)));
    let params = params.collect::<Vec<_>>().join(",");
    let params = if params.is_empty() { params } else { format!(",\"params\":{{{params}}}") };
    let body = format!("{{\"pipeline\":{}{params}}}", json(pipeline));
    // A quote ends the word of the shell and begins it again.
    let body = body.replace('\'', "'\\''");
    let command = format!(
        "curl -X POST -H \"Authorization: Bearer $TAILBOARD_TOKEN\" -H 'Content-Type: application/json' \
         -d '{body}' ORIGIN/api/v1/executions"
    );
    format!(
        "<button type=\"button\" class=\"button\" data-copy=\"{}\">Copy as curl</button>",
        escape(&command)
    )
}

/// Attempts, where there was more than one: how each went.
pub fn attempts(clock: &Clock, detail: &JobDetail) -> String {
    if detail.attempts.len() < 2 {
        return String::new();
    }
    let rows = detail.attempts.iter().rev().map(|attempt| {
        let took = attempt.duration_ms.map_or("—".to_owned(), format::duration);
        let cells = [
            text("td class=\"num col-figure\"", &attempt.number.to_string()),
            element("td class=\"col-state\"", &Look::from(attempt.state).badge()),
            text("td class=\"cut\"", attempt.error.as_deref().unwrap_or_default()),
            text("td class=\"end num col-duration\"", &took),
            element("td class=\"end dim col-when wide\"", &when(clock, attempt.started_at)),
        ];
        element("tr", &cells.concat())
    });
    const HEAD: &str = "<thead><tr><th scope=\"col\" class=\"col-figure\">Attempt</th><th scope=\"col\" class=\"col-state\">State</th>\
        <th scope=\"col\">Why</th><th scope=\"col\" class=\"col-duration end\">Took</th>\
        <th scope=\"col\" class=\"col-when end wide\">Started</th></tr></thead>";
    let table = format!(
        "<table class=\"rows\" aria-label=\"Attempts\">{HEAD}{}</table>",
        element("tbody", &rows.collect::<String>())
    );
    let earlier = detail.attempts.iter().rev().filter_map(|attempt| {
        let of = |step: &&Step| step.attempt == attempt.number;
        let steps: Vec<_> = detail.earlier.iter().filter(of).cloned().collect();
        let open = "<details class=\"story\"><summary>Steps of attempt";
        let rows = earlier(clock, &steps);
        (!steps.is_empty()).then(|| format!("{open} {}</summary>{rows}</details>", attempt.number))
    });
    let earlier: String = earlier.collect();
    format!(
        "<details class=\"story attempts\" open><summary class=\"num\">{} attempts</summary>{table}</details>{earlier}",
        detail.attempts.len()
    )
}

/// The facts, each under its name.
pub fn meta(clock: &Clock, detail: &JobDetail, log: &LogInfo) -> String {
    let job = &detail.job;
    let fact = |name: &str, value: &str| {
        element("div", &[text("dt", name), element("dd class=\"num\"", value)].concat())
    };
    let waited = match (job.started_at, job.state.is_over()) {
        (Some(start), _) => format::duration(start.since(job.created_at)),
        (None, true) => "—".to_owned(),
        (None, false) => {
            clock.since(job.created_at).map_or_else(|| "waiting".to_owned(), format::running)
        }
    };
    let dash = |value: Option<&str>| value.map_or_else(|| "—".to_owned(), escape);
    let mut html = [
        fact(
            "Queue",
            &link("", &format!("/jobs?queue={}", encode(&job.queue)), &escape(&job.queue)),
        ),
        fact("Worker", &dash(job.worker.as_deref())),
        fact("Attempt", &format!("{} of {}", job.attempt, job.max_attempts)),
        fact("Waited", &waited),
        fact(if job.state.is_over() { "Ran for" } else { "Running for" }, &ran(clock, job)),
        fact("Created", &when(clock, Some(job.created_at))),
        fact("Asked for by", &escape(&detail.created_by)),
    ]
    .concat();
    for (name, id) in [("Runs again", job.retry_of), ("Run again as", detail.retried_by)] {
        if let Some(id) = id {
            html += &fact(name, &link("mono", &format!("/jobs/{id}"), &short(id)));
        }
    }
    let lines = format::plural(log.lines, "line", "lines");
    html += &fact("Log", &format!("{lines} · {}", format::bytes(log.bytes)));
    element("dl class=\"meta\"", &html) + &params(detail) + &waiting(clock, detail)
}

/// What it was run with.
fn params(detail: &JobDetail) -> String {
    if detail.params.is_empty() {
        return String::new();
    }
    let row = |(name, value): (&String, &String)| {
        element("tr", &(text("th scope=\"row\"", name) + &text("td class=\"mono\"", value)))
    };
    let rows: String = detail.params.iter().map(row).collect();
    format!("<table class=\"params\" aria-label=\"Parameters\"><tbody>{rows}</tbody></table>")
}

/// Why it has not begun, who wants it to end, and what is not in its log.
fn waiting(clock: &Clock, detail: &JobDetail) -> String {
    let remark = |words: String| element("p class=\"remark\"", &words);
    let waiting =
        detail.waiting.as_ref().map(|why| remark(format!("Waiting: {}", told(clock, why))));
    let cancel = detail.cancel.as_ref().filter(|_| !detail.job.state.is_over()).map(|cancel| {
        let why = cancel.why.as_ref().map(|why| format!(": {}", escape(why)));
        let (by, at) = (escape(&cancel.by), when(clock, Some(cancel.at)));
        remark(format!("Cancel asked for by {by} at {at}{}", why.unwrap_or_default()))
    });
    let left_out = (detail.left_out > 0).then(|| {
        let lines = format::plural(detail.left_out, "line was", "lines were");
        let why = match detail.left_out_by {
            Some(LeftOutBy::Limit) => " It reached its limit (max_log_bytes).",
            Some(LeftOutBy::Disk) => " The disk had too little room (min_free_disk).",
            None => "",
        };
        remark(format!("The log is not complete: {lines} left out at its end.{why}"))
    });
    [waiting, cancel, left_out].into_iter().flatten().collect()
}

/// Why it failed: the reason, the step it failed in, and the way to that place in the log.
pub fn why(detail: &JobDetail) -> String {
    let Some(Failure { reason, step, line }) = failure(detail) else { return String::new() };
    let step = step.map(|step| text("p class=\"dim\"", &format!("in step {step}")));
    let line = line.map(|line| {
        format!(
            "<button type=\"button\" class=\"button\" data-line=\"{line}\">Show in log</button>"
        )
    });
    let words = text("p class=\"why-reason\"", &reason) + &step.unwrap_or_default();
    let inner = [icon(icons::WARNING), element("div", &words), line.unwrap_or_default()];
    element("div class=\"why\" role=\"group\" aria-label=\"Why it failed\"", &inner.concat())
}

#[derive(Clone, PartialEq)]
struct Failure {
    reason: String,
    step: Option<String>,
    /// Last line of the step, where its own words for it most likely stand.
    line: Option<u64>,
}

fn failure(detail: &JobDetail) -> Option<Failure> {
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
