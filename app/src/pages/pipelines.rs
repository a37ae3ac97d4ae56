//! Pipelines: what each does, how its last runs went, and a button to run it now.

use crate::{
    api::{self, PageError},
    format,
    live::{Event, JobList, Live, Model, Order, Shape, Verdict, follow},
    parts::{
        html::{element, escape, link, text},
        jobs::short,
        notice::{Empty, Loading, Refused},
        params,
        rows::{self, Row},
        state::Look,
        time::{Clock, ran, when},
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
    let clock = expect_context::<Clock>();
    let cards = rows::pieces("pipelines", move || {
        let card = |pipeline: &Pipeline| {
            let last = model.last(&pipeline.name)?;
            Some(Row::new(&pipeline.name, card(&clock, pipeline, &last)))
        };
        page.pipelines.iter().filter_map(card).collect()
    });
    view! {
        <div class="page-head">
            <h1>"Pipelines"</h1>
            <span class="dim num">{format::plural(count as u64, "pipeline", "pipelines")}</span>
        </div>
        {cards}
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

fn card(clock: &Clock, pipeline: &Pipeline, last: &JobList) -> String {
    let Pipeline { name, queue, description, .. } = pipeline;
    let title = link("job-name", &format!("/pipelines/{}", encode(name)), &escape(name));
    let what = [
        element("h2", &title),
        text("p class=\"dim\"", description.as_deref().unwrap_or_default()),
    ];
    let action = format!("/pipelines/{}/run", encode(name));
    let (label, class) = (format!("Run now: {name}"), "button button-main");
    let run = params::run(&action, "Run now", &label, class, &pipeline.params, &BTreeMap::new());
    let head = [
        element("div class=\"pipeline-what\"", &what.concat()),
        element("div class=\"acts\"", &run),
    ];
    let steps = pipeline.steps.iter().map(|step| {
        let (phase, name) = (step.phase.as_str(), escape(&step.name));
        format!(
            "<li class=\"plan-step\"><span class=\"dim\">{phase}</span><span>{name}</span></li>"
        )
    });
    let timeout = pipeline.timeout_ms.map(|ms| format!(" · within {}", format::duration(ms)));
    let queue = link("", &format!("/jobs?queue={}", encode(queue)), &escape(queue));
    let ended = pipeline.completed + pipeline.failed;
    let rate = match (pipeline.completed * 100).checked_div(ended) {
        Some(percent) => format!(" · {percent} % of {ended} succeeded"),
        None => String::new(),
    };
    let foot = ["queue ", &queue, &timeout.unwrap_or_default(), &rate].concat();
    let body = [
        element("div class=\"pipeline-head\"", &head.concat()),
        pipeline.schedule.as_ref().map(|schedule| scheduled(clock, schedule)).unwrap_or_default(),
        element("ol class=\"plan\" aria-label=\"Steps\"", &steps.collect::<String>()),
        last_runs(clock, last),
        element("p class=\"pipeline-foot dim\"", &foot),
    ];
    let open = format!("article class=\"card pipeline\" aria-label=\"{}\"", escape(name));
    element(&open, &body.concat())
}

/// When it runs by itself.
pub fn scheduled(clock: &Clock, schedule: &Schedule) -> String {
    let Schedule { cron, timezone, next, skipped_at, .. } = schedule;
    let cron = text("span class=\"mono\"", cron);
    let next = when(clock, next.first().copied());
    let skipped = skipped_at
        .map(|at| format!(" · skipped {} as the run before went on", when(clock, Some(at))));
    let skipped = skipped.unwrap_or_default();
    let line = format!("{cron} {}, next {next}{skipped}", escape(timezone));
    element("p class=\"pipeline-foot dim\"", &line)
}

/// The last runs: a strip of states, oldest first, and the newest in words.
fn last_runs(clock: &Clock, last: &JobList) -> String {
    let mut marks = last.map(mark);
    marks.reverse();
    let newest =
        last.map(|job| format!("{} · {}", when(clock, Some(job.created_at)), ran(clock, job)));
    let words = newest.into_iter().next().unwrap_or_else(|| "never run".to_owned());
    let strip =
        element("ol class=\"strip\" aria-label=\"Last runs, oldest first\"", &marks.concat());
    let words = element("span class=\"last-words num dim\"", &words);
    element("div class=\"last\"", &(strip + &words))
}

/// A run as its state, the way to it.
pub fn mark(job: &Job) -> String {
    let look = Look::from(job.state);
    let Look { class, word, .. } = look;
    format!(
        "<li><a class=\"strip-mark {class}\" href=\"/jobs/{}\" aria-label=\"{word} {}\" title=\"{word}\">{}</a></li>",
        job.id,
        short(job.id),
        look.shape()
    )
}
