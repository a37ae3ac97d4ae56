//! Pipelines: what each does, how its last runs went, and a button to run it now.

use crate::{
    api::{self, PageError},
    format,
    live::{Event, JobList, Live, Model, Order, Shape, Verdict, follow},
    parts::{
        action::RunButton,
        jobs::short,
        notice::{Empty, Loading, Refused},
        params,
        state::{Look, Shape as StateShape},
        text,
        time::{JobDuration, When},
    },
    url::encode,
};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use shared::{EventId, Job, JobFilter, Pipeline, Schedule, page};
use std::{collections::BTreeMap, sync::Arc};

/// Runs in a strip, as many as the server answers with.
const LAST: usize = 10;

#[component]
pub fn PipelinesPage() -> impl IntoView {
    let page = Resource::new(|| (), |()| api::pipelines());
    view! {
        <Title text="Pipelines"/>
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(page) => Either::Left(view! { <Pipelines page/> }),
                    Err(why) => Either::Right(view! { <Refused why what="list"/> }),
                }
            })}
        </Transition>
    }
}

/// The last runs of every pipeline. Pipelines themselves change with the configuration, which
/// needs a new server and with it a fetch.
#[derive(Clone)]
struct PipelinesModel {
    as_of: ArcRwSignal<EventId>,
    last: Arc<Vec<(String, JobList)>>,
}

// === impl PipelinesModel ===

impl PipelinesModel {
    fn new(as_of: EventId, pipelines: &mut [Pipeline]) -> Self {
        let last = pipelines.iter_mut().map(|pipeline| {
            let shape = Shape {
                filter: JobFilter { pipeline: Some(pipeline.name.clone()), ..JobFilter::default() },
                order: Order::Created,
                room: LAST,
                slack: 0,
                newest: true,
            };
            let last = std::mem::take(&mut pipeline.last);
            let more = last.len() >= LAST;
            (pipeline.name.clone(), JobList::new(shape, last, more))
        });
        Self { as_of: ArcRwSignal::new(as_of), last: Arc::new(last.collect()) }
    }

    fn last(&self, pipeline: &str) -> Option<JobList> {
        self.last.iter().find(|(name, _)| name == pipeline).map(|(_, last)| last.clone())
    }
}

impl Model for PipelinesModel {
    type Snapshot = page::PipelinesPage;
    const PAUSE_MS: f64 = 1000.0;

    fn as_of(&self) -> EventId {
        self.as_of.get_untracked()
    }

    fn apply(&self, event: &Event) -> Verdict {
        let verdicts = self.last.iter().map(|(_, last)| last.apply(event, false));
        verdicts.fold(Verdict::Kept, Verdict::or)
    }

    fn fetch(&self) -> impl Future<Output = Result<page::PipelinesPage, PageError>> + 'static {
        api::pipelines()
    }

    fn replace(&self, page: page::PipelinesPage) {
        self.as_of.set(page.as_of);
        for pipeline in page.pipelines {
            if let Some(last) = self.last(&pipeline.name) {
                let more = pipeline.last.len() >= LAST;
                last.replace(pipeline.last, more);
            }
        }
    }
}

#[component]
fn Pipelines(mut page: page::PipelinesPage) -> impl IntoView {
    let model = PipelinesModel::new(page.as_of, &mut page.pipelines);
    follow(expect_context::<Live>(), model.clone());
    let count = page.pipelines.len();
    let cards = page.pipelines.into_iter().filter_map(|pipeline| {
        let last = model.last(&pipeline.name)?;
        Some(view! { <PipelineCard pipeline last/> })
    });
    view! {
        <div class="page-head">
            <h1>"Pipelines"</h1>
            <span class="dim num">{format::plural(count as u64, "pipeline", "pipelines")}</span>
        </div>
        <div class="pipelines">{cards.collect_view()}</div>
        {(count == 0)
            .then(|| {
                view! {
                    <div class="card">
                        <Empty title="No pipelines" text="Name some in the configuration file and start the server again."/>
                    </div>
                }
            })}
    }
}

#[component]
fn PipelineCard(pipeline: Pipeline, last: JobList) -> impl IntoView {
    let (name, label) = (pipeline.name.clone(), pipeline.name.clone());
    let all = format!("/jobs?pipeline={}", encode(&name));
    let steps = pipeline.steps.iter().map(|step| {
        view! {
            <li class="plan-step">
                <span class="dim">{step.phase.as_str()}</span>
                <span>{step.name.clone()}</span>
            </li>
        }
    });
    let run = match pipeline.params.as_slice() {
        [] => Either::Left(view! { <RunButton pipeline=name.clone()/> }),
        defs => {
            let action = format!("/pipelines/{}/run", encode(&name));
            let form = params::run(&action, "Run", "button button-main", defs, &BTreeMap::new());
            Either::Right(view! { <div class="acts" inner_html=form></div> })
        }
    };
    let schedule = pipeline.schedule.clone().map(scheduled);
    let timeout = pipeline.timeout_ms.map(|ms| format!("within {}", format::duration(ms)));
    view! {
        <article class="card pipeline" aria-label=label>
            <div class="pipeline-head">
                <div class="pipeline-what">
                    <h2>
                        <a class="job-name" href=all>{name.clone()}</a>
                    </h2>
                    <p class="dim">{pipeline.description}</p>
                </div>
                {run}
            </div>
            {schedule}
            <ol class="plan" aria-label="Steps">{steps.collect_view()}</ol>
            <LastRuns last/>
            <p class="pipeline-foot dim">
                "queue " <a href=format!("/jobs?queue={}", encode(&pipeline.queue))>{pipeline.queue.clone()}</a>
                {timeout.map(|timeout| format!(" · {timeout}"))}
            </p>
        </article>
    }
}

/// When it runs by itself.
fn scheduled(schedule: Schedule) -> impl IntoView {
    let Schedule { cron, timezone, next, skipped_at, .. } = schedule;
    let next = next.first().copied();
    view! {
        <p class="pipeline-foot dim">
            <span class="mono">{cron}</span>
            " "
            {timezone}
            ", next "
            <When at=next/>
            {skipped_at.map(|at| view! { " · skipped " <When at=Some(at)/> " as the run before went on" })}
        </p>
    }
}

/// The last runs: a strip of states, oldest first, and the newest in words.
#[component]
fn LastRuns(last: JobList) -> impl IntoView {
    let strip = {
        let last = last.clone();
        move || last.list().into_iter().rev().collect::<Vec<_>>()
    };
    let newest =
        move || last.list().into_iter().next().map(|mounted| Signal::<Job>::from(mounted.row));
    view! {
        <div class="last">
            <ol class="strip" aria-label="Last runs, oldest first">
                <For
                    each=strip
                    key=|mounted| mounted.key
                    children=|mounted| view! { <StripMark job=mounted.row/> }
                />
            </ol>
            <span class="last-words dim">
                {move || match newest() {
                    None => Either::Left("never run"),
                    Some(job) => {
                        let created = Signal::derive(move || job.with(|job| Some(job.created_at)));
                        Either::Right(
                            view! {
                                <When at=created/>
                                " · "
                                <JobDuration job/>
                            },
                        )
                    }
                }}
            </span>
        </div>
    }
}

#[component]
fn StripMark(#[prop(into)] job: Signal<Job>) -> impl IntoView {
    let id = job.with_untracked(|job| job.id);
    let look = Memo::new(move |_| Look::from(job.with(|job| job.state)));
    view! {
        <li>
            <a
                class=text(move || format!("strip-mark {}", look.get().class))
                href=format!("/jobs/{id}")
                aria-label=text(move || format!("{} {}", look.get().word, short(id)))
                title=text(move || look.get().word)
            >
                <StateShape look/>
            </a>
        </li>
    }
}
