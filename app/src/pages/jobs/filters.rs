//! What the list can be narrowed to: links and a form, which work as they are.

use crate::{
    api::JobsParams,
    format,
    live::Counts,
    parts::{
        html::{escape, icon, text},
        icon as icons, params,
        state::Look,
    },
};
use shared::{JobFilter, JobSort, JobState};

/// The states that have a chip of their own, in this order.
const CHIPS: [JobState; 7] = [
    JobState::Active,
    JobState::Queued,
    JobState::Scheduled,
    JobState::Retrying,
    JobState::Completed,
    JobState::Failed,
    JobState::Cancelled,
];

/// Spans of time to choose from, as in an address.
const SINCE: [(&str, &str); 5] = [
    ("-15m", "last 15 minutes"),
    ("-1h", "last hour"),
    ("-24h", "last 24 hours"),
    ("-7d", "last 7 days"),
    ("-30d", "last 30 days"),
];

/// Chips for states, and what else is filtered by. Links: they work as they are.
pub fn chips(params: &JobsParams, counts: &Counts) -> String {
    let base = &params.filter;
    let chosen = base.states.as_slice();
    let chip = |class: &str, filter: JobFilter, current: bool, inner: String| {
        let query = JobsParams { filter, cursor: None, ..params.clone() }.address();
        let current = if current { " aria-current=\"true\"" } else { "" };
        let href = escape(&format!("/jobs{query}"));
        format!("<a class=\"chip {class}\" href=\"{href}\"{current}>{inner}</a>")
    };
    // What a search finds is not counted by state.
    let figure = |total| match base.is_decidable() {
        true => text("b class=\"num\"", &format::total(total)),
        false => String::new(),
    };
    let mut html =
        chip("", base.any_state(), chosen.is_empty(), "All".to_owned() + &figure(counts.all()));
    for state in CHIPS {
        let look = Look::from(state);
        let inner = [&look.shape(), look.word, &figure(counts.of(&[state]))].concat();
        let filter = JobFilter { states: vec![state], ..base.clone() };
        html.push_str(&chip(look.class, filter, chosen.contains(&state), inner));
    }
    let others = [
        ("pipeline", &base.pipeline, JobFilter { pipeline: None, ..base.clone() }),
        ("worker", &base.worker, JobFilter { worker: None, ..base.clone() }),
    ];
    for (word, value, without) in others {
        if let Some(value) = value {
            let icon = icon(icons::STOP);
            let inner = format!(
                "{word}: {}{icon}<span class=\"sr-only\">Show every {word}</span>",
                escape(value)
            );
            html.push_str(&chip("", without, true, inner));
        }
    }
    html
}

/// Fields that filter, as a form.
pub fn fields(params: &JobsParams, queues: &[String]) -> String {
    let filter = &params.filter;
    let states = filter.states.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let kept = |value: &Option<String>| value.clone().unwrap_or_default();
    // What else is filtered by stays so.
    let hidden = params::hidden(&[
        ("state", states),
        ("pipeline", kept(&filter.pipeline)),
        ("worker", kept(&filter.worker)),
    ]);
    let option = |value: &str, word: &str, chosen: bool| {
        let selected = if chosen { " selected" } else { "" };
        format!("<option value=\"{}\"{selected}>{}</option>", escape(value), escape(word))
    };
    let mut options = option("", "queue: any", false);
    for queue in queues {
        options.push_str(&option(queue, queue, filter.queue.as_ref() == Some(queue)));
    }
    let mut since = option("", "any time", false);
    for (value, words) in SINCE {
        since.push_str(&option(value, words, params.since.as_deref() == Some(value)));
    }
    if let Some(from) = filter.from.filter(|_| params.since.is_none()) {
        since.push_str(&option(&from.to_string(), &format!("since {from}"), true));
    }
    let mut sorts = String::new();
    for (sort, word) in [
        (JobSort::Created, "newest first"),
        (JobSort::Finished, "over, last first"),
        (JobSort::Duration, "over, longest first"),
    ] {
        let value = if sort == JobSort::Created { "" } else { sort.as_str() };
        sorts.push_str(&option(value, word, params.sort == sort));
    }
    let select = |name: &str, label: &str, options: &str| {
        format!(
            "<select name=\"{name}\" class=\"chip\" aria-label=\"{label}\" data-sends>{options}</select>"
        )
    };
    let selects = select("queue", "Queue", &options)
        + &select("from", "Created", &since)
        + &select("sort", "Order", &sorts);
    let q = escape(filter.q.as_deref().unwrap_or_default());
    format!(
        "{hidden}<label class=\"sr-only\" for=\"q\">Search</label>\
         <input id=\"q\" name=\"q\" type=\"search\" class=\"chip search\" value=\"{q}\" \
         placeholder=\"Search names, parameters, errors, ids\">\
         {selects}\
         <noscript><button class=\"button\">Filter</button></noscript>"
    )
}
