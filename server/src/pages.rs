//! What the pages ask for, answered by the engine for the caller of the request.

use access::Access;
use app::{
    api::{Answer, JobsParams, PageError, Pages},
    reader::Reader,
};
use engine::{
    Caller, Engine, ReadError,
    store::{JobsQuery, StoreError},
};
use shared::{
    JobId,
    access::Via,
    job::JobDetail,
    log::LogWindow,
    page::{JobsPage, Overview, PipelinePage, PipelinesPage},
};

/// One per request: its caller's view of the engine.
pub struct CallersPages {
    pub access: Access,
    pub engine: Engine,
    pub caller: Caller,
}

/// Runs the question on its own handles, since the answer outlives the borrow.
macro_rules! ask {
    ($self:ident, |$engine:ident, $caller:ident| $question:expr) => {{
        let ($engine, $caller) = ($self.engine.clone(), $self.caller.clone());
        Box::pin(async move { $question.await.map_err(told) })
    }};
}

/// What a page shows of its reader.
pub fn reader(access: &Access, caller: &Caller) -> Reader {
    let without_password = caller.via == Via::Session
        && access.user(&caller.name).is_ok_and(|user| !user.has_password);
    Reader { name: caller.name.to_string(), role: caller.role, via: caller.via, without_password }
}

impl Pages for CallersPages {
    fn reader(&self) -> Option<Reader> {
        Some(reader(&self.access, &self.caller))
    }

    fn overview(&self) -> Answer<Overview> {
        ask!(self, |engine, caller| engine.overview(&caller))
    }

    fn jobs(&self, params: JobsParams) -> Answer<JobsPage> {
        let JobsParams { filter, sort, cursor, limit, .. } = params;
        let query = JobsQuery { filter, sort, cursor, limit };
        ask!(self, |engine, caller| engine.jobs_page(&caller, &query))
    }

    fn job(&self, id: JobId) -> Answer<JobDetail> {
        let job = ask!(self, |engine, caller| engine.job(&caller, id));
        found(job)
    }

    fn log_window(&self, id: JobId, from: i64, count: u32) -> Answer<LogWindow> {
        let window = ask!(self, |engine, caller| engine.log_window(&caller, id, from, count));
        found(window)
    }

    fn pipelines(&self) -> Answer<PipelinesPage> {
        ask!(self, |engine, caller| engine.pipelines(&caller))
    }

    fn pipeline(&self, name: String) -> Answer<PipelinePage> {
        let page = ask!(self, |engine, caller| engine.pipeline(&caller, &name));
        found(page)
    }
}

/// What is not there is not found.
fn found<T: 'static>(answer: Answer<Option<T>>) -> Answer<T> {
    Box::pin(async move { answer.await?.ok_or(PageError::NotFound) })
}

fn told(error: ReadError) -> PageError {
    match error {
        ReadError::NoLog | ReadError::Cursor(_) => PageError::NotFound,
        ReadError::Store(StoreError::Slow) => PageError::Unavailable(error.to_string()),
        _ => PageError::Unavailable("the store cannot be read now".to_owned()),
    }
}
