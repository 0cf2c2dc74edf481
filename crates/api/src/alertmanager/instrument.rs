//! `alertmanager_http_*`: what is asked and how long it takes.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http_body::Body as _;
use telemetry::{Histogram, Registry, Vector};

use super::Api;

const SECONDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.0, 5.0, 20.0, 60.0];
const BYTES: [f64; 7] = [1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

pub(super) struct Metrics {
    duration: Vector<Histogram, 3>,
    response_size: Vector<Histogram, 2>,
}

impl Metrics {
    pub(super) fn register(registry: &Registry) -> Metrics {
        Metrics {
            duration: registry.histograms(
                "alertmanager_http_request_duration_seconds",
                "Histogram of latencies for HTTP requests.",
                ["handler", "method", "code"],
                &SECONDS,
            ),
            response_size: registry.histograms(
                "alertmanager_http_response_size_bytes",
                "Histogram of response size for HTTP requests.",
                ["handler", "method"],
                &BYTES,
            ),
        }
    }
}

pub(super) async fn observe(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let Some(path) = request.extensions().get::<MatchedPath>().cloned() else {
        return next.run(request).await;
    };
    let path = path.as_str();
    let handler = path.strip_prefix(api.prefix()).unwrap_or(path);
    let handler = handler.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(handler);
    let handler = handler.replace("/api/v2/silence/{id}", "/api/v2/silence/{silenceID}");
    let method = request.method().as_str().to_lowercase();
    let start = api.runtime.clock.monotonic();
    let response = next.run(request).await;
    let took = api.runtime.clock.monotonic().saturating_sub(start);
    let metrics = &api.metrics;
    let status = response.status();
    metrics.duration.with([&handler, &method, status.as_str()]).observe_duration(took);
    if let Some(bytes) = response.body().size_hint().exact() {
        metrics.response_size.with([&handler, &method]).observe(bytes as f64);
    }
    response
}
