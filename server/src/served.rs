//! What every handler has: the engine, and the streams that are open.

use crate::contracts::Streams;
use engine::Engine;

/// The state of the router; a cheap handle.
#[derive(Clone)]
pub struct Served {
    pub engine: Engine,
    pub streams: Streams,
}

impl axum::extract::FromRef<Served> for Engine {
    fn from_ref(served: &Served) -> Self {
        served.engine.clone()
    }
}
