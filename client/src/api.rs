//! Requests to the board, tried again where that is safe, and what their failures mean.

use crate::{
    console::Console,
    failure::{Failure, Refusal},
    pause::{Pace, Tries, retry_after},
    reach::Target,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::{Client, RequestBuilder, Response, Url, redirect::Policy};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Longest wait for a connection, and for an answer to begin.
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(60);
/// The same of a board that never answered: it may be none. One that is busy says so in less.
const FIRST_ANSWER: Duration = Duration::from_secs(10);
/// When the wait for a first answer is told of.
const SOON: Duration = Duration::from_secs(2);
/// Bytes of an answer that is read whole: a page of 200 jobs has about 200 KiB.
const LARGEST: usize = 64 * 1024 * 1024;

/// What may be done with a request whose answer never came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Sent again: it changes nothing, or the same key makes it the same request.
    Safe,
    /// Nothing, unless it surely never arrived: doing it twice is not doing it once.
    Unsent,
}

/// A request.
pub struct Ask<'a> {
    pub method: Method,
    /// The segments of its path, each as it is.
    pub path: &'a [&'a str],
    pub query: &'a [(&'a str, String)],
    pub headers: HeaderMap,
    pub body: Option<Value>,
    pub again: Again,
}

impl<'a> Ask<'a> {
    pub fn get(path: &'a [&'a str], query: &'a [(&'a str, String)]) -> Self {
        let (method, headers) = (Method::GET, HeaderMap::new());
        Self { method, path, query, headers, body: None, again: Again::Safe }
    }

    pub fn post(path: &'a [&'a str], body: Value, again: Again) -> Self {
        let (method, headers) = (Method::POST, HeaderMap::new());
        Self { method, path, query: &[], headers, body: Some(body), again }
    }

    pub fn delete(path: &'a [&'a str]) -> Self {
        let (method, headers) = (Method::DELETE, HeaderMap::new());
        Self { method, path, query: &[], headers, body: None, again: Again::Unsent }
    }

    pub fn header(mut self, name: &'static str, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// Why there is no answer to be had of a request just now.
#[derive(Debug)]
pub enum Miss {
    /// It may be there on another try; after so long, if the server said.
    Passing { why: String, after: Option<Duration>, unsent: bool },
    /// It will not be.
    Lasting(Failure),
}

pub struct Api {
    http: Client,
    target: Target,
    pub pace: Pace,
    console: Arc<Console>,
    /// The board answered once: if it does not now, it may come back.
    reached: AtomicBool,
    /// That it is waited for was told.
    awaited: AtomicBool,
}

impl Api {
    /// # Errors
    /// When the system's certificates cannot be read.
    pub fn new(target: Target, pace: Pace, console: Arc<Console>) -> Result<Self, Failure> {
        // One that is installed already serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .user_agent(concat!("tailboard/", env!("CARGO_PKG_VERSION")))
            // A token is for the address it was given with.
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| {
                Failure::Other(format!("HTTP cannot be set up: {}", causes(&error)))
            })?;
        let (reached, awaited) = (AtomicBool::new(false), AtomicBool::new(false));
        Ok(Self { http, target, pace, console, reached, awaited })
    }

    pub fn url(&self) -> &Url {
        &self.target.url
    }

    /// The token that is sent, without the word before it.
    pub fn token(&self) -> Option<String> {
        let value = self.target.token.as_ref()?.to_str().ok()?;
        value.strip_prefix("Bearer ").map(str::to_owned)
    }

    /// The JSON of a GET.
    ///
    /// # Errors
    /// When there is no such answer.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<T, Failure> {
        self.json(&Ask::get(path, query)).await
    }

    /// The JSON of an answer.
    ///
    /// # Errors
    /// When there is no such answer.
    pub async fn json<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, Failure> {
        let body = self.send(ask).await?;
        serde_json::from_slice(&body).map_err(|error| {
            let url = &self.target.url;
            Failure::Unreachable(format!("what answers at {url} is no Tailboard: {error}"))
        })
    }

    /// The body of an answer; the request is tried again as far as it may be.
    ///
    /// # Errors
    /// When it was refused, or nobody answered in all that time.
    pub async fn send(&self, ask: &Ask<'_>) -> Result<Vec<u8>, Failure> {
        let mut tries = Tries::new(self.pace);
        let mut lost = false;
        loop {
            let answer = match self.open(ask).await {
                Ok(answer) => whole(answer).await,
                Err(miss) => Err(miss),
            };
            let (why, after, unsent) = match answer {
                Ok(body) => {
                    if lost {
                        self.console.note("connected again");
                    }
                    return Ok(body);
                }
                Err(Miss::Lasting(failure)) => return Err(failure),
                Err(Miss::Passing { why, after, unsent }) => (why, after, unsent),
            };
            // What the server put off it did not do.
            let may = ask.again == Again::Safe || unsent;
            let at = tries.next(after, self.was_reached()).filter(|_| may);
            let at = at.ok_or_else(|| match may {
                true => self.unreachable(&why),
                false => Failure::Other(format!(
                    "{why}; whether it was done is not known, so it was not tried again"
                )),
            })?;
            if !lost {
                self.console.note(&format!("{why}; trying again"));
                lost = true;
            }
            tokio::time::sleep_until(at).await;
        }
    }

    /// Sends a request once; the answer's head is there and says success.
    pub async fn open(&self, ask: &Ask<'_>) -> Result<Response, Miss> {
        let request = self.request(ask);
        let response = match self.in_time(request.send()).await {
            Some(Ok(response)) => response,
            Some(Err(error)) => return Err(self.not_sent(&error)),
            None => {
                let why = format!("{} did not answer in time", self.target.url);
                return Err(Miss::Passing { why, after: None, unsent: false });
            }
        };
        self.reached.store(true, Ordering::Relaxed);
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        Err(self.refused(status, response).await)
    }

    /// An answer, unless it takes too long.
    async fn in_time<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        if self.was_reached() {
            return tokio::time::timeout(ANSWER, answer).await.ok();
        }
        let mut answer = pin!(answer);
        if let Ok(answer) = tokio::time::timeout(SOON, &mut answer).await {
            return Some(answer);
        }
        if !self.awaited.swap(true, Ordering::Relaxed) {
            self.console.note(&format!("{} has not answered yet; waiting", self.target.url));
        }
        tokio::time::timeout(FIRST_ANSWER - SOON, answer).await.ok()
    }

    fn request(&self, ask: &Ask<'_>) -> RequestBuilder {
        let mut url = self.target.url.clone();
        // A board's address has a host, so it can have a path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(ask.path);
        }
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query);
        }
        let mut request = self.http.request(ask.method.clone(), url).headers(ask.headers.clone());
        if let Some(token) = &self.target.token {
            request = request.header(header::AUTHORIZATION, token.clone());
        }
        match &ask.body {
            Some(body) => request
                .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(body.to_string()),
            None => request,
        }
    }

    fn not_sent(&self, error: &reqwest::Error) -> Miss {
        let why = causes(error);
        if error.is_builder() {
            return Miss::Lasting(Failure::Usage(why));
        }
        // Of a board that never answered the likely reason is told at once.
        if error.is_connect() && !self.was_reached() {
            return Miss::Lasting(self.unreachable(&why));
        }
        let why = format!("the connection to {} failed ({why})", self.target.url);
        Miss::Passing { why, after: None, unsent: error.is_connect() }
    }

    /// Whether the board ever answered.
    pub fn was_reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }

    /// Nobody is there; what to look at.
    pub fn unreachable(&self, why: &str) -> Failure {
        let url = &self.target.url;
        // What TLS says of a certificate has these words.
        if why.contains("not valid for name") {
            return Failure::Unreachable(format!(
                "cannot trust {url}: {why}\nGive the address that the certificate is for with --url, TAILBOARD_URL or \
                 `tailboard login`."
            ));
        }
        if why.contains("certificate") {
            return Failure::Unreachable(format!(
                "cannot trust {url}: {why}\nIts certificate, or who signed it, has to be among the authorities of this \
                 system, or in the file that SSL_CERT_FILE names."
            ));
        }
        Failure::Unreachable(format!(
            "cannot reach {url}: {why}\nIs the board running there? `tailboard serve` starts one; another address is \
             given with --url, TAILBOARD_URL or `tailboard login`."
        ))
    }

    async fn refused(&self, status: StatusCode, response: Response) -> Miss {
        let after = retry_after(response.headers());
        let location = response.headers().get(header::LOCATION).cloned();
        let url = &self.target.url;
        let body = whole(response).await.unwrap_or_default();
        let refusal = Refusal::of(status, &body);
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Miss::Passing {
                why: refusal.to_string(),
                after,
                unsent: status == StatusCode::TOO_MANY_REQUESTS,
            },
            // Of a proxy whose board is away.
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
                Miss::Passing { why: format!("{url} answered {status}"), after, unsent: false }
            }
            StatusCode::UNAUTHORIZED => {
                Miss::Lasting(Failure::NoAccess(match &self.target.token {
                    None => format!(
                        "{url} wants a token: `tailboard login` asks for one, TAILBOARD_TOKEN or --token-file give it"
                    ),
                    Some(_) => format!(
                        "{url} does not take this token ({refusal}): it may be revoked or past its time; \
                     `tailboard login` asks for another"
                    ),
                }))
            }
            StatusCode::FORBIDDEN => {
                Miss::Lasting(Failure::NoAccess(format!("not allowed with this token: {refusal}")))
            }
            status if status.is_redirection() => {
                let to = location.and_then(|to| to.to_str().map(str::to_owned).ok());
                let to = to.map_or(String::new(), |to| format!(" ({})", crate::plain::text(&to)));
                Miss::Lasting(Failure::Unreachable(format!(
                    "{url} sends elsewhere{to}; give the board's own address with --url"
                )))
            }
            _ => Miss::Lasting(Failure::Refused(refusal)),
        }
    }
}

/// All of a body.
async fn whole(mut response: Response) -> Result<Vec<u8>, Miss> {
    let broken = |why: String| Miss::Passing { why, after: None, unsent: false };
    let mut body = Vec::new();
    loop {
        let chunk = tokio::time::timeout(ANSWER, response.chunk()).await;
        let chunk = chunk.map_err(|_| broken("the answer stopped in the middle".to_owned()))?;
        let chunk =
            chunk.map_err(|error| broken(format!("the answer broke off ({})", causes(&error))))?;
        let Some(chunk) = chunk else { return Ok(body) };
        if body.len() + chunk.len() > LARGEST {
            let why = format!("the answer is longer than {LARGEST} bytes");
            return Err(Miss::Lasting(Failure::Unreachable(why)));
        }
        body.extend_from_slice(&chunk);
    }
}

/// What an error of the HTTP client comes from: its last words say most.
pub fn causes(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_waited_for_less_long_while_there_was_none() {
        let url = Url::parse("http://127.0.0.1:9").unwrap();
        let pace = Pace { first: Duration::from_secs(1), patience: Duration::from_secs(600) };
        let api = Api::new(Target { url, token: None }, pace, Arc::new(Console::new())).unwrap();
        for (reached, most) in [(false, FIRST_ANSWER), (true, ANSWER)] {
            api.reached.store(reached, Ordering::Relaxed);
            let began = Instant::now();
            assert_eq!(api.in_time(pending::<()>()).await, None);
            assert_eq!((began.elapsed(), api.awaited.load(Ordering::Relaxed)), (most, true));
        }
    }
}
