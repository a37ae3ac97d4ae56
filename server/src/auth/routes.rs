//! The routes of the server, each with the rule that says who may use it.
//!
//! [`Routes`] is the only way into the router, and it takes no route without a [`Rule`]; what it was given
//! is the table that the tests walk with every kind of caller.

use super::{Visitor, Writes, refusal, until::Until};
use crate::{contracts::come_again, served::Served};
use access::audit::Entry;
use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, OriginalUri, Request},
    handler::Handler,
    http::Method,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter},
};
use engine::Caller;
use http::{StatusCode, header};
use shared::{Job, Role, access::Via};

/// Who may use a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Everybody, without a credential too.
    Open,
    /// Reads: who has at least this role.
    Read(Role),
    /// A stream of events, for every role. A browser that is one too many is told to come again, since any
    /// other answer ends its `EventSource` for good.
    Stream,
    /// Acts, or takes data away: who has at least this role. It is written in the audit log by this name.
    Act(Role, &'static str),
    /// The same for what takes access away, one's own or others': who asked for too much in a minute may still do
    /// that.
    Ends(Role, &'static str),
}

impl Rule {
    /// Every caller reads.
    pub const READ: Self = Self::Read(Role::Viewer);

    /// The least role; `None`: nobody in particular.
    pub fn role(self) -> Option<Role> {
        match self {
            Self::Open => None,
            Self::Stream => Some(Role::Viewer),
            Self::Read(role) | Self::Act(role, _) | Self::Ends(role, _) => Some(role),
        }
    }

    /// By what name it is written in the audit log; `None`: it is written only when it was refused.
    pub fn action(self) -> Option<&'static str> {
        match self {
            Self::Act(_, name) | Self::Ends(_, name) => Some(name),
            Self::Open | Self::Read(_) | Self::Stream => None,
        }
    }
}

/// A route as it was made.
#[derive(Clone, Debug)]
pub struct Route {
    pub method: Method,
    /// With `{name}` where a part may be anything.
    pub path: String,
    pub rule: Rule,
}

/// What was done, where the path does not say it: put among a response's extensions, it is written in the
/// audit log.
#[derive(Clone, Debug)]
pub struct Done {
    pub target: String,
    pub detail: Option<String>,
}

impl Done {
    pub fn to(target: impl Into<String>) -> Self {
        Self { target: target.into(), detail: None }
    }

    /// As it is written down.
    pub fn entry(self, by: &Caller, from: &Visitor, action: &str, status: StatusCode) -> Entry {
        Entry {
            caller: Some(by.name.to_string()),
            via: Some(by.via),
            address: from.address.to_string(),
            action: action.to_owned(),
            target: self.target,
            status: status.as_u16(),
            detail: self.detail,
        }
    }

    /// A user or key of this role was made.
    pub fn of_role(target: impl Into<String>, role: Role) -> Self {
        Self { detail: Some(role.as_str().to_owned()), ..Self::to(target) }
    }

    /// A run of a pipeline was queued.
    pub fn queued(job: &Job) -> Self {
        Self { detail: Some(format!("job {}", job.id)), ..Self::to(&*job.name) }
    }
}

/// Why something was refused, where the status does not say it: put among a response's extensions, it is
/// written in the audit log.
#[derive(Clone, Debug)]
pub struct Because(pub String);

/// Routes, each with its rule.
pub struct Routes<S = Served> {
    router: Router<S>,
    table: Vec<Route>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self { router: Router::new(), table: Vec::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn get<H: Handler<T, S>, T: 'static>(self, path: &str, rule: Rule, handler: H) -> Self {
        self.on(Method::GET, MethodFilter::GET, path, rule, handler)
    }

    pub fn post<H: Handler<T, S>, T: 'static>(self, path: &str, rule: Rule, handler: H) -> Self {
        self.on(Method::POST, MethodFilter::POST, path, rule, handler)
    }

    pub fn put<H: Handler<T, S>, T: 'static>(self, path: &str, rule: Rule, handler: H) -> Self {
        self.on(Method::PUT, MethodFilter::PUT, path, rule, handler)
    }

    pub fn patch<H: Handler<T, S>, T: 'static>(self, path: &str, rule: Rule, handler: H) -> Self {
        self.on(Method::PATCH, MethodFilter::PATCH, path, rule, handler)
    }

    pub fn delete<H: Handler<T, S>, T: 'static>(self, path: &str, rule: Rule, handler: H) -> Self {
        self.on(Method::DELETE, MethodFilter::DELETE, path, rule, handler)
    }

    fn on<H: Handler<T, S>, T: 'static>(
        mut self,
        method: Method,
        filter: MethodFilter,
        path: &str,
        rule: Rule,
        handler: H,
    ) -> Self {
        let checked = MethodRouter::new().on(filter, handler);
        let check = move |request: Request, next: Next| check(rule, request, next);
        let checked = checked.route_layer(middleware::from_fn(check));
        self.router = self.router.route(path, checked);
        self.table.push(Route { method, path: path.to_owned(), rule });
        self
    }

    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.table.extend(other.table);
        self
    }

    /// Wraps the router; routes are added by the other methods only.
    pub fn wrap(mut self, wrap: impl FnOnce(Router<S>) -> Router<S>) -> Self {
        self.router = wrap(self.router);
        self
    }

    /// All routes of these, below `prefix`.
    pub fn under(mut self, prefix: &str) -> Self {
        self.router = Router::new().nest(prefix, self.router);
        for route in &mut self.table {
            route.path.insert_str(0, prefix);
        }
        self
    }

    pub fn into_parts(self) -> (Router<S>, Vec<Route>) {
        (self.router, self.table)
    }
}

/// Lets through who may, and writes down what is done and what is refused.
async fn check(rule: Rule, request: Request, next: Next) -> Response {
    let Some(needs) = rule.role() else {
        // Signing in is written down, too.
        return match *request.method() {
            Method::POST => to_its_end(next.run(request)).await,
            _ => next.run(request).await,
        };
    };
    // A nested router sees its own part only.
    let uri = request.extensions().get::<OriginalUri>().map(|uri| uri.path().to_owned());
    let path = uri.unwrap_or_else(|| request.uri().path().to_owned());
    let visitor = request.extensions().get::<Visitor>().cloned();
    let Some((visitor, caller)) = visitor.and_then(|v| v.caller.clone().map(|c| (v, c))) else {
        return refusal::unauthorized(&path);
    };
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let bearer = request.headers().contains_key(header::AUTHORIZATION);
    let refused = if caller.role < needs {
        Some(refusal::forbidden(&path, caller.role, needs))
    } else if reads {
        None
    } else {
        let Writes { per_minute, .. } = visitor.writes;
        let refused = |seconds| refusal::too_many(&path, per_minute, seconds);
        let asked = visitor.writes.take(&caller);
        asked.err().filter(|_| !matches!(rule, Rule::Ends(..))).map(refused)
    };
    let browser = rule == Rule::Stream && caller.via == Via::Session && !bearer;
    let ended = caller.ended.clone();
    let work = async move {
        let response = match refused {
            Some(refusal) => refusal,
            None => next.run(request).await,
        };
        if let Some(entry) = entry(rule, &caller, &visitor, path, route, &response) {
            visitor.access.audit(entry).await;
        }
        response
    };
    let response = match rule.action() {
        Some(_) => to_its_end(work).await,
        None => work.await,
    };
    match rule {
        Rule::Stream if browser && is_shed(response.status()) => come_again(),
        // What is taken away ends with access as streams do.
        Rule::Act(..) if reads => response.map(|body| Body::new(Until::access_ends(body, ended))),
        _ => response,
    }
}

/// Does it whether the client waits for the answer or not: what was begun is done and written down.
async fn to_its_end(work: impl Future<Output = Response> + Send + 'static) -> Response {
    tokio::spawn(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request failed");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })
}

/// What is to be written down of a request that was answered.
fn entry(
    rule: Rule,
    caller: &Caller,
    visitor: &Visitor,
    path: String,
    route: Option<String>,
    response: &Response,
) -> Option<Entry> {
    let status = response.status();
    let refused = matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
    let action = match rule.action() {
        Some(name) => name.to_owned(),
        None if refused => format!("read {}", route.unwrap_or_default()),
        None => return None,
    };
    let done = response.extensions().get::<Done>().cloned();
    let done = done.unwrap_or_else(|| Done::to(path));
    let because = response.extensions().get::<Because>().map(|because| because.0.clone());
    let done = Done { detail: done.detail.or(because), ..done };
    Some(done.entry(caller, visitor, &action, status))
}

fn is_shed(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}
