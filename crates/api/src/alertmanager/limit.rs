//! At most so many GET requests at a time, and none for too long.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};
use telemetry::{Family, Kind, Registry};
use tokio::sync::Semaphore;

use super::Api;
use crate::page;

const GETS_MIN: usize = 8;

/// The GET requests that are being answered.
pub(super) struct Gets {
    slots: Arc<Semaphore>,
    limit: usize,
    refused: telemetry::Counter,
}

impl Gets {
    /// Zero picks a number that fits the machine.
    pub(super) fn new(limit: usize, registry: &Registry) -> Gets {
        let limit = match limit {
            0 => std::thread::available_parallelism().map_or(GETS_MIN, usize::from).max(GETS_MIN),
            limit => limit,
        };
        let slots = Arc::new(Semaphore::new(limit));
        let free = slots.clone();
        registry.collect(move |families| {
            let in_flight = limit.saturating_sub(free.available_permits());
            let family = Family::new(
                "alertmanager_http_requests_in_flight",
                "Current number of HTTP requests being processed.",
                Kind::Gauge,
            );
            families.push(family.with(&[("method", "get")], in_flight as f64));
        });
        let refused = registry.counters(
            "alertmanager_http_concurrency_limit_exceeded_total",
            "Total number of times an HTTP request failed because the concurrency limit was \
            reached.",
            ["method"],
        );
        Gets { slots, limit, refused: refused.with(["get"]) }
    }
}

pub(super) async fn limit(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let answer = limit_gets(&api, request, next);
    let Some(limit) = api.timeout.filter(|limit| !limit.is_zero()) else { return answer.await };
    match runtime::clock::timeout(&*api.runtime.clock, limit, answer).await {
        Some(response) => response,
        None => page::plain(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("Exceeded configured timeout of {}.\n", go_duration(limit)),
        ),
    }
}

async fn limit_gets(api: &Api, request: Request, next: Next) -> Response {
    if *request.method() != Method::GET {
        return next.run(request).await;
    }
    let Ok(_slot) = api.gets.slots.try_acquire() else {
        api.gets.refused.increment();
        let limit = api.gets.limit;
        let text =
            format!("Limit of concurrent GET requests reached ({limit}), try again later.\n\n");
        return page::plain(StatusCode::SERVICE_UNAVAILABLE, text);
    };
    next.run(request).await
}

/// `1h2m3.5s`, `1m0s`, `500ms`.
fn go_duration(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return format!("{}ms", duration.as_secs_f64() * 1000.0);
    }
    let seconds = duration.as_secs();
    let rest = (seconds % 60) as f64 + f64::from(duration.subsec_nanos()) / 1e9;
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{rest}s"),
        (0, minutes) => format!("{minutes}m{rest}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{rest}s"),
    }
}
