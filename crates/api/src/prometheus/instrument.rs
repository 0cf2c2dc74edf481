//! `prometheus_http_*`: what is asked and how long it takes.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http_body::Body as _;
use telemetry::{Counter, Histogram, Registry, Vector};

use super::Api;

const SECONDS: [f64; 9] = [0.1, 0.2, 0.4, 1.0, 3.0, 8.0, 20.0, 60.0, 120.0];
const BYTES: [f64; 8] = [1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

pub(super) struct Metrics {
    requests: Vector<Counter, 2>,
    duration: Vector<Histogram, 1>,
    response_size: Vector<Histogram, 1>,
    pub(super) federation_errors: Counter,
    pub(super) federation_warnings: Counter,
}

impl Metrics {
    pub(super) fn register(registry: &Registry) -> Metrics {
        Metrics {
            requests: registry.counters(
                "prometheus_http_requests_total",
                "Counter of HTTP requests.",
                ["handler", "code"],
            ),
            duration: registry.histograms(
                "prometheus_http_request_duration_seconds",
                "Histogram of latencies for HTTP requests.",
                ["handler"],
                &SECONDS,
            ),
            response_size: registry.histograms(
                "prometheus_http_response_size_bytes",
                "Histogram of response size for HTTP requests.",
                ["handler"],
                &BYTES,
            ),
            federation_errors: registry.counter(
                "prometheus_web_federation_errors_total",
                "Total number of errors that occurred while sending federation responses.",
            ),
            federation_warnings: registry.counter(
                "prometheus_web_federation_warnings_total",
                "Total number of warnings that occurred while sending federation responses.",
            ),
        }
    }
}

pub(super) async fn observe(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let handler = match request.extensions().get::<MatchedPath>() {
        Some(path) => upstream_name(path.as_str(), &api.route_prefix),
        None => return next.run(request).await,
    };
    let start = api.runtime.clock.monotonic();
    let response = next.run(request).await;
    let took = api.runtime.clock.monotonic().saturating_sub(start);
    let metrics = &api.metrics;
    metrics.requests.with([&handler, response.status().as_str()]).increment();
    metrics.duration.with([&handler]).observe_duration(took);
    // The size of a streamed answer is not known yet; its lower bound would only mislead.
    if let Some(bytes) = response.body().size_hint().exact() {
        metrics.response_size.with([&handler]).observe(bytes as f64);
    }
    response
}

/// `/prefix/api/v1/label/{name}/values` is `/api/v1/label/:name/values`.
fn upstream_name(path: &str, prefix: &str) -> String {
    let path = path.strip_prefix(prefix.trim_end_matches('/')).unwrap_or(path);
    path.replace("{*", "*").replace('{', ":").replace('}', "")
}
