//! Prometheus' HTTP surface: the v1 API, federation, own metrics, lifecycle.

pub mod admin;
mod agent;
pub mod cluster;
mod cors;
mod disabled;
pub mod engine;
mod exemplars;
mod federate;
mod instrument;
mod language;
pub mod lifecycle;
mod metrics;
mod openapi;
mod otlp;
pub mod pages;
mod params;
pub mod pprof;
mod query;
mod remote_read;
mod remote_write;
mod respond;
pub mod rules;
mod search;
mod series;
pub mod status;
pub mod targets;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    middleware,
    routing::{MethodRouter, get, post},
};
pub use cors::Origins;
use model::{Labels, Timestamp};
pub use respond::Complaints;
use runtime::Runtime;
pub use search::Search;
use tokio::sync::Semaphore;
use tower_http::{CompressionLevel, compression::CompressionLayer};

use crate::{json, methods};

/// What the surface shows and drives.
pub struct State {
    pub engine: Arc<dyn engine::Engine>,
    pub storage: Arc<dyn storage::Queryable>,
    pub targets: Arc<dyn targets::Targets>,
    pub rules: Arc<dyn rules::Rules>,
    pub status: Arc<dyn status::Status>,
    /// Nothing unless `--web.enable-lifecycle`.
    pub lifecycle: Option<Arc<dyn lifecycle::Lifecycle>>,
    /// Nothing unless `--web.enable-remote-write-receiver`.
    pub remote_write: Option<Arc<remote::Receiver>>,
    pub remote_read: Option<Arc<remote::read::Server>>,
    /// Nothing unless `--web.enable-otlp-receiver`.
    pub otlp: Option<Arc<remote::otlp::Receiver>>,
    /// Nothing unless `--web.enable-admin-api`.
    pub admin: Option<Arc<dyn admin::Admin>>,
    /// Nothing unless the feature `search-api` is on.
    pub search: Option<Search>,
    /// Nothing if nobody can make profiles of this process.
    pub profiles: Option<Arc<dyn pprof::Profiles>>,
    pub pages: pages::Pages,
    /// Pages that may listen for notifications at a time: `--web.max-notifications-subscribers`.
    pub listeners_max: usize,
    /// Nothing for a server that stands alone.
    pub cluster: Option<Arc<dyn cluster::Cluster>>,
    pub readiness: lifecycle::Readiness,
    /// Whether this only collects and hands on.
    pub is_agent: bool,
    pub registry: telemetry::Registry,
    pub runtime: Runtime,
    pub build_info: status::BuildInfo,
    pub global_url: targets::GlobalUrl,
    pub cors: Origins,
    /// How `/-/healthy` calls the server: `Prometheus Server`.
    pub product: String,
    /// `/` or `/prefix`.
    pub route_prefix: String,
    /// The path of the external URL, for redirects.
    pub external_path: String,
    /// Added to federated series that lack them; follows the configuration.
    pub external_labels: Arc<dyn Fn() -> Labels + Send + Sync>,
    pub lookback_delta: Duration,
}

/// The state as handlers see it.
struct Api {
    state: State,
    metrics: instrument::Metrics,
    /// Pages that may listen for notifications at a time.
    listeners: Arc<Semaphore>,
}

impl std::ops::Deref for Api {
    type Target = State;
    fn deref(&self) -> &State {
        &self.state
    }
}

impl Api {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.runtime.clock.now_millis())
    }

    fn external_path(&self) -> &str {
        self.state.external_path.trim_end_matches('/')
    }
}

/// All routes, below the route prefix.
pub fn router(state: State) -> Router {
    let metrics = instrument::Metrics::register(&state.registry);
    let listeners = Arc::new(Semaphore::new(state.listeners_max));
    let api = Arc::new(Api { state, metrics, listeners });
    let ready = middleware::from_fn_with_state(api.clone(), lifecycle::only_when_ready);
    let gated = Router::new()
        .route("/federate", get(federate::federate))
        .merge(pages::gated_routes())
        .route_layer(ready)
        .route("/metrics", get(metrics::metrics));
    let routes = Router::new()
        .nest("/api/v1", v1(&api))
        .merge(gated)
        // Clients are mostly close by: time costs them more than bytes.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(DefaultBodyLimit::max(params::FORM_BYTES_MAX))
        .route("/", get(lifecycle::home))
        .route("/graph", get(lifecycle::graph))
        .merge(pages::routes(&api.pages))
        .route(agent::PAGE, get(pages::page))
        .route_layer(middleware::from_fn_with_state(api.clone(), agent::only_own_pages))
        .route("/debug/pprof", either(pprof::index))
        .route("/debug/pprof/", either(pprof::index))
        .route("/debug/pprof/{*name}", either(pprof::profile))
        .route("/version", get(lifecycle::version))
        .route("/-/healthy", get(lifecycle::healthy).head(lifecycle::is_healthy))
        .route("/-/ready", get(lifecycle::ready).head(lifecycle::is_ready))
        .route("/-/reload", order(lifecycle::reload))
        .route("/-/quit", order(lifecycle::quit))
        .route("/-/leader", get(cluster::leader))
        .route("/-/lease/release", order(cluster::release))
        .layer(middleware::from_fn(methods::only_health_by_head))
        .route_layer(middleware::from_fn_with_state(api.clone(), instrument::observe))
        .method_not_allowed_fallback(methods::not_allowed);
    let routes = match api.route_prefix.trim_end_matches('/') {
        "" => routes,
        prefix => Router::new()
            .route("/", get(lifecycle::to_prefix))
            .route(&format!("{prefix}/"), get(lifecycle::home))
            .nest(prefix, routes),
    };
    routes.fallback(methods::not_found).with_state(api)
}

fn v1(api: &Arc<Api>) -> Router<Arc<Api>> {
    let ready = middleware::from_fn_with_state(api.clone(), lifecycle::only_when_ready);
    Router::new()
        .route("/query", either(query::instant))
        .route("/query_range", either(query::range))
        .route("/query_exemplars", either(exemplars::query_exemplars))
        .route("/format_query", either(language::format_query))
        .route("/parse_query", either(language::parse_query))
        .route("/series", either(series::series).delete(series::drop_series))
        .route("/labels", either(series::label_names))
        .route("/label/{name}/values", get(series::label_values))
        .route("/search/metric_names", either(search::metric_names))
        .route("/search/label_names", either(search::label_names))
        .route("/search/label_values", either(search::label_values))
        .route("/metadata", get(targets::metadata))
        .route("/targets", get(targets::targets))
        .route("/targets/metadata", get(targets::target_metadata))
        .route("/targets/relabel_steps", get(targets::relabel_steps))
        .route("/scrape_pools", get(targets::pools))
        .route("/scrape_pools/config", get(targets::pool_config))
        .route("/alertmanagers", get(status::alertmanagers))
        .route("/rules", get(rules::rules))
        .route("/alerts", get(rules::alerts))
        .route("/features", get(status::features))
        .route("/status/config", get(status::config))
        .route("/status/flags", get(status::flags))
        .route("/status/runtimeinfo", get(status::runtime_info))
        .route("/status/buildinfo", get(status::build_info))
        .route("/status/cluster", get(cluster::status))
        .route("/status/tsdb", get(status::tsdb))
        .route("/status/tsdb/blocks", get(status::blocks))
        .route("/status/self_metrics", get(status::self_metrics))
        .route("/admin/tsdb/snapshot", change(admin::snapshot))
        .route("/admin/tsdb/delete_series", change(admin::delete_series))
        .route("/admin/tsdb/clean_tombstones", change(admin::clean_tombstones))
        .route("/read", post(remote_read::read))
        .route("/write", post(remote_write::write))
        .route("/otlp/v1/metrics", post(otlp::write))
        .route_layer(middleware::from_fn_with_state(api.clone(), agent::refuse_queries))
        .route_layer(ready)
        .route("/status/walreplay", get(status::wal_replay))
        .route("/openapi.yaml", get(openapi::openapi))
        .route("/notifications", get(status::notifications))
        .route("/notifications/live", get(status::live_notifications))
        .fallback(methods::not_found_in_api)
        .method_not_allowed_fallback(methods::not_allowed)
        .layer(middleware::from_fn_with_state(api.clone(), cors::add_headers))
}

/// A handler for GET, and for POST with a form.
fn either<T: 'static, H: Handler<T, Arc<Api>>>(handler: H) -> MethodRouter<Arc<Api>> {
    get(handler.clone()).post(handler)
}

/// A handler for what changes something.
fn change<T: 'static, H: Handler<T, Arc<Api>>>(handler: H) -> MethodRouter<Arc<Api>> {
    post(handler.clone()).put(handler)
}

/// A handler for what the server is told to do; it says so if it is only read.
fn order<T: 'static, H: Handler<T, Arc<Api>>>(handler: H) -> MethodRouter<Arc<Api>> {
    change(handler).get(lifecycle::wrong_method)
}
