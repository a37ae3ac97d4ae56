//! The routes, and what all of them stand in.

use crate::{
    board::BoardLoader,
    frame::{Head, Side, Warnings},
    keys::Keys,
    live::Live,
    pages::{
        JobPage, JobsPage, NotFoundPage, OverviewPage, PipelinePage, PipelinesPage, QueuesPage,
        WorkersPage,
    },
    parts::{forms::Forms, time::Clock},
};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};

/// The page. Every route is rendered whole before the first byte goes out, so that a page reads
/// without JavaScript and its status is known.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let clock = Clock::default();
    let live = Live::new(clock.clone());
    let loader = BoardLoader::new();
    provide_context(clock.clone());
    provide_context(live.clone());
    provide_context(loader.clone());

    Effect::new(move |_| clock.start());
    Effect::new(move |_| live.attend());
    Effect::new(move |_| {
        if loader.failed() {
            let loader = loader.clone();
            set_timeout(move || loader.try_again(), std::time::Duration::from_secs(3));
        }
    });
    // Whoever drives the page from outside waits for this: a click before would be lost.
    Effect::new(|_| {
        request_animation_frame(|| {
            if let Some(root) = document().document_element() {
                // The name is a valid one.
                let _ = root.set_attribute("data-hydrated", "");
            }
        });
    });

    view! {
        <Title formatter=|page: String| {
            if page.is_empty() { "Tailboard".to_owned() } else { format!("{page} · Tailboard") }
        }/>
        <Router>
            <a class="skip" href="#main" rel="external">
                "Skip to content"
            </a>
            <Forms/>
            <Keys/>
            <div class="frame">
                <Side/>
                <div class="frame-page">
                    <Head/>
                    <main id="main" tabindex="-1">
                        <Warnings/>
                        <FlatRoutes fallback=NotFoundPage>
                            <Route path=path!("/") view=OverviewPage ssr=SsrMode::Async/>
                            <Route path=path!("/jobs") view=JobsPage ssr=SsrMode::Async/>
                            <Route path=path!("/jobs/:id") view=JobPage ssr=SsrMode::Async/>
                            <Route path=path!("/queues") view=QueuesPage ssr=SsrMode::Async/>
                            <Route path=path!("/workers") view=WorkersPage ssr=SsrMode::Async/>
                            <Route path=path!("/pipelines") view=PipelinesPage ssr=SsrMode::Async/>
                            <Route path=path!("/pipelines/:name") view=PipelinePage ssr=SsrMode::Async/>
                        </FlatRoutes>
                    </main>
                </div>
            </div>
        </Router>
    }
}
