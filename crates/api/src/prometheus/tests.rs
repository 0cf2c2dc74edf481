mod answers;
mod any_text;
pub(super) mod fakes;
mod grafana;
mod limits;
pub(super) mod load;
mod promql_engine;
mod remote_read;
mod remote_write;
pub(super) mod tables;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use runtime::Simulation;
use storage::MemoryStorage;
use tower::ServiceExt as _;

use super::{
    State,
    lifecycle::{Phase, Readiness},
    pages::Pages,
    router,
    status::BuildInfo,
    targets::GlobalUrl,
};
use crate::prometheus::Origins;

/// A server with nothing in it, ready.
pub(super) fn state() -> State {
    let simulation = Simulation::new(1);
    let readiness = Readiness::default();
    readiness.set(Phase::Ready);
    State {
        engine: Arc::new(fakes::Engine::default()),
        storage: Arc::new(MemoryStorage::default()),
        targets: Arc::new(fakes::Targets::default()),
        rules: Arc::new(fakes::Rules::default()),
        status: Arc::new(fakes::Status::default()),
        lifecycle: None,
        remote_write: None,
        remote_read: None,
        otlp: None,
        cluster: None,
        admin: None,
        search: None,
        profiles: None,
        pages: Pages::default(),
        listeners_max: 16,
        readiness,
        is_agent: false,
        registry: telemetry::Registry::default(),
        runtime: simulation.runtime(),
        build_info: BuildInfo { version: "3.14.0".to_owned(), ..BuildInfo::default() },
        global_url: GlobalUrl::default(),
        cors: Origins::new(".*").expect("it is a pattern"),
        product: "Prometheus Server".to_owned(),
        route_prefix: "/".to_owned(),
        external_path: "/".to_owned(),
        external_labels: Arc::new(model::Labels::default),
        lookback_delta: std::time::Duration::from_secs(300),
    }
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    pub(super) body: String,
    bytes: bytes::Bytes,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("it is text"))
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

pub(super) fn send(state: State, request: Request<Body>) -> Answer {
    let router: Router = router(state);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("no I/O needed");
    runtime.block_on(async {
        let response = router.oneshot(request).await.expect("a router always answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("it ends well").to_bytes();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, body, bytes }
    })
}

pub(super) fn get(state: State, url: &str) -> Answer {
    let request = Request::get(url).body(Body::empty()).expect("it is a URL");
    send(state, request)
}

/// Asks by GET, or by POST with a form.
pub(super) fn ask(state: State, method: &Method, path: &str, query: &[(String, String)]) -> Answer {
    let form: String =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let builder = Request::builder().method(method);
    let request = match *method {
        Method::POST => builder
            .uri(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.into()),
        _ => builder.uri(format!("{path}?{form}")).body(Body::empty()),
    };
    send(state, request.expect("it is a URL"))
}
