//! The jobs list: filters in the address, rows that follow the stream, older ones by page.

use crate::{
    api::{self, JOBS_PER_PAGE, JobsParams, PageError},
    format,
    live::{Counts, Event, JobList, Live, Model, Order, Shape, Verdict, follow},
    parts::{
        icon::{self, Icon},
        jobs::JobTable,
        notice::{Empty, Loading, Refused},
        params,
        state::{self, Look},
        text,
    },
};
use leptos::{either::Either, ev, prelude::*};
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
    params::ParamsMap,
};
use shared::{EventId, JobFilter, JobSort, JobState, page};

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

#[component]
pub fn JobsPage() -> impl IntoView {
    let query = use_query_map();
    let params = Memo::new(move |_| query.with(read));
    let page = Resource::new(move || params.get(), api::jobs);
    view! {
        <Title text="Jobs"/>
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                let answer = page.await;
                let params = params.get_untracked();
                match answer {
                    Ok(page) => Either::Left(view! { <Jobs params page/> }),
                    Err(why) => Either::Right(view! { <Refused why what="list"/> }),
                }
            })}
        </Transition>
    }
}

/// What the address asks for. Words that mean nothing are passed over: a link may be old.
fn read(query: &ParamsMap) -> JobsParams {
    let list = |name| query.get_str(name).unwrap_or_default().split(',');
    let text = |name| query.get_str(name).filter(|text| !text.is_empty()).map(str::to_owned);
    JobsParams {
        filter: JobFilter {
            connections: list("connection").filter_map(|id| id.parse().ok()).collect(),
            states: list("state").filter_map(|state| state.parse().ok()).collect(),
            queue: text("queue"),
            worker: text("worker"),
            pipeline: text("pipeline"),
            from: text("from").and_then(|at| at.parse().ok()),
            to: text("to").and_then(|at| at.parse().ok()),
            q: text("q"),
        },
        sort: text("sort").and_then(|sort| sort.parse().ok()).unwrap_or_default(),
        cursor: text("cursor"),
        limit: JOBS_PER_PAGE,
    }
}

/// The list and the counts above it.
#[derive(Clone)]
struct JobsModel {
    params: JobsParams,
    as_of: ArcRwSignal<EventId>,
    jobs: JobList,
    counts: Counts,
    total: ArcRwSignal<shared::Total>,
    older: ArcRwSignal<Option<String>>,
}

// === impl JobsModel ===

impl JobsModel {
    fn new(params: JobsParams, page: page::JobsPage) -> Self {
        let shape = Shape {
            filter: params.filter.clone(),
            order: Order::Created,
            room: params.limit as usize,
            slack: params.limit as usize / 2,
            newest: params.cursor.is_none(),
        };
        let more = page.jobs.next_cursor.is_some();
        Self {
            as_of: ArcRwSignal::new(page.jobs.as_of),
            jobs: JobList::new(shape, page.jobs.items, more),
            counts: Counts::new(&params.filter, page.counts, page.jobs.as_of.seq),
            total: ArcRwSignal::new(page.jobs.total),
            older: ArcRwSignal::new(page.jobs.next_cursor),
            params,
        }
    }

    /// How many match; tracked. The counts know it unless the server stopped counting.
    fn matching(&self) -> shared::Total {
        let states = &self.params.filter.states;
        let counted = if states.is_empty() { self.counts.all() } else { self.counts.of(states) };
        // Of a search only the store knows, which counts no states for it.
        if counted.exact && self.params.filter.is_decidable() { counted } else { self.total.get() }
    }
}

impl Model for JobsModel {
    type Snapshot = page::JobsPage;
    const PAUSE_MS: f64 = 1000.0;

    fn as_of(&self) -> EventId {
        self.as_of.get_untracked()
    }

    fn apply(&self, event: &Event) -> Verdict {
        if let Event::Job(change) = event {
            self.counts.apply(change);
        }
        if !self.params.filter.is_decidable() || self.params.sort != JobSort::Created {
            // Whether and where it belongs is for the store to say.
            return match event {
                Event::Job(_) | Event::JobDeleted(_) => Verdict::Refetch,
                event => self.jobs.apply(event, false),
            };
        }
        // Which count a deleted job belonged to is not told.
        let gone = matches!(event, Event::JobDeleted(_));
        let verdict = self.jobs.apply(event, reading());
        if gone { Verdict::Refetch } else { verdict }
    }

    fn fetch(&self) -> impl Future<Output = Result<page::JobsPage, PageError>> + 'static {
        api::jobs(self.params.clone())
    }

    fn replace(&self, page: page::JobsPage) {
        self.as_of.set(page.jobs.as_of);
        self.counts.replace(page.counts, page.jobs.as_of.seq);
        self.total.set(page.jobs.total);
        self.older.set(page.jobs.next_cursor.clone());
        self.jobs.replace(page.jobs.items, page.jobs.next_cursor.is_some());
    }
}

/// Whether the reader has scrolled down: then nothing may push what is being read away.
fn reading() -> bool {
    window().scroll_y().is_ok_and(|y| y > 120.0)
}

#[component]
fn Jobs(params: JobsParams, page: page::JobsPage) -> impl IntoView {
    let queues = page.queues.clone();
    let model = JobsModel::new(params.clone(), page);
    let live = expect_context::<Live>();
    let followed = model.clone();
    follow(live, followed);

    let matching = {
        let model = model.clone();
        text(move || format!("{} match", format::total(model.matching())))
    };
    let (rows, none) = (model.jobs.clone(), model.jobs.clone());
    let further = model.older.clone();
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
        <Filters params=params.clone() counts=model.counts.clone() queues/>
        <section class="card list" aria-label="Jobs">
            <NewJobs model=model.clone()/>
            <JobTable jobs=rows/>
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
                    <a class="button" href=format!("/jobs{}", newest.query())>
                        <Icon path=icon::BACK/>
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
                            <Icon path=icon::ON/>
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
    let show = move || {
        let model = model.clone();
        leptos::task::spawn_local(async move {
            if let Ok(page) = model.fetch().await {
                model.replace(page);
            }
        });
    };
    Effect::new({
        let show = show.clone();
        move |_| {
            let show = show.clone();
            let handle = window_event_listener(ev::scroll, move |_| {
                if !reading() && count.try_get_untracked().is_some_and(|held| held > 0) {
                    show();
                }
            });
            on_cleanup(move || handle.remove());
        }
    });
    let to_top = move |_| {
        window().scroll_to_with_x_and_y(0.0, 0.0);
        show();
    };
    view! {
        {move || {
            let to_top = to_top.clone();
            (count.get() > 0)
                .then(|| {
                    view! {
                        <button type="button" class="pill pill-top num" on:click=to_top>
                            <Icon path=icon::UP/>
                            {text(move || format::plural(u64::from(count.get()), "new job", "new jobs"))}
                        </button>
                    }
                })
        }}
    }
}

/// Chips for states, and a choice of queue. Links and a form: they work as they are.
#[component]
fn Filters(params: JobsParams, counts: Counts, queues: Vec<String>) -> impl IntoView {
    let chosen = params.filter.states.clone();
    let with = move |filter: JobFilter| {
        format!("/jobs{}", JobsParams { filter, ..JobsParams::default() }.query())
    };
    let base = params.filter.clone();
    let all = counts.clone();
    let chips = CHIPS.into_iter().map(|state| {
        let counts = counts.clone();
        let look = Look::from(state);
        let href = with(JobFilter { states: vec![state], ..base.clone() });
        view! {
            <a class=format!("chip {}", look.class) href=href aria-current=(chosen == [state]).then_some("true")>
                <state::Shape look/>
                {look.word}
                <b class="num">{text(move || format::total(counts.of(&[state])))}</b>
            </a>
        }
    });
    let pipeline = base.pipeline.clone().map(|name| {
        let href = with(JobFilter { pipeline: None, ..base.clone() });
        view! {
            <a class="chip" href=href aria-current="true">
                "pipeline: " {name}
                <Icon path=icon::STOP/>
                <span class="sr-only">"Show all pipelines"</span>
            </a>
        }
    });
    view! {
        <div class="chips" role="group" aria-label="Filters">
            <a class="chip" href=with(base.any_state()) aria-current=chosen.is_empty().then_some("true")>
                "All"
                <b class="num">{text(move || format::total(all.all()))}</b>
            </a>
            {chips.collect_view()}
            {pipeline}
            <QueueChoice filter=base queues/>
        </div>
    }
}

#[component]
fn QueueChoice(filter: JobFilter, queues: Vec<String>) -> impl IntoView {
    let navigate = use_navigate();
    let chosen = filter.queue.clone();
    let states = filter.states.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let pipeline = filter.pipeline.clone().unwrap_or_default();
    let worker = filter.worker.clone().unwrap_or_default();
    // What else is filtered by stays so.
    let kept = params::hidden(&[("state", states), ("pipeline", pipeline), ("worker", worker)]);
    let q = filter.q.clone().unwrap_or_default();
    let choose = move |event: ev::Event| {
        let queue = Some(event_target_value(&event)).filter(|queue| !queue.is_empty());
        let filter = JobFilter { queue, ..filter.clone() };
        let query = JobsParams { filter, ..JobsParams::default() }.query();
        navigate(&format!("/jobs{query}"), NavigateOptions::default());
    };
    let options = queues.into_iter().map(|queue| {
        let selected = chosen.as_ref() == Some(&queue);
        view! { <option value=queue.clone() selected=selected>{queue.clone()}</option> }
    });
    view! {
        <form method="get" action="/jobs" class="queue-choice">
            <span inner_html=kept></span>
            <label class="sr-only" for="q">"Search"</label>
            <input id="q" name="q" type="search" class="chip search" value=q placeholder="Search names, parameters, errors, ids"/>
            <label class="sr-only" for="queue">"Queue"</label>
            <select id="queue" name="queue" class="chip" on:change=choose>
                <option value="">"queue: any"</option>
                {options.collect_view()}
            </select>
            <noscript inner_html="<button class=\"button\">Filter</button>"></noscript>
        </form>
    }
}
