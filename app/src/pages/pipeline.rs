//! One pipeline: what it does, when it runs, how long its runs take and how they end, and a form to
//! run it now.

use super::pipelines::{mark, scheduled};
use crate::{
    api::{self, PageError},
    format,
    live::{Event, JobList, Live, Model, Order, Shape, Verdict, follow},
    parts::{
        html::{element, escape, link, text},
        jobs,
        notice::{Empty, Loading, Refused},
        params,
        rows::{self, Row},
        state::Look,
        time::{Clock, when},
    },
    url::encode,
};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use shared::{EventId, Job, JobFilter, Overlap, Pipeline, page::PipelinePage as Page};

/// Runs that are shown, as many as the server answers with.
const LAST: usize = 50;
/// Units of the drawing of durations: a bar per run, each ten wide.
const HEIGHT: u64 = 80;

#[component]
pub fn PipelinePage() -> impl IntoView {
    let params = use_params_map();
    let name = Memo::new(move |_| params.with(|params| params.get("name").unwrap_or_default()));
    let page = Resource::new(move || name.get(), api::pipeline);
    view! {
        <Title text=move || name.get()/>
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(page) => Either::Left(view! { <Shown page/> }),
                    Err(why) => Either::Right(view! { <Refused why what="pipeline"/> }),
                }
            })}
        </Transition>
    }
}

/// Its last runs, and what is said of all of them.
#[derive(Clone)]
struct PipelineModel {
    as_of: ArcRwSignal<EventId>,
    pipeline: ArcRwSignal<Pipeline>,
    last: JobList,
}

impl PipelineModel {
    fn new(mut page: Page) -> Self {
        let shape = Shape {
            filter: JobFilter {
                pipeline: Some(page.pipeline.name.clone()),
                ..JobFilter::default()
            },
            order: Order::Created,
            room: LAST,
            slack: 0,
            newest: true,
        };
        let last = std::mem::take(&mut page.pipeline.last);
        let more = last.len() >= LAST;
        Self {
            as_of: ArcRwSignal::new(page.as_of),
            pipeline: ArcRwSignal::new(page.pipeline),
            last: JobList::new(shape, last, more),
        }
    }
}

impl Model for PipelineModel {
    type Snapshot = Page;
    const PAUSE_MS: f64 = 1000.0;

    fn as_of(&self) -> EventId {
        self.as_of.get_untracked()
    }

    fn apply(&self, event: &Event) -> Verdict {
        let verdict = self.last.apply(event, false);
        let name = self.pipeline.with_untracked(|pipeline| pipeline.name.clone());
        match event {
            // How many succeed, and when it runs next, is for the server to say.
            Event::Job(job, _) if job.pipeline.as_ref() == Some(&name) && job.state.is_over() => {
                verdict.or(Verdict::Refetch)
            }
            _ => verdict,
        }
    }

    fn fetch(&self) -> impl Future<Output = Result<Page, PageError>> + 'static {
        api::pipeline(self.pipeline.with_untracked(|pipeline| pipeline.name.clone()))
    }

    fn replace(&self, mut page: Page) {
        self.as_of.set(page.as_of);
        let last = std::mem::take(&mut page.pipeline.last);
        let more = last.len() >= LAST;
        self.last.replace(last, more);
        self.pipeline.set(page.pipeline);
    }
}

#[component]
fn Shown(page: Page) -> impl IntoView {
    let model = PipelineModel::new(page);
    follow(expect_context::<Live>(), model.clone());
    let clock = expect_context::<Clock>();
    let (jobs, none) = (model.last.clone(), model.last.clone());
    let pieces = rows::pieces("job", move || {
        model.pipeline.with(|pipeline| {
            vec![
                Row::new("head", head(pipeline)),
                Row::new("facts", facts(&clock, pipeline)),
                Row::new("runs", runs(&model.last)),
            ]
        })
    });
    view! {
        {pieces}
        <section class="card list mt-3" aria-label="Last runs">
            {jobs::all(jobs)}
            {move || none.is_empty().then(|| view! { <Empty title="It has never run"/> })}
        </section>
    }
}

fn head(pipeline: &Pipeline) -> String {
    let name = &pipeline.name;
    let what = pipeline.description.as_deref().unwrap_or_default();
    const CRUMBS: &str = "<nav class=\"crumbs dim\" aria-label=\"Breadcrumb\"><a href=\"/pipelines\">Pipelines</a></nav>";
    let action = format!("/pipelines/{}/run", encode(name));
    let (label, class) = (format!("Run now: {name}"), "button button-main");
    let none = Default::default();
    let run = params::run(&action, "Run now", &label, class, &pipeline.params, &none);
    let head = [text("h1", name), element("div class=\"page-head-end acts\"", &run)];
    let html = [
        CRUMBS.to_owned(),
        element("div class=\"page-head\"", &head.concat()),
        text("p class=\"dim mb-3\"", what),
    ];
    element("div", &html.concat())
}

fn facts(clock: &Clock, pipeline: &Pipeline) -> String {
    let fact = |name: &str, value: &str| {
        element("div", &[text("dt", name), element("dd class=\"num\"", value)].concat())
    };
    let ended = pipeline.completed + pipeline.failed;
    let rate = match ended {
        0 => "—".to_owned(),
        _ => format!("{} % of {ended}", pipeline.completed * 100 / ended),
    };
    let queue =
        link("", &format!("/jobs?queue={}", encode(&pipeline.queue)), &escape(&pipeline.queue));
    let mut facts = fact("Queue", &queue) + &fact("Succeeded", &rate);
    if let Some(ms) = pipeline.timeout_ms {
        facts += &fact("Within", &format::duration(ms));
    }
    if pipeline.max_attempts > 1 {
        facts += &fact("Attempts", &pipeline.max_attempts.to_string());
        let (first, last) = (pipeline.retry_delay_ms, pipeline.retry_max_delay_ms);
        let pause = format!("{} to {}", format::duration(first), format::duration(last));
        facts += &fact("Pause before the next", &pause);
    }
    if pipeline.retries_lost {
        facts += &fact("When lost", "tried again");
    }
    if pipeline.priority != 0 {
        facts += &fact("Priority", &pipeline.priority.to_string());
    }
    if let Some(most) = pipeline.max_concurrent {
        facts += &fact("At a time", &most.to_string());
    }
    let mut html = element("dl class=\"meta\"", &facts);
    if let Some(schedule) = &pipeline.schedule {
        let next = schedule.next.iter().skip(1).map(|at| when(clock, Some(*at)));
        let next = next.collect::<Vec<_>>().join(", ");
        let then =
            if next.is_empty() { next } else { format!("<p class=\"remark num\">then {next}</p>") };
        let overlap = match schedule.overlap {
            Overlap::Skip => "skipped",
            Overlap::Queue => "queued",
        };
        let missed = match schedule.catch_up {
            true => "made up for by one",
            false => "not made up for",
        };
        let rules =
            format!("Due while a run goes on: {overlap} · due while no board ran: {missed}");
        let then = then + &text("p class=\"remark\"", &rules);
        html += &element("div class=\"schedule\"", &(scheduled(clock, schedule) + &then));
    }
    let steps = pipeline.steps.iter().map(|step| {
        let within = step.timeout_ms.map(|ms| format!(" · within {}", format::duration(ms)));
        let title = format!(
            "<span class=\"dim\">{}</span> {}{}",
            step.phase.as_str(),
            escape(&step.name),
            within.unwrap_or_default()
        );
        element("li", &[title, text("pre class=\"command mono\"", &step.run)].concat())
    });
    let steps = element("ol class=\"commands\" aria-label=\"Steps\"", &steps.collect::<String>());
    html += &format!(
        "<details class=\"story\"><summary>{}</summary>{steps}</details>",
        format::plural(pipeline.steps.len() as u64, "step", "steps")
    );
    element("section class=\"card\" aria-label=\"What it is\"", &html)
}

/// How its last runs went, as a strip, and how long they took, as bars that lead to them.
fn runs(last: &JobList) -> String {
    let mut marks = last.map(mark);
    marks.reverse();
    let mut ran = last.map(|job| (job.clone(), job.duration_ms));
    ran.retain(|(job, ms)| ms.is_some() && job.state.is_over());
    ran.reverse();
    if ran.is_empty() {
        return element("div", "");
    }
    let most = ran.iter().filter_map(|(_, ms)| *ms).max().unwrap_or(0).max(1);
    let bars = ran.iter().enumerate().map(|(at, (job, ms))| bar(job, ms.unwrap_or(0), at, most));
    let chart = format!(
        "<svg class=\"chart tall\" viewBox=\"0 0 {} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"group\" \
         aria-label=\"How long the last {} runs took, oldest first; at most {}\">{}</svg>",
        LAST * 10,
        ran.len(),
        format::duration(most),
        bars.collect::<String>()
    );
    let strip =
        element("ol class=\"strip\" aria-label=\"Last runs, oldest first\"", &marks.concat());
    let mut times: Vec<u64> = ran.iter().filter_map(|(_, ms)| *ms).collect();
    times.sort_unstable();
    let middle = times.get(times.len() / 2).copied().unwrap_or(0);
    let words = format!(
        "half of them within {}, all within {}",
        format::duration(middle),
        format::duration(most)
    );
    let head = [text("h2", "How long runs take"), text("span class=\"card-more num\"", &words)];
    let html = [element("div class=\"card-head\"", &head.concat()), chart, strip];
    element("section class=\"card durations mt-3\" aria-label=\"Durations\"", &html.concat())
}

fn bar(job: &Job, ms: u64, at: usize, most: u64) -> String {
    // A run that took no time is still one.
    let height = (ms * HEIGHT / most).max(2);
    let Look { class, word, .. } = Look::from(job.state);
    let words = format!("{word} after {}", format::duration(ms));
    format!(
        "<a href=\"/jobs/{}\" aria-label=\"{words}\"><rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"8\" height=\"{height}\"><title>{words}</title></rect></a>",
        job.id,
        at * 10,
        HEIGHT - height
    )
}
