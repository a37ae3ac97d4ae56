//! What every handler has, and the routes put together.

use crate::{
    api,
    auth::By,
    contracts::{self, Streams},
    health, metrics,
    pages::CallersPages,
    reload::Reloads,
    web,
};
use axum::{Router, extract::FromRef};
use engine::Engine;
use std::sync::Arc;

/// The state of the router; a cheap handle.
#[derive(Clone)]
pub struct Served {
    pub engine: Engine,
    pub streams: Streams,
    pub reloads: Reloads,
}

impl FromRef<Served> for Reloads {
    fn from_ref(served: &Served) -> Self {
        served.reloads.clone()
    }
}

impl FromRef<Served> for Engine {
    fn from_ref(served: &Served) -> Self {
        served.engine.clone()
    }
}

impl Served {
    /// Everything that is served, answering to these names.
    pub fn router(self, names: web::Names) -> Router {
        let engine = self.engine.clone();
        let routes = Router::new()
            .merge(api::router())
            .merge(contracts::router())
            .merge(health::router())
            .merge(metrics::router())
            .merge(web::forms::router())
            .with_state(self);
        web::router(names, routes, move |parts| {
            let By(caller) = By::of(parts);
            Arc::new(CallersPages { engine: engine.clone(), caller })
        })
    }
}
