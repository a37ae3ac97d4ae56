//! For whoever watches the server: `/healthz` (it answers) and `/readyz` (it can take on work).

use crate::served::Served;
use axum::{Router, extract::State, routing::get};
use engine::Engine;
use http::StatusCode;

pub fn router() -> Router<Served> {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready))
}

async fn alive() -> &'static str {
    "ok\n"
}

async fn ready(State(engine): State<Engine>) -> (StatusCode, String) {
    match engine.ready() {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}
