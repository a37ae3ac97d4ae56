//! Answers without an end, written straight to their sockets.
//!
//! An HTTP connection keeps two buffers of 8 KiB for requests that will never come once a stream goes, and
//! copies each piece of it into one of them. So a stream leaves it when its request is answered: head, pieces
//! and end are written here, from where the contract has them. There is no queue: a piece is asked for when
//! the system has the one before. The connection ends with its stream.

use axum::{body::Body, response::Response};
use bytes::{Buf, Bytes};
use http::{Method, Version, header, response::Parts};
use http_body::Body as _;
use std::{
    future::poll_fn,
    io::{self, Write},
    pin::Pin,
    task::{Context, Poll},
    time::SystemTime,
};
use tokio::{
    io::AsyncWriteExt,
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
};

/// In the extensions of an answer that is a stream.
#[derive(Clone, Copy, Debug)]
pub struct IsEndless;

/// How much a client may send after its request before it is taken for broken.
const MOST_UNASKED: usize = 64 * 1024;
/// A chunk's length in hexadecimal and its line end.
const LENGTH: usize = 18;

/// An answer without end: small, since it is what a stream has while it waits.
pub(super) struct Endless {
    head: Bytes,
    body: Body,
    chunked: bool,
}

impl Endless {
    /// The answer to a request of this version.
    pub fn of(answer: Response, version: Version) -> Self {
        let (parts, body) = answer.into_parts();
        // Before 1.1 there are no chunks: the end of the connection is that of the answer.
        let chunked = version >= Version::HTTP_11;
        Self { head: head(&parts, version, chunked).into(), body, chunked }
    }
}

/// Whether the answer to a request of this method is a stream. What answers HEAD has no body.
pub(super) fn is(answer: &Response, method: &Method) -> bool {
    *method == Method::GET && answer.extensions().get::<IsEndless>().is_some()
}

/// Writes it until it is over or the client is gone.
///
/// # Errors
/// When the connection fails, or its client goes on talking.
pub(super) async fn write(mut stream: TcpStream, endless: Endless) -> io::Result<()> {
    let (read, write) = stream.split();
    tokio::select! {
        written = write_all(write, endless) => written,
        gone = until_gone(read) => gone,
    }
}

async fn write_all(mut out: WriteHalf<'_>, endless: Endless) -> io::Result<()> {
    let Endless { mut head, mut body, chunked } = endless;
    loop {
        // The head goes with the first piece if there is one already.
        let next = match poll_fn(|cx| Poll::Ready(poll_next(&mut body, cx))).await {
            Poll::Ready(next) => next,
            Poll::Pending => {
                out.write_all_buf(&mut head).await?;
                poll_fn(|cx| poll_next(&mut body, cx)).await
            }
        };
        let Some(piece) = next? else { break };
        let mut length = [0; LENGTH];
        let (length, end) = if chunked {
            (in_hexadecimal(&mut length, piece.len()), &b"\r\n"[..])
        } else {
            (&[][..], &[][..])
        };
        let said = std::mem::take(&mut head);
        out.write_all_buf(&mut said.chain(length).chain(piece).chain(end)).await?;
    }
    let end = if chunked { &b"0\r\n\r\n"[..] } else { &[] };
    out.write_all_buf(&mut head.chain(end)).await?;
    out.shutdown().await
}

/// The next piece that is not empty: an empty chunk would be the end.
fn poll_next(body: &mut Body, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
    loop {
        let Some(frame) = std::task::ready!(Pin::new(&mut *body).poll_frame(cx)) else {
            return Poll::Ready(Ok(None));
        };
        // Streams have no trailers.
        match frame.map_err(io::Error::other)?.into_data() {
            Ok(piece) if !piece.is_empty() => return Poll::Ready(Ok(Some(piece))),
            _ => {}
        }
    }
}

fn head(parts: &Parts, version: Version, chunked: bool) -> Vec<u8> {
    let mut head = Vec::with_capacity(1024);
    let reason = parts.status.canonical_reason().unwrap_or_default();
    // Writing into a Vec cannot fail: it grows.
    let _ = write!(head, "{version:?} {} {reason}\r\n", parts.status.as_u16());
    for (name, value) in &parts.headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    let date = httpdate::HttpDate::from(SystemTime::now());
    let _ = write!(head, "{}: {date}\r\n{}: close\r\n", header::DATE, header::CONNECTION);
    if chunked {
        let _ = write!(head, "{}: chunked\r\n", header::TRANSFER_ENCODING);
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// The line before a chunk.
fn in_hexadecimal(room: &mut [u8; LENGTH], length: usize) -> &[u8] {
    let mut rest = &mut room[..];
    // 16 digits hold any length.
    let _ = write!(rest, "{length:x}\r\n");
    let left = rest.len();
    &room[..LENGTH - left]
}

/// A client that closes its side is gone; what it sends is not looked at.
async fn until_gone(read: ReadHalf<'_>) -> io::Result<()> {
    let mut unasked = 0;
    loop {
        read.readable().await?;
        // Not kept while it waits.
        let mut scrap = [0; 1024];
        match read.try_read(&mut scrap) {
            Ok(0) => return Ok(()),
            Ok(count) => unasked += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if unasked > MOST_UNASKED {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a client talks into a stream"));
        }
    }
}
