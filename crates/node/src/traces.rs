//! `tracing`: spans on their way to a collector, in OpenTelemetry's protocol.
//!
//! Spans are made for each request ([`traced`]), each query, and each attempt to notify
//! ([`notifying`]); a task sends those that are over, some at a time.

mod exporter;
pub(crate) mod notifying;
mod otlp;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use config::prometheus::Tracing;
use parking_lot::Mutex;
use runtime::{Runtime, clock::timeout};
use telemetry::{
    Counter, Family, Registry,
    trace::{Kind, Parent, Tracer},
};
use tokio::{sync::mpsc, task::JoinHandle};
use tracing::{info, warn};

use self::exporter::Exporter;
use crate::build;

/// Spans wait so long for others to go with.
const DELAY: Duration = Duration::from_secs(1);
/// So many go at a time.
const BATCH_LEN: usize = 512;
/// What is not sent by then, at the end, is lost.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// The traces of one node.
pub(crate) struct Traces {
    pub(crate) tracer: Tracer,
    runtime: Runtime,
    wishes: mpsc::Sender<Wish>,
    /// What is in force. Nothing else is locked while this is held.
    settings: Mutex<Option<Tracing>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

enum Wish {
    /// From now on by this one.
    Export(Option<Exporter>),
    Stop,
}

struct Metrics {
    exported: Counter,
    failed: Counter,
}

impl Traces {
    /// Begins to wait for spans; there are none before [`Traces::apply`].
    pub(crate) fn start(
        resource: otlp::Resource,
        runtime: &Runtime,
        registry: &Registry,
    ) -> Arc<Traces> {
        let (clock, random) = (runtime.clock.clone(), runtime.random.clone());
        let tracer = Tracer::new(move || clock.now(), move || random.u64());
        let metrics = Metrics::register(registry, tracer.clone());
        let (wishes, wished) = mpsc::channel(4);
        let sending = send(wished, tracer.clone(), resource, runtime.clone(), metrics);
        Arc::new(Traces {
            tracer,
            runtime: runtime.clone(),
            wishes,
            settings: Mutex::default(),
            task: Mutex::new(Some(tokio::spawn(sending))),
        })
    }

    /// Puts a section `tracing` in force; an empty one is "no traces".
    pub(crate) async fn apply(&self, settings: &Tracing) -> Result<(), String> {
        if self.settings.lock().as_ref() == Some(settings) {
            return Ok(());
        }
        let is_on = !settings.endpoint.is_empty();
        let exporter = match is_on {
            true => Some(Exporter::new(settings, &self.runtime)?),
            false => None,
        };
        // The task ends with this.
        self.wishes.send(Wish::Export(exporter)).await.unwrap_or_default();
        self.tracer.set_sampling(is_on.then_some(settings.sampling_fraction));
        if is_on {
            info!(endpoint = settings.endpoint, "Traces are sent");
        }
        *self.settings.lock() = Some(settings.clone());
        Ok(())
    }

    /// Sends what waits, and ends.
    pub(crate) async fn stop(&self) {
        self.tracer.set_sampling(None);
        let Some(task) = self.task.lock().take() else { return };
        self.wishes.send(Wish::Stop).await.unwrap_or_default();
        if timeout(&*self.runtime.clock, STOP_LIMIT, task).await.is_none() {
            warn!("Not all traces were sent in time");
        }
    }
}

/// The same routes, with a span for each request.
pub(crate) fn traced(router: Router, tracer: Tracer) -> Router {
    router.layer(from_fn_with_state(tracer, trace))
}

/// The span is within the one that the request says it is part of.
async fn trace(State(tracer): State<Tracer>, request: Request, next: Next) -> Response {
    if !tracer.is_on() {
        return next.run(request).await;
    }
    let header = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let parent = header.and_then(Parent::from_header);
    let (method, path) = (request.method().as_str(), request.uri().path());
    let mut span = tracer.start_within(parent, format!("{method} {path}"), Kind::Server);
    if !span.is_recorded() {
        return next.run(request).await;
    }
    span.set_text("http.request.method", method);
    span.set_text("url.path", path);
    let response = span.around(next.run(request)).await;
    let status = response.status();
    span.set_number("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.fail(status.to_string());
    }
    response
}

/// Owns the exporter.
async fn send(
    mut wishes: mpsc::Receiver<Wish>,
    tracer: Tracer,
    resource: otlp::Resource,
    runtime: Runtime,
    metrics: Metrics,
) {
    let mut exporter: Option<Exporter> = None;
    loop {
        let pause = async {
            match exporter {
                Some(_) => runtime.clock.sleep(DELAY).await,
                None => std::future::pending().await,
            }
        };
        let wish = tokio::select! {
            biased;
            wish = wishes.recv() => Some(wish.unwrap_or(Wish::Stop)),
            () = pause => None,
        };
        if let Some(exporter) = &exporter {
            send_waiting(exporter, &tracer, &resource, &metrics).await;
        }
        match wish {
            Some(Wish::Export(new)) => exporter = new,
            Some(Wish::Stop) => return,
            None => {}
        }
    }
}

async fn send_waiting(
    exporter: &Exporter,
    tracer: &Tracer,
    resource: &otlp::Resource,
    metrics: &Metrics,
) {
    loop {
        let spans = tracer.take(BATCH_LEN);
        if spans.is_empty() {
            return;
        }
        let n_spans = spans.len() as f64;
        match exporter.export(otlp::request(resource, spans)).await {
            Ok(()) => metrics.exported.add(n_spans),
            Err(error) => {
                // As upstream's: what cannot be sent now is not sent later.
                metrics.failed.add(n_spans);
                warn!(component = "tracing", err = error, "Sending traces failed");
            }
        }
    }
}

impl Metrics {
    fn register(registry: &Registry, tracer: Tracer) -> Metrics {
        registry.collect(move |families| {
            families.push(Family::single(
                "vesta_traces_dropped_spans_total",
                "Spans that there was no room for.",
                telemetry::Kind::Counter,
                tracer.n_dropped() as f64,
            ));
        });
        Metrics {
            exported: registry
                .counter("vesta_traces_exported_spans_total", "Spans that a collector has taken."),
            failed: registry
                .counter("vesta_traces_failed_spans_total", "Spans that could not be sent."),
        }
    }
}

/// Who it is that sends traces.
pub(crate) fn resource(service: &'static str, version: &'static str) -> otlp::Resource {
    otlp::Resource { service, version, scope: build::VERSION }
}
