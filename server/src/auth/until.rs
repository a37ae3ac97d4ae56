//! A body that breaks off when the access of whoever asked for it ends.

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

pub(super) struct Until {
    body: Body,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Until {
    pub fn access_ends(body: Body, ended: CancellationToken) -> Self {
        Self { body, ended: Box::pin(ended.cancelled_owned()) }
    }
}

impl HttpBody for Until {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.ended.as_mut().poll(cx).is_ready() {
            // Not a good end: the client is to see that it has not got all of it.
            let broken = io::Error::new(io::ErrorKind::PermissionDenied, "access ended");
            return Poll::Ready(Some(Err(axum::Error::new(broken))));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
