//! A request's body that has to arrive in time: a connection cannot be held by a body that never comes.

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// How long the whole body of a request may take: the largest that is taken is 2 MiB.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) struct InTime {
    body: Incoming,
    /// Begins with the first look for the body.
    late: Option<Pin<Box<Sleep>>>,
}

impl InTime {
    pub fn new(body: Incoming) -> Self {
        Self { body, late: None }
    }
}

impl Body for InTime {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)));
        }
        let late = self.late.get_or_insert_with(|| Box::pin(sleep(BODY_TIMEOUT)));
        std::task::ready!(late.as_mut().poll(cx));
        Poll::Ready(Some(Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
