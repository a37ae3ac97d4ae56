//! For whoever watches the server: `/healthz` (it answers) and `/readyz` (it can take on work).

use crate::auth::{Routes, Rule};
use axum::extract::State;
use engine::Engine;
use http::StatusCode;

pub fn routes() -> Routes {
    Routes::new().get("/healthz", Rule::Open, alive).get("/readyz", Rule::Open, ready)
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
