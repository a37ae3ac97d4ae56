//! The body of a stream: first bytes at once, then what its contract gives, then the end.
//!
//! There is no queue: the client's connection asks for the next piece when it has room for one, so
//! a slow reader costs its own position and nothing else.

use super::{
    sse,
    streams::{Place, Told},
};
use crate::web::IsEndless;
use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use http_body::Frame;
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

const EVENTS: &str = "text/event-stream; charset=utf-8";

/// What a contract sends.
pub trait Source: Send + Unpin + 'static {
    /// The next piece: whole events, joined. `None` ends the stream.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>>;

    /// What to send when the shared tick comes; `None` for a contract that keeps its own time.
    fn beat(&mut self) -> Option<Bytes> {
        None
    }
}

/// Answers with a stream of events.
pub fn stream(place: Place, source: impl Source) -> Response {
    let body = StreamBody { place, source, shape: Shape::Events, part: Part::First };
    response(body, EVENTS)
}

/// Answers with a stream that ends at once: what an `EventSource` understands as "later".
pub fn come_again() -> Response {
    with_heads(Response::new(sse::later().into()), EVENTS)
}

/// Answers with text, of which nothing is the stream's own.
pub fn text(place: Place, source: impl Source) -> Response {
    let body = StreamBody { place, source, shape: Shape::Text, part: Part::Middle };
    let mut response = response(body, "text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    response
}

fn response(body: StreamBody<impl Source>, content: &'static str) -> Response {
    let mut response = Response::new(Body::new(body));
    response.extensions_mut().insert(IsEndless);
    with_heads(response, content)
}

/// What every stream says of itself, so that nothing on the way keeps it back or changes it.
fn with_heads(mut response: Response, content: &'static str) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, content),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A source whose keep-alive, at each tick, is always the same.
pub struct Beating<S> {
    pub source: S,
    pub beat: &'static [u8],
}

impl<S: Source> Source for Beating<S> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.source.poll_next(cx)
    }

    fn beat(&mut self) -> Option<Bytes> {
        Some(Bytes::from_static(self.beat))
    }
}

struct StreamBody<S> {
    place: Place,
    source: S,
    shape: Shape,
    part: Part,
}

enum Shape {
    Events,
    Text,
}

enum Part {
    First,
    Middle,
    Over,
}

impl<S: Source> http_body::Body for StreamBody<S> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match self.part {
            Part::First => {
                self.part = Part::Middle;
                Some(sse::preamble().into())
            }
            Part::Middle => std::task::ready!(self.poll_middle(cx)),
            Part::Over => None,
        };
        Poll::Ready(piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}

impl<S: Source> StreamBody<S> {
    fn poll_middle(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        // The end comes first: a stream that always has something to say must end too.
        while let Poll::Ready(told) = self.place.poll_told(cx) {
            match told {
                Told::Beat => {
                    if let Some(bytes) = self.source.beat() {
                        return Poll::Ready(Some(bytes));
                    }
                }
                Told::Closing => {
                    self.part = Part::Over;
                    return Poll::Ready(match self.shape {
                        Shape::Events => Some(sse::farewell().into()),
                        Shape::Text => None,
                    });
                }
                Told::AccessEnded => {
                    self.part = Part::Over;
                    return Poll::Ready(None);
                }
            }
        }
        let next = std::task::ready!(self.source.poll_next(cx));
        if next.is_none() {
            self.part = Part::Over;
        }
        Poll::Ready(next)
    }
}

/// A source written as an async function from state to state; its one allocation is used again for
/// every piece.
pub struct Unfold<S, F, Fut> {
    step: F,
    future: Pin<Box<Fut>>,
    over: bool,
    state: std::marker::PhantomData<fn() -> S>,
}

/// `step` gives the state back with the next piece, or with `None` at the end.
pub fn unfold<S, F, Fut>(state: S, mut step: F) -> Unfold<S, F, Fut>
where
    F: FnMut(S) -> Fut,
    Fut: Future<Output = (S, Option<Bytes>)>,
{
    let future = Box::pin(step(state));
    Unfold { step, future, over: false, state: std::marker::PhantomData }
}

impl<S, F, Fut> Source for Unfold<S, F, Fut>
where
    S: 'static,
    F: FnMut(S) -> Fut + Send + Unpin + 'static,
    Fut: Future<Output = (S, Option<Bytes>)> + Send + 'static,
{
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.over {
            return Poll::Ready(None);
        }
        let (state, piece) = std::task::ready!(self.future.as_mut().poll(cx));
        if piece.is_some() {
            self.future.set((self.step)(state));
        } else {
            self.over = true;
        }
        Poll::Ready(piece)
    }
}
