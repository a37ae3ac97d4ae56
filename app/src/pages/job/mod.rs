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
    parts::{
        html::element,
        notice::{Loading, Refused},
        rows::{self, Row},
        time::Clock,
    },
};
use head::{attempts, head, meta, why};
use leptos::{either::Either, ev, prelude::*, wasm_bindgen::JsCast};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::JobModel;
use shared::{JobId, job::JobDetail, log::LogWindow};
use story::story;
use timeline::timeline;
use web_sys::Element;

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

    let jump = Jump::default();
    let steps = model.steps();
    let log = model.log.clone();
    let clock = expect_context::<Clock>();
    let pieces = rows::pieces("job", move || {
        let gone = model.gone.get().then(|| Row::new("gone", GONE.to_owned()));
        let mut pieces: Vec<_> = gone.into_iter().collect();
        model.detail.with(|detail| {
            pieces.push(Row::new("head", element("div", &head(detail))));
            let went = [
                model.log.with(|log| meta(&clock, detail, log)),
                timeline(&clock, detail),
                why(detail),
                attempts(&clock, detail),
                story(&clock, &detail.timeline),
            ];
            let open = "section class=\"card\" aria-label=\"How it went\"";
            pieces.push(Row::new("went", element(open, &went.concat())));
        });
        pieces
    });
    // A step, or the reason of a failure, leads to its place in the log.
    let to_line = {
        let jump = jump.clone();
        move |event: ev::MouseEvent| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let button = target.and_then(|target| target.closest("[data-line]").ok().flatten());
            let line = button.and_then(|button| button.get_attribute("data-line")?.parse().ok());
            if let Some(line) = line {
                jump.to(line);
            }
        }
    };
    view! {
        <Title text=title/>
        <div on:click=to_line>{pieces}</div>
        <LogViewer id window info=log steps jump/>
    }
}

const GONE: &str = "<div class=\"card mb-3 notice gone\" role=\"status\"><p class=\"notice-title\">This job was deleted</p>\
    <p class=\"dim\"><a href=\"/jobs\">All jobs</a></p></div>";
