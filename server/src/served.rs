//! What every handler has, and the routes put together.

use crate::{
    api,
    auth::{By, Gate, Proxies, Route, Routes, Writes},
    config::AccessSettings,
    contracts::{self, Streams},
    health, metrics,
    pages::CallersPages,
    reload::Reloads,
    web::{self, Connections},
};
use access::Access;
use app::api::Pages;
use axum::{Router, extract::FromRef};
use engine::Engine;
use std::{net::SocketAddr, sync::Arc};

/// The state of the router; a cheap handle.
#[derive(Clone)]
pub struct Served {
    pub engine: Engine,
    pub streams: Streams,
    pub reloads: Reloads,
    pub access: Access,
    pub connections: Connections,
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

impl FromRef<Served> for Access {
    fn from_ref(served: &Served) -> Self {
        served.access.clone()
    }
}

fn routes() -> Routes {
    Routes::new()
        .merge(api::routes())
        .merge(contracts::routes())
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(web::forms::routes())
        .merge(web::settings::routes())
        .merge(web::sign_in::routes())
        .merge(web::assets())
}

/// Every route there is, with the rule that says who may use it.
pub fn table() -> Vec<Route> {
    routes().into_parts().1
}

impl Served {
    /// Everything that is served at this address.
    pub fn router(self, listen: SocketAddr, settings: &AccessSettings) -> Router {
        let (engine, access) = (self.engine.clone(), self.access.clone());
        let (routes, table) = routes().into_parts();
        let public = settings.public_url.as_ref();
        let gate = Gate::new(
            access.clone(),
            Writes::new(settings.limits.writes_per_minute),
            Proxies(settings.trusted_proxies.clone()),
            (public.is_some_and(|url| url.https), listen.port()),
            &table,
        );
        let names = web::Names::new(listen, public);
        web::router(names, gate, routes.with_state(self), move |parts| {
            let By(caller) = By::of(parts)?;
            let (access, engine) = (access.clone(), engine.clone());
            let pages: Arc<dyn Pages> = Arc::new(CallersPages { access, engine, caller });
            Some(pages)
        })
    }
}
