//! The jobs list: filters in the address ([`filters`]), rows that follow the stream ([`model`]),
//! drawn as far as they are seen ([`list`]).

mod filters;
mod list;
mod model;

use crate::{
    api::{self, JOBS_PER_PAGE, JobsParams},
    format,
    live::{Live, follow},
    parts::{
        html::element,
        icon::{self as icons, Icon},
        notice::{Empty, Loading, Refused},
        rows::{self, Row},
        text,
        time::now,
    },
};
use filters::{chips, fields};
use leptos::{either::EitherOf3, ev, prelude::*};
use leptos_meta::Title;
use leptos_router::{hooks::use_query_map, params::ParamsMap};
use list::JobsList;
use model::{JobsModel, reading};
use shared::{JobFilter, JobState, Timestamp, page};

#[component]
pub fn JobsPage() -> impl IntoView {
    let query = use_query_map();
    let params = Memo::new(move |_| query.with(read));
    let unknown = Memo::new(move |_| query.with(unknown_state));
    let page = Resource::new(move || params.get(), api::jobs);
    view! {
        <Title text="Jobs"/>
        <Transition fallback=Loading>
            {move || {
                let unknown = unknown.get();
                Suspend::new(async move {
                    let answer = page.await;
                    let params = params.get_untracked();
                    match (unknown, answer) {
                        (Some(word), _) => {
                            let title = format!("No such state: {word}");
                            EitherOf3::A(
                                view! {
                                    <h1>"Jobs"</h1>
                                    <section class="card list mt-3" aria-label="Jobs">
                                        <Empty title link=("/jobs", "Show all jobs")/>
                                    </section>
                                },
                            )
                        }
                        (None, Ok(page)) => EitherOf3::B(view! { <Jobs params page/> }),
                        (None, Err(why)) => EitherOf3::C(view! { <Refused why what="list"/> }),
                    }
                })
            }}
        </Transition>
    }
}

/// The first state asked for that is none: instead of it all jobs would be shown.
fn unknown_state(query: &ParamsMap) -> Option<String> {
    let mut words = query.get_str("state")?.split(',').filter(|word| !word.is_empty());
    words.find(|word| word.parse::<JobState>().is_err()).map(str::to_owned)
}

/// What the address asks for. Other words that mean nothing are passed over: a link may be old.
fn read(query: &ParamsMap) -> JobsParams {
    let list = |name| query.get_str(name).unwrap_or_default().split(',');
    let text = |name| query.get_str(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let since = text("from").filter(|from| span(from).is_some());
    let from = match since.as_deref().and_then(span) {
        // Whole minutes: the server and the browser mean the same list.
        Some(ms) => Some(Timestamp((now() - ms) / 60_000 * 60_000)),
        None => text("from").and_then(|at| at.parse().ok()),
    };
    JobsParams {
        filter: JobFilter {
            connections: list("connection").filter_map(|id| id.parse().ok()).collect(),
            states: list("state").filter_map(|state| state.parse().ok()).collect(),
            queue: text("queue"),
            worker: text("worker"),
            pipeline: text("pipeline"),
            from,
            to: text("to").and_then(|at| at.parse().ok()),
            q: text("q"),
        },
        since,
        sort: text("sort").and_then(|sort| sort.parse().ok()).unwrap_or_default(),
        cursor: text("cursor"),
        limit: JOBS_PER_PAGE,
    }
}

/// Milliseconds of `-15m`, `-24h`, `-7d`.
fn span(text: &str) -> Option<i64> {
    let text = text.strip_prefix('-')?;
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    count.parse::<u16>().ok().map(|count| i64::from(count) * unit)
}

#[component]
fn Jobs(params: JobsParams, page: page::JobsPage) -> impl IntoView {
    let queues = page.queues.clone();
    let model = JobsModel::new(params.clone(), page);
    follow(expect_context::<Live>(), model.clone());

    let matching = {
        let model = model.clone();
        text(move || format!("{} match", format::total(model.matching())))
    };
    let fields = fields(&params, &queues);
    let (counts, shown) = (model.counts.clone(), params.clone());
    let chips = rows::pieces("contents", move || {
        vec![Row::new("", element("div class=\"contents\"", &chips(&shown, &counts)))]
    });
    let (none, further) = (model.jobs.clone(), model.older.clone());
    let first = params.cursor.is_none();
    let filtered = params.filter != JobFilter::default();
    view! {
        <div class="page-head">
            <h1>"Jobs"</h1>
            <span class="dim num">{matching}</span>
            <a class="button button-main page-head-end" href="/pipelines">
                "Run pipeline"
            </a>
        </div>
        <div class="chips" role="group" aria-label="Filters">
            {chips}
            <form method="get" action="/jobs" class="queue-choice" inner_html=fields></form>
        </div>
        <section class="card list" aria-label="Jobs">
            <NewJobs model=model.clone()/>
            <JobsList model=model.clone()/>
            {move || {
                none.is_empty()
                    .then(|| match filtered {
                        true => {
                            // Where rare ones are sought in many, a page may end before it finds any.
                            let title = match further.with(Option::is_some) {
                                true => "No job matches so far: go on with Older",
                                false => "No job matches",
                            };
                            view! { <Empty title link=("/jobs", "Show all jobs")/> }
                        }
                        false => {
                            view! {
                                <Empty
                                    title="No jobs yet"
                                    link=("/pipelines", "Run a pipeline")
                                    text=" and it shows up here."
                                />
                            }
                        }
                    })
            }}
        </section>
        <nav class="pager" aria-label="Pages of jobs">
            {(!first).then(|| {
                let newest = JobsParams { cursor: None, ..params.clone() };
                view! {
                    <a class="button" href=format!("/jobs{}", newest.address())>
                        <Icon path=icons::BACK/>
                        "Newest"
                    </a>
                }
            })}
            {move || {
                let older = JobsParams { cursor: Some(model.older.get()?), ..params.clone() };
                Some(
                    view! {
                        <a class="button" href=format!("/jobs{}", older.query()) rel="next">
                            "Older"
                            <Icon path=icons::ON/>
                        </a>
                    },
                )
            }}
        </nav>
    }
}

/// New jobs that were kept back: one click shows them. They show themselves when the reader comes
/// back to the top.
#[component]
fn NewJobs(model: JobsModel) -> impl IntoView {
    let held = model.jobs.clone();
    let count = Memo::new(move |_| held.held());
    let shown = model.clone();
    Effect::new(move |_| {
        let model = shown.clone();
        let handle = window_event_listener(ev::scroll, move |_| {
            if !reading() && count.try_get_untracked().is_some_and(|held| held > 0) {
                model.show_newest();
            }
        });
        on_cleanup(move || handle.remove());
    });
    let to_top = move |_| {
        window().scroll_to_with_x_and_y(0.0, 0.0);
        model.show_newest();
    };
    view! {
        {move || {
            let to_top = to_top.clone();
            (count.get() > 0)
                .then(|| {
                    view! {
                        <button type="button" class="pill pill-top num" on:click=to_top>
                            <Icon path=icons::UP/>
                            {text(move || format::plural(u64::from(count.get()), "new job", "new jobs"))}
                        </button>
                    }
                })
        }}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_time_is_read_and_nothing_else_is() {
        assert_eq!(
            ["-15m", "-24h", "-7d"].map(span),
            [Some(900_000), Some(86_400_000), Some(604_800_000)]
        );
        for text in ["", "-", "-m", "15m", "-1x", "-1é", "--1m", "-99999d"] {
            assert_eq!(span(text), None, "{text}");
        }
    }
}
