//! Query parameters, decoded once. The API is strict about them, the contracts ignore what they
//! do not know; both name what is wrong.

use axum::extract::FromRequestParts;
use http::{Uri, request::Parts};
use std::{convert::Infallible, str::FromStr};

/// The parameters of a request, in their order.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// A query that is not valid percent-encoding is read as far as it goes; nothing fails here.
    pub fn of(uri: &Uri) -> Self {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri);
        Self(pairs.map(|pairs| pairs.0).unwrap_or_default())
    }

    /// The value of a parameter; of one that is given twice, the last.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A value that has to be a `T`; the error is the text that is none.
    pub fn value<T: FromStr>(&self, name: &str) -> Result<Option<T>, &str> {
        self.text(name).map(|text| text.parse().map_err(|_| text)).transpose()
    }

    /// A comma list; the error is the item that is no `T`.
    pub fn list<T: FromStr>(&self, name: &str) -> Result<Vec<T>, &str> {
        let items = self.text(name).into_iter().flat_map(|list| list.split(','));
        items.map(|item| item.parse().map_err(|_| item)).collect()
    }

    /// The names that are there, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri))
    }
}
