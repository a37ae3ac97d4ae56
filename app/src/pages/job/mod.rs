//! One job: what it is and how it went (`head`), when what ran (`timeline`), everything that
//! happened to it (`story`), and its log beside it.

mod head;
mod model;
mod story;
mod timeline;

use crate::{
    api::{self, PageError},
    live::{Live, follow},
    log::{FIRST_LINES, Jump, LogViewer},
    parts::notice::{Empty, Loading, Refused},
};
use head::{Head, Why};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::JobModel;
use shared::{JobId, job::JobDetail, log::LogWindow};
use story::Story;
use timeline::Timeline;

#[component]
pub fn JobPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get_str("id")?.parse::<JobId>().ok()));
    let detail = Resource::new(
        move || id.get(),
        async |id| match id {
            Some(id) => api::job(id).await,
            None => Err(PageError::NotFound),
        },
    );
    let window = Resource::new(
        move || id.get(),
        async |id| match id {
            Some(id) => api::log_window(id, -i64::from(FIRST_LINES), FIRST_LINES).await,
            None => Err(PageError::NotFound),
        },
    );
    view! {
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                let (detail, window) = (detail.await, window.await);
                match detail {
                    // A log that cannot be read now is read when the page lives.
                    Ok(detail) => Either::Left(view! { <JobView detail window=window.ok()/> }),
                    Err(why) => {
                        Either::Right(
                            view! {
                                <Title text="Job"/>
                                <Refused why what="job"/>
                            },
                        )
                    }
                }
            })}
        </Transition>
    }
}

#[component]
fn JobView(detail: JobDetail, window: Option<LogWindow>) -> impl IntoView {
    let id = detail.job.id;
    let title = detail.job.name.clone();
    let model = JobModel::new(detail);
    let live = expect_context::<Live>();
    follow(live.clone(), model.clone());
    Effect::new(move |_| {
        live.watch_log(Some(id));
        let live = live.clone();
        on_cleanup(move || live.watch_log(None));
    });

    let gone = model.gone.clone();
    let jump = Jump::default();
    let steps = model.steps();
    let log = model.log.clone();
    view! {
        <Title text=title/>
        {move || {
            gone.get()
                .then(|| {
                    view! {
                        <div class="card mb-3">
                            <Empty title="This job was deleted" link=("/jobs", "All jobs")/>
                        </div>
                    }
                })
        }}
        <Head model=model.clone()/>
        <section class="card" aria-label="How it went">
            <head::Meta model=model.clone()/>
            <Timeline model=model.clone() jump=jump.clone()/>
            <Why model=model.clone() jump=jump.clone()/>
            <Story model=model.clone()/>
        </section>
        <LogViewer id window info=log steps jump/>
    }
}
