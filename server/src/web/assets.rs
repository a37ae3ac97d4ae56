//! The files that pages load. With the feature `embed` they are in the executable, compressed when
//! it was built; without it they are read from where `cargo leptos` put them.

use axum::{
    body::Body,
    extract::Path,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

#[cfg(not(feature = "embed"))]
use disk as store;
#[cfg(feature = "embed")]
use embedded as store;

/// One file. `br` and `gz` are there where they are smaller than `raw`.
struct Asset<B> {
    raw: B,
    br: Option<B>,
    gz: Option<B>,
}

/// Where the pages find the files: `/pkg/<hash>`.
pub fn prefix() -> String {
    format!("/pkg/{}", store::HASH)
}

/// `GET /pkg/{hash}/{path}`. A file under our hash never changes; under another it is not ours.
pub async fn versioned(Path((hash, path)): Path<(String, String)>, headers: HeaderMap) -> Response {
    if hash != store::HASH {
        return StatusCode::NOT_FOUND.into_response();
    }
    respond(&path, &headers, store::CACHE_CONTROL)
}

/// `GET /favicon.ico`, which browsers ask for without being told to.
pub async fn favicon(headers: HeaderMap) -> Response {
    respond("favicon.ico", &headers, "public, max-age=86400")
}

fn respond(path: &str, asked: &HeaderMap, caching: &'static str) -> Response {
    let Some(asset) = store::find(path) else { return StatusCode::NOT_FOUND.into_response() };
    let accepted = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let accepts = |coding| accepted.is_some_and(|list| accepts(list, coding));
    let varies = asset.br.is_some() || asset.gz.is_some();
    let (coding, bytes) = match (asset.br, asset.gz) {
        (Some(br), _) if accepts("br") => (Some("br"), br),
        (_, Some(gz)) if accepts("gzip") => (Some("gzip"), gz),
        _ => (None, asset.raw),
    };
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if varies {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

/// Whether an `Accept-Encoding` names `coding` without forbidding it (`q=0`).
fn accepts(list: &str, coding: &str) -> bool {
    list.split(',').any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let forbidden = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case(coding) && !forbidden
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "css" => "text/css; charset=utf-8",
        "ico" => "image/x-icon",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// The files in this executable, as `scripts/pack-site.mjs` listed them, sorted by path.
#[cfg(feature = "embed")]
mod embedded {
    mod packed {
        pub struct Asset {
            pub path: &'static str,
            pub raw: &'static [u8],
            pub br: Option<&'static [u8]>,
            pub gz: Option<&'static [u8]>,
        }

        include!(concat!(env!("TAILBOARD_SITE"), "/assets.rs"));
    }

    pub use packed::HASH;

    pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

    pub fn find(path: &str) -> Option<super::Asset<&'static [u8]>> {
        let at = packed::ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok()?;
        let packed::Asset { raw, br, gz, .. } = &packed::ASSETS[at];
        Some(super::Asset { raw, br: *br, gz: *gz })
    }
}

/// The files where `cargo leptos` put them; `LEPTOS_SITE_ROOT` says where, `target/site` if unset.
#[cfg(not(feature = "embed"))]
mod disk {
    use std::path::{Component, Path, PathBuf};

    pub const HASH: &str = "dev";
    pub const CACHE_CONTROL: &str = "no-cache";

    pub fn find(path: &str) -> Option<super::Asset<Vec<u8>>> {
        let path = Path::new(path);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        let root = std::env::var_os("LEPTOS_SITE_ROOT")
            .map_or_else(|| PathBuf::from("target/site"), PathBuf::from);
        [root.join("pkg").join(path), root.join(path)]
            .iter()
            .find_map(|file| std::fs::read(file).ok())
            .map(|raw| super::Asset { raw, br: None, gz: None })
    }
}
