//! Strict requests: a parameter or field that is not known is an error that names it.

use super::problem::{Answer, ApiError, bad_field};
use crate::query::Query;
use axum::extract::{FromRequest, Request};
use http::{StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{collections::HashSet, fmt::Display, str::FromStr};

/// Bytes of a JSON body.
const MOST_BODY: usize = 64 * 1024;
/// Of one whose fields are another's business: a pipeline has long commands.
const MOST_OBJECT: usize = 512 * 1024;

/// The parameters of a request whose names are all known, each given once.
pub struct Params(Query);

impl Params {
    pub fn of(query: Query, known: &[&str]) -> Answer<Self> {
        let mut seen = HashSet::new();
        for name in query.names() {
            if !known.contains(&name) {
                let allowed = match known {
                    [] => "there are none".to_owned(),
                    known => format!("there are {}", known.join(", ")),
                };
                return Err(bad_field(name, format!("{name:?} is no parameter here: {allowed}")));
            }
            if !seen.insert(name) {
                return Err(bad_field(name, format!("{name:?} is given twice")));
            }
        }
        Ok(Self(query))
    }

    /// A text; an empty one is none.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.text(name).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A comma list; an empty text is an empty list.
    pub fn list<T: FromStr<Err: Display>>(&self, name: &str) -> Answer<Vec<T>> {
        let items = self.0.text(name).filter(|list| !list.is_empty());
        items
            .into_iter()
            .flat_map(|list| list.split(','))
            .map(|item| item.parse().map_err(|e| bad_field(name, format!("{item:?}: {e}"))))
            .collect()
    }

    /// One value; an empty text is none.
    pub fn one<T: FromStr<Err: Display>>(&self, name: &str) -> Answer<Option<T>> {
        let text = self.0.text(name).filter(|text| !text.is_empty());
        text.map(|text| text.parse().map_err(|e| bad_field(name, format!("{text:?}: {e}"))))
            .transpose()
    }

    /// A whole number in a range; an empty text is none.
    pub fn number(&self, name: &str, from: i64, to: i64) -> Answer<Option<i64>> {
        let text = self.0.text(name).filter(|text| !text.is_empty());
        match text.map(str::parse::<i64>) {
            None => Ok(None),
            Some(Ok(n)) if (from..=to).contains(&n) => Ok(Some(n)),
            _ => Err(bad_field(name, format!("wanted is a whole number from {from} to {to}"))),
        }
    }
}

/// A JSON body that knows its fields.
pub trait Fields: DeserializeOwned {
    const NAMES: &'static [&'static str];
    /// What a field may be, for who gave something else; without it the parser says so.
    const WANTED: &'static [(&'static str, &'static str)] = &[];
}

/// The JSON body of a request; no body at all is an empty object.
pub struct StrictJson<T>(pub T);

impl<T: Fields, S: Send + Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Answer<Self> {
        let fields = fields(request, MOST_BODY).await?;
        if let Some(name) = fields.keys().find(|name| !T::NAMES.contains(&name.as_str())) {
            let known = T::NAMES.join(", ");
            return Err(bad_field(name, format!("{name:?} is no field here: there are {known}")));
        }
        let absent = absent::<T>(&fields);
        serde_path_to_error::deserialize(Value::Object(fields))
            .map(Self)
            .map_err(|error| unfit::<T>(&error, &absent))
    }
}

/// Names of fields that are not given.
fn absent<T: Fields>(given: &Map<String, Value>) -> Vec<&'static str> {
    T::NAMES.iter().copied().filter(|name| !given.contains_key(*name)).collect()
}

/// The field that is not what it may be, or is missing.
fn unfit<T: Fields>(
    error: &serde_path_to_error::Error<serde_json::Error>,
    absent: &[&str],
) -> ApiError {
    let (path, told) = (error.path().to_string(), error.inner().to_string());
    if let Some(name) = absent.iter().find(|name| told == format!("missing field `{name}`")) {
        return bad_field(name, format!("{name} has to be given"));
    }
    let name = path.split(['.', '[']).next().unwrap_or_default();
    let wanted = T::WANTED.iter().find(|(field, _)| *field == name);
    let told = wanted.map_or(told, |(_, wanted)| format!("wanted is {wanted}"));
    match name {
        "" => ApiError::new(StatusCode::BAD_REQUEST, told),
        _ => bad_field(&path, told),
    }
}

/// The fields of a JSON body, whatever they are.
pub struct JsonObject(pub Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Answer<Self> {
        fields(request, MOST_OBJECT).await.map(Self)
    }
}

async fn fields(request: Request, most: usize) -> Answer<Map<String, Value>> {
    let kind = request.headers().get(header::CONTENT_TYPE).cloned();
    let body = axum::body::to_bytes(request.into_body(), most).await.map_err(|_| {
        let detail = format!("the body is broken off or longer than {most} bytes");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    })?;
    // A form of another site cannot send this type without the browser asking us first.
    let is_json = kind.as_ref().is_some_and(|kind| {
        let kind = kind.as_bytes().split(|b| *b == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"application/json")
    });
    let absent = kind.is_none() && body.is_empty();
    if !is_json && !absent {
        let detail = "the body has to be application/json";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    if body.is_empty() { Ok(Map::new()) } else { object(&body) }
}

fn object(body: &[u8]) -> Answer<Map<String, Value>> {
    serde_json::from_slice(body).map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, format!("the body is no JSON object: {error}"))
    })
}
