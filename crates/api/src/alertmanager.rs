//! Alertmanager's HTTP surface: the v2 API, own metrics, health, reload.

mod alerts;
mod body;
mod cors;
mod general;
mod history;
mod instrument;
mod limit;
mod query;
mod respond;
mod routes;
mod silences;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use ::alertmanager::{Alertmanager, Mode};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler as _,
    middleware,
    routing::{any, get, post},
};
use runtime::{BoxFuture, Runtime};
use tower_http::compression::CompressionLayer;

pub use crate::prometheus::status::BuildInfo;
use crate::{methods, page};

/// A batch of alerts that is longer than this is no honest one.
const BODY_BYTES_MAX: usize = 64 << 20;

/// What the surface shows and drives.
pub struct State {
    pub alertmanager: Arc<Alertmanager>,
    pub reload: Arc<dyn Reload>,
    pub registry: telemetry::Registry,
    pub runtime: Runtime,
    pub build_info: BuildInfo,
    /// How filters are read; as `Options::mode` of the Alertmanager.
    pub mode: Mode,
    /// `/` or `/prefix`.
    pub route_prefix: String,
    /// `--web.get-concurrency`: at most so many GET requests at a time; zero picks a number.
    pub get_concurrency: usize,
    /// `--web.timeout`, for a whole request.
    pub timeout: Option<Duration>,
}

/// What `/-/reload` does.
pub trait Reload: Send + Sync {
    /// Reads the configuration again; says why if it is not taken.
    fn reload(&self) -> BoxFuture<'_, Result<(), String>>;
}

/// The state as handlers see it.
struct Api {
    state: State,
    metrics: instrument::Metrics,
    gets: limit::Gets,
}

impl std::ops::Deref for Api {
    type Target = State;
    fn deref(&self) -> &State {
        &self.state
    }
}

impl Api {
    /// The route prefix without a slash at the end, so that a path can follow.
    fn prefix(&self) -> &str {
        self.state.route_prefix.trim_end_matches('/')
    }
}

/// All routes, below the route prefix.
pub fn router(state: State) -> Router {
    let metrics = instrument::Metrics::register(&state.registry);
    let gets = limit::Gets::new(state.get_concurrency, &state.registry);
    let api = Arc::new(Api { state, metrics, gets });
    let routes = Router::new()
        .route("/metrics", get(general::metrics.layer(CompressionLayer::new())))
        .route("/", get(general::home))
        .route("/assets/{*filepath}", get(page::asset))
        .route("/favicon.svg", get(page::icon))
        .route("/favicon.ico", get(page::icon))
        .route("/-/healthy", get(general::ok))
        .route("/-/ready", get(general::ok))
        .route("/-/reload", post(general::reload))
        .nest("/api/v1", v1())
        .method_not_allowed_fallback(methods::not_allowed)
        .layer(middleware::from_fn(methods::only_health_by_head))
        .nest("/api/v2", v2())
        .route("/api/v2/", any(respond::not_found))
        .route("/api/vesta/v1/notifications", get(history::list))
        .route("/api/vesta/v1/receivers", get(history::receivers))
        .route("/api/vesta/v1/routes", get(routes::tree))
        .layer(middleware::from_fn_with_state(api.clone(), limit::limit))
        .layer(middleware::from_fn_with_state(api.clone(), instrument::observe));
    let routes = match api.prefix() {
        "" => routes,
        prefix => Router::new()
            .route("/", get(general::to_prefix))
            .route(&format!("{prefix}/"), get(general::home))
            .nest(prefix, routes),
    };
    routes.fallback(methods::not_found).with_state(api)
}

fn v2() -> Router<Arc<Api>> {
    let mut v2 = Router::new();
    for (path, methods) in [
        ("/status", get(general::status)),
        ("/receivers", get(general::receivers)),
        ("/alerts", get(alerts::list).post(alerts::post)),
        ("/alerts/groups", get(alerts::groups)),
        ("/silences", get(silences::list).post(silences::post)),
        ("/silence/{id}", get(silences::get).delete(silences::delete)),
    ] {
        // A slash at the end makes no difference.
        v2 = v2.route(path, methods.clone()).route(&format!("{path}/"), methods);
    }
    v2.fallback(respond::not_found)
        .method_not_allowed_fallback(respond::method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(respond::only_json))
        .layer(middleware::from_fn(cors::add_headers))
}

/// What version 1 had; all of it says that it is gone.
fn v1() -> Router<Arc<Api>> {
    Router::new()
        .route("/status", get(general::removed))
        .route("/receivers", get(general::removed))
        .route("/alerts", get(general::removed).post(general::removed))
        .route("/silences", get(general::removed).post(general::removed))
        .route("/silence/{id}", get(general::removed).delete(general::removed))
}

/// Runs `work` on a thread that may compute for long.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> respond::Result<T> {
    // A panic ends this request only.
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| respond::Error::internal(format!("unexpected error: {error}")))
}
