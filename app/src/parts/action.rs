//! Buttons that act: a form that works without JavaScript, and a request in place once the page
//! lives. What went wrong is said beside the button.

use super::{
    icon::{self, Icon},
    text,
};
use crate::{
    api::{self, PageError},
    url::encode,
};
use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use shared::JobId;

/// Starts a run of a pipeline and goes to it.
#[component]
pub fn RunButton(pipeline: String) -> impl IntoView {
    let state = Pending::new();
    let action = format!("/pipelines/{}/run", encode(&pipeline));
    let label = format!("Run {pipeline} now");
    let navigate = use_navigate();
    let submit = {
        let state = state.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            let (pipeline, navigate) = (pipeline.clone(), navigate.clone());
            state.clone().start(async move {
                let job = api::run(pipeline).await?;
                navigate(&format!("/jobs/{}", job.id), NavigateOptions::default());
                Ok(())
            });
        }
    };
    view! {
        <form method="post" action=action on:submit=submit class="action">
            <button class="button button-main" disabled=state.busy() aria-label=label>
                <Icon path=icon::RUN/>
                "Run now"
            </button>
            {state.said()}
        </form>
    }
}

/// Asks for a job to be cancelled.
#[component]
pub fn CancelButton(id: JobId, #[prop(into)] asked: Signal<bool>) -> impl IntoView {
    let state = Pending::new();
    let submit = {
        let state = state.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            state.clone().start(async move { api::cancel(id).await.map(drop) });
        }
    };
    let busy = state.busy();
    view! {
        <form method="post" action=format!("/jobs/{id}/cancel") on:submit=submit class="action">
            <button class="button button-danger" disabled=move || busy() || asked.get()>
                <Icon path=icon::STOP/>
                {text(move || if asked.get() { "Cancelling" } else { "Cancel" })}
            </button>
            {state.said()}
        </form>
    }
}

/// One request at a time, and what became of it.
#[derive(Clone)]
struct Pending {
    busy: ArcRwSignal<bool>,
    error: ArcRwSignal<Option<String>>,
}

// === impl Pending ===

impl Pending {
    fn new() -> Self {
        Self { busy: ArcRwSignal::new(false), error: ArcRwSignal::new(None) }
    }

    fn busy(&self) -> impl Fn() -> bool + Clone + Send + Sync + 'static + use<> {
        let busy = self.busy.clone();
        move || busy.get()
    }

    fn start(self, work: impl Future<Output = Result<(), PageError>> + 'static) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.error.set(None);
        spawn_local(async move {
            if let Err(error) = work.await {
                self.error.set(Some(match error {
                    PageError::NotFound => "It is not there any more.".to_owned(),
                    PageError::Forbidden => "You may not do this.".to_owned(),
                    PageError::Unavailable(why) => why,
                }));
            }
            self.busy.set(false);
        });
    }

    fn said(&self) -> impl IntoView + use<> {
        let error = self.error.clone();
        view! {
            <span class="action-error" role="status">
                {move || error.get()}
            </span>
        }
    }
}
