//! What the pages ask for, with two bodies: on the server an object in context that answers from
//! the engine, in the browser the same JSON over HTTP. Nothing else in this crate knows which.

#[cfg(feature = "ssr")]
use crate::reader::Reader;
use crate::{
    log::{Query, Way},
    url::encode,
};
use serde::{Deserialize, Serialize};
use shared::{
    JobFilter, JobId, JobSort,
    job::JobDetail,
    log::{Line, LogMatches, LogWindow},
    page::{JobsPage, Overview, PipelinePage, PipelinesPage},
};

/// Rows on a page of the jobs list.
pub const JOBS_PER_PAGE: u32 = 50;

/// Which page of which jobs list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobsParams {
    pub filter: JobFilter,
    /// What `from` of the filter is in an address, where it is a span of time: `-24h`.
    pub since: Option<String>,
    pub sort: JobSort,
    /// Where the page begins; `None` is the newest job.
    pub cursor: Option<String>,
    /// Rows, at most 200.
    pub limit: u32,
}

impl Default for JobsParams {
    fn default() -> Self {
        Self {
            filter: JobFilter::default(),
            since: None,
            sort: JobSort::Created,
            cursor: None,
            limit: JOBS_PER_PAGE,
        }
    }
}

impl JobsParams {
    /// As the query of a page's address, with its `?`; empty for the newest of all jobs.
    pub fn address(&self) -> String {
        self.words(self.since.clone().or_else(|| self.filter.from.map(|at| at.to_string())))
    }

    /// The same for the API, which knows no spans of time.
    pub fn query(&self) -> String {
        self.words(self.filter.from.map(|at| at.to_string()))
    }

    /// The names are those of the API: `connection` and `state` are comma lists.
    fn words(&self, from: Option<String>) -> String {
        let filter = &self.filter;
        let list = |words: Vec<String>| Some(words.join(",")).filter(|list| !list.is_empty());
        [
            ("connection", list(filter.connections.iter().map(ToString::to_string).collect())),
            ("state", list(filter.states.iter().map(ToString::to_string).collect())),
            ("queue", filter.queue.clone()),
            ("worker", filter.worker.clone()),
            ("pipeline", filter.pipeline.clone()),
            ("from", from),
            ("to", filter.to.map(|at| at.to_string())),
            ("q", filter.q.clone()),
            ("sort", (self.sort != JobSort::Created).then(|| self.sort.as_str().to_owned())),
            ("cursor", self.cursor.clone()),
            ("limit", Some(self.limit.to_string()).filter(|_| self.limit != JOBS_PER_PAGE)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .fold(String::new(), |mut query, (name, value)| {
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(name);
            query.push('=');
            query.push_str(&encode(&value));
            query
        })
    }
}

/// What a form was answered with.
#[derive(Deserialize)]
pub struct Sent {
    /// The address that shows what became of it.
    pub to: Option<String>,
    /// What became of it, where that has no page.
    pub said: Option<String>,
}

/// Why a page cannot show what it was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum PageError {
    /// There is no such thing, or this caller may not know of it.
    NotFound,
    /// This caller may see it, but not do that.
    Forbidden,
    /// It did not work now; the sentence says why and may be shown.
    Unavailable(String),
}

// === impl PageError ===

impl PageError {
    /// What to tell who asked.
    pub fn words(self) -> String {
        match self {
            Self::NotFound => "It is not there any more.".to_owned(),
            Self::Forbidden => "You may not do this.".to_owned(),
            Self::Unavailable(why) => why,
        }
    }
}

/// What the server answers the pages with. The server makes one per request, with its caller in
/// it, and puts it into context as `Arc<dyn Pages>`. The trait is there because the pages must not
/// depend on the engine. Every answer has to come within a second or so: the whole page waits.
#[cfg(feature = "ssr")]
pub trait Pages: Send + Sync {
    /// Who is answered; `None`: not told.
    fn reader(&self) -> Option<Reader>;
    fn overview(&self) -> Answer<Overview>;
    fn jobs(&self, params: JobsParams) -> Answer<JobsPage>;
    fn job(&self, id: JobId) -> Answer<JobDetail>;
    /// `from` is 1-based; a negative one counts from the end (`-500`: the last 500 lines).
    fn log_window(&self, id: JobId, from: i64, count: u32) -> Answer<LogWindow>;
    fn pipelines(&self) -> Answer<PipelinesPage>;
    fn pipeline(&self, name: String) -> Answer<PipelinePage>;
}

/// An answer on its way.
#[cfg(feature = "ssr")]
pub type Answer<T> = std::pin::Pin<Box<dyn Future<Output = Result<T, PageError>> + Send>>;

#[cfg(feature = "ssr")]
mod body {
    use super::*;
    use leptos::prelude::use_context;
    use std::sync::Arc;

    async fn ask<T>(question: impl FnOnce(Arc<dyn Pages>) -> Answer<T>) -> Result<T, PageError> {
        // Absent while routes are listed, which runs no loader, and in a server set up wrongly.
        match use_context::<Arc<dyn Pages>>() {
            Some(pages) => question(pages).await,
            None => Err(PageError::Unavailable("this server serves no data".to_owned())),
        }
    }

    pub async fn overview() -> Result<Overview, PageError> {
        ask(|pages| pages.overview()).await
    }

    pub async fn jobs(params: JobsParams) -> Result<JobsPage, PageError> {
        ask(|pages| pages.jobs(params)).await
    }

    pub async fn job(id: JobId) -> Result<JobDetail, PageError> {
        ask(|pages| pages.job(id)).await
    }

    pub async fn log_window(id: JobId, from: i64, count: u32) -> Result<LogWindow, PageError> {
        ask(|pages| pages.log_window(id, from, count)).await
    }

    pub async fn pipelines() -> Result<PipelinesPage, PageError> {
        ask(|pages| pages.pipelines()).await
    }

    pub async fn pipeline(name: String) -> Result<PipelinePage, PageError> {
        ask(|pages| pages.pipeline(name)).await
    }

    // What only handlers in the browser ask for.

    pub async fn log_line(_id: JobId, _n: u64) -> Result<Line, PageError> {
        Err(in_the_browser())
    }

    pub async fn log_search(
        _id: JobId,
        _query: &Query,
        _way: Way,
        _at: u64,
        _limit: usize,
        _first: bool,
    ) -> Result<LogMatches, PageError> {
        Err(in_the_browser())
    }

    fn in_the_browser() -> PageError {
        PageError::Unavailable("the browser asks for this".to_owned())
    }

    pub async fn check_session() {}

    /// Forms act on the server without this.
    pub async fn submit(_path: &str, _fields: String) -> Result<Sent, PageError> {
        Err(in_the_browser())
    }
}

#[cfg(all(feature = "hydrate", not(feature = "ssr")))]
mod body {
    use super::*;
    use gloo_net::http::{Request, Response};
    use send_wrapper::SendWrapper;
    use serde::de::DeserializeOwned;
    use shared::problem::Problem;

    pub async fn overview() -> Result<Overview, PageError> {
        get("/api/v1/overview").await
    }

    pub async fn jobs(params: JobsParams) -> Result<JobsPage, PageError> {
        get(format!("/api/v1/pages/jobs{}", params.query())).await
    }

    pub async fn job(id: JobId) -> Result<JobDetail, PageError> {
        get(format!("/api/v1/jobs/{id}")).await
    }

    pub async fn log_window(id: JobId, from: i64, count: u32) -> Result<LogWindow, PageError> {
        get(format!("/api/v1/jobs/{id}/log?from={from}&count={count}")).await
    }

    pub async fn pipelines() -> Result<PipelinesPage, PageError> {
        get("/api/v1/pages/pipelines").await
    }

    pub async fn pipeline(name: String) -> Result<PipelinePage, PageError> {
        get(format!("/api/v1/pipelines/{}", encode(&name))).await
    }

    /// One line, whole.
    pub async fn log_line(id: JobId, n: u64) -> Result<Line, PageError> {
        get(format!("/api/v1/jobs/{id}/log/{n}")).await
    }

    /// Lines that match, from line `at` on down or before it up, as far as the server looks at once. `first`:
    /// no further than to the `limit`th of them.
    pub async fn log_search(
        id: JobId,
        query: &Query,
        way: Way,
        at: u64,
        limit: usize,
        first: bool,
    ) -> Result<LogMatches, PageError> {
        let q = encode(&query.q);
        let mode = if query.regex { "regex" } else { "plain" };
        let case = if query.case { "match" } else { "ignore" };
        let way = if way == Way::Down { "from" } else { "before" };
        let path = format!("/api/v1/jobs/{id}/log/search?q={q}&mode={mode}&case={case}&{way}={at}");
        get(format!("{path}&limit={limit}&first={first}")).await
    }

    /// Finds out whether the session goes on: who is signed out meanwhile is led to where one signs in.
    pub async fn check_session() {
        // Any other failure shows in the stream, too.
        let _ = get::<serde::de::IgnoredAny>("/api/v1/me").await;
    }

    /// Sends a form.
    pub async fn submit(path: &str, fields: String) -> Result<Sent, PageError> {
        let request = Request::post(path)
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(fields);
        answer(request.map_err(unreachable)?.send().await).await
    }

    /// What a browser's promise becomes is tied to its thread, of which there is one; resources
    /// are typed for a server, which has many.
    fn get<T: DeserializeOwned>(
        path: impl AsRef<str>,
    ) -> impl Future<Output = Result<T, PageError>> + Send {
        SendWrapper::new(async move { answer(Request::get(path.as_ref()).send().await).await })
    }

    async fn answer<T: DeserializeOwned>(
        response: Result<Response, gloo_net::Error>,
    ) -> Result<T, PageError> {
        let response = response.map_err(unreachable)?;
        let text = response.text().await.map_err(unreachable)?;
        match response.status() {
            200..300 => serde_json::from_str(&text)
                .map_err(|error| PageError::Unavailable(format!("unexpected answer: {error}"))),
            404 => Err(PageError::NotFound),
            401 => {
                sign_in();
                Err(PageError::Forbidden)
            }
            403 => Err(PageError::Forbidden),
            status => {
                let said = match serde_json::from_str::<Problem>(&text) {
                    Ok(problem) => problem.detail.unwrap_or(problem.title),
                    // Forms say it in a line of plain text.
                    Err(_) if text.starts_with("Not done") => text.trim_end().to_owned(),
                    Err(_) => format!("the server answered {status}"),
                };
                Err(PageError::Unavailable(said))
            }
        }
    }

    /// Leads to where one signs in, and from there back here.
    fn sign_in() {
        let location = leptos::prelude::location();
        let here = [location.pathname(), location.search()].map(Result::unwrap_or_default).concat();
        // A browser that does not go there stays on a page that says it is not live.
        let _ = location.assign(&format!("/login?next={}", encode(&here)));
    }

    fn unreachable(_: gloo_net::Error) -> PageError {
        PageError::Unavailable("the server cannot be reached".to_owned())
    }
}

#[cfg(not(any(feature = "ssr", feature = "hydrate")))]
compile_error!(
    "build `app` with the feature `ssr` (for the server) or `hydrate` (for the browser)"
);

pub use body::*;
