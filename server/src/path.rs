//! What stands in the braces of a route, decoded.

use axum::extract::{FromRequestParts, MatchedPath, OriginalUri};
use http::request::Parts;
use percent_encoding::percent_decode_str;
use std::convert::Infallible;

/// The named segments of a path in their order: a `String`, or a tuple of them. Nothing fails here: bytes that
/// are no text become U+FFFD, and such a name is unknown, which each contract says in its own words.
pub struct Path<T>(pub T);

pub trait Segments: Sized {
    /// An empty text for what is not there.
    fn take(segments: impl Iterator<Item = String>) -> Self;
}

impl Segments for String {
    fn take(mut segments: impl Iterator<Item = String>) -> Self {
        segments.next().unwrap_or_default()
    }
}

impl Segments for (String, String) {
    fn take(mut segments: impl Iterator<Item = String>) -> Self {
        (segments.next().unwrap_or_default(), segments.next().unwrap_or_default())
    }
}

impl<S: Sync, T: Segments> FromRequestParts<S> for Path<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        // The router takes the beginning away that nested routes share; a matched path has it.
        let whole = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
        let named = route.split('/').zip(whole.path().split('/'));
        let segments = named.filter(|(name, _)| name.starts_with('{'));
        let decoded =
            segments.map(|(_, text)| percent_decode_str(text).decode_utf8_lossy().into_owned());
        Ok(Self(T::take(decoded)))
    }
}
