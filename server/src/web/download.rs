//! A log as a file to be kept: exactly its bytes, up to the length it has when the download starts.
//!
//! A log only grows, so job and length name its content, and a piece of it is read when the client has
//! room for one: memory stays the same at any size.

use super::range::Part;
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::{Frame, SizeHint};
use shared::JobId;
use std::{
    fs::File,
    io::{self, Write},
    ops::Range,
    os::unix::fs::FileExt,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::task::JoinHandle;

/// Bytes read from the file at a time.
const PIECE: u64 = 128 * 1024;

/// What is to be downloaded.
pub struct Download {
    pub id: JobId,
    /// What the file is called, in letters, digits, `.`, `_` and `-`; `.gz` is added.
    pub name: String,
    pub file: File,
    /// How much of it.
    pub len: u64,
    pub gzip: bool,
}

impl Download {
    /// The answer to a request with these headers: all of it, a range (not of what is compressed), or
    /// that the client has it already. `out_of_range` makes the body of the refusal (416).
    pub fn answer(self, asked: &HeaderMap, out_of_range: impl FnOnce() -> Response) -> Response {
        let Self { id, len, gzip, .. } = self;
        let etag = if gzip { format!("\"{id}-{len}-gz\"") } else { format!("\"{id}-{len}\"") };
        let wants = |name| asked.get(name).and_then(|value: &HeaderValue| value.to_str().ok());

        let known = wants(header::IF_NONE_MATCH);
        let mut response = if known.is_some_and(|tags| matches(tags, &etag)) {
            StatusCode::NOT_MODIFIED.into_response()
        } else if gzip {
            self.compressed()
        } else {
            // A piece of another version must not be put to what the client has.
            let same = wants(header::IF_RANGE).is_none_or(|tag| tag == etag);
            let range = wants(header::RANGE).filter(|_| same);
            let part = range.map_or(Part::Whole, |range| Part::of(range, len));
            self.plain(part, out_of_range)
        };
        let headers = response.headers_mut();
        set(headers, header::ETAG, etag);
        set(headers, header::CACHE_CONTROL, "private, no-cache, no-transform".to_owned());
        response
    }

    fn plain(self, part: Part, out_of_range: impl FnOnce() -> Response) -> Response {
        let Self { name, file, len, .. } = self;
        let (status, range) = match part {
            Part::Whole => (StatusCode::OK, 0..len),
            Part::Range(range) => (StatusCode::PARTIAL_CONTENT, range),
            Part::OutOfRange => {
                let mut response = out_of_range();
                set(response.headers_mut(), header::CONTENT_RANGE, format!("bytes */{len}"));
                return response;
            }
        };
        let Range { start, end } = range;
        let body = Body::new(FileBody::new(file, start..end, None));
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        set(headers, header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned());
        set(headers, header::CONTENT_DISPOSITION, attachment(&name));
        set(headers, header::ACCEPT_RANGES, "bytes".to_owned());
        set(headers, header::CONTENT_LENGTH, (end - start).to_string());
        if status == StatusCode::PARTIAL_CONTENT {
            set(headers, header::CONTENT_RANGE, format!("bytes {start}-{}/{len}", end - 1));
        }
        response
    }

    fn compressed(self) -> Response {
        let Self { name, file, len, .. } = self;
        let encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let mut response = Body::new(FileBody::new(file, 0..len, Some(encoder))).into_response();
        let headers = response.headers_mut();
        set(headers, header::CONTENT_TYPE, "application/gzip".to_owned());
        set(headers, header::CONTENT_DISPOSITION, attachment(&format!("{name}.gz")));
        set(headers, header::ACCEPT_RANGES, "none".to_owned());
        response
    }
}

fn attachment(name: &str) -> String {
    format!("attachment; filename=\"{name}\"")
}

/// Sets a header out of ids, numbers and our own words.
fn set(headers: &mut HeaderMap, name: header::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// Whether one of the tags of `If-None-Match` is this one; a weak one will do here.
fn matches(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// A part of a file, read piece by piece off the async threads.
struct FileBody {
    /// What the next piece is made from; away while a piece is being read.
    rest: Option<Rest>,
    reading: Option<JoinHandle<io::Result<(Bytes, Rest)>>>,
    /// Bytes that are still to come; unknown when they are compressed.
    left: Option<u64>,
}

struct Rest {
    file: File,
    range: Range<u64>,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

impl FileBody {
    fn new(file: File, range: Range<u64>, gzip: Option<GzEncoder<Vec<u8>>>) -> Self {
        let left = gzip.is_none().then_some(range.end - range.start);
        Self { rest: Some(Rest { file, range, gzip }), reading: None, left }
    }
}

impl Rest {
    fn is_over(&self) -> bool {
        self.range.is_empty() && self.gzip.is_none()
    }

    /// The next piece; compressed ones come when the encoder has something to give.
    fn read(mut self) -> io::Result<(Bytes, Self)> {
        loop {
            let count = PIECE.min(self.range.end - self.range.start);
            // PIECE fits every usize.
            let mut piece = vec![0; usize::try_from(count).unwrap_or_default()];
            self.file.read_exact_at(&mut piece, self.range.start)?;
            self.range.start += count;
            let Some(gzip) = &mut self.gzip else { return Ok((piece.into(), self)) };
            gzip.write_all(&piece)?;
            let out = std::mem::take(gzip.get_mut());
            if self.range.is_empty()
                && let Some(mut gzip) = self.gzip.take()
            {
                gzip.get_mut().extend(out);
                return Ok((gzip.finish()?.into(), self));
            }
            if !out.is_empty() {
                return Ok((out.into(), self));
            }
        }
    }
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(rest) = self.rest.take() {
            if rest.is_over() {
                return Poll::Ready(None);
            }
            self.reading = Some(tokio::task::spawn_blocking(move || rest.read()));
        }
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let read = ready!(Pin::new(reading).poll(cx)).unwrap_or_else(|e| Err(io::Error::other(e)));
        self.reading = None;
        match read {
            Ok((piece, rest)) => {
                self.rest = Some(rest);
                let sent = u64::try_from(piece.len()).unwrap_or(u64::MAX);
                self.left = self.left.map(|left| left.saturating_sub(sent));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            // The connection breaks off, so that the client knows that it does not have it all.
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}
