//! `/-/*`, `/version` and the way to the pages: is the server there, and may it be told what to do?

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use runtime::BoxFuture;

use super::{Api, json::Json};
use crate::page::found;
pub(super) use crate::page::plain;

/// How far the server is. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicU8>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Replaying, loading: not ready yet.
    Starting,
    Ready,
    Stopping,
}

impl Readiness {
    pub fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Release);
    }

    pub fn phase(&self) -> Phase {
        match self.0.load(Ordering::Acquire) {
            1 => Phase::Ready,
            2 => Phase::Stopping,
            _ => Phase::Starting,
        }
    }
}

/// What `/-/reload` and `/-/quit` do.
pub trait Lifecycle: Send + Sync {
    /// Reads the configuration again; says why if it is not taken.
    fn reload(&self) -> BoxFuture<'_, Result<(), String>>;

    /// Begins to stop.
    fn quit(&self);
}

/// Lets requests through once the server is ready.
pub(super) async fn only_when_ready(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Response {
    match not_ready(&api) {
        Some(response) => response,
        None => next.run(request).await,
    }
}

pub(super) fn not_ready(api: &Api) -> Option<Response> {
    let is_stopping = match api.readiness.phase() {
        Phase::Ready => return None,
        Phase::Starting => "false",
        Phase::Stopping => "true",
    };
    let headers = [("x-prometheus-stopping", is_stopping)];
    Some((StatusCode::SERVICE_UNAVAILABLE, headers, "Service Unavailable").into_response())
}

pub(super) async fn healthy(State(api): State<Arc<Api>>) -> String {
    format!("{} is Healthy.\n", api.product)
}

pub(super) async fn ready(State(api): State<Arc<Api>>) -> Response {
    match not_ready(&api) {
        Some(response) => response,
        None => format!("{} is Ready.\n", api.product).into_response(),
    }
}

/// For HEAD: not a word beside the status.
pub(super) async fn is_healthy() -> StatusCode {
    StatusCode::OK
}

/// For HEAD.
pub(super) async fn is_ready(State(api): State<Arc<Api>>) -> Response {
    not_ready(&api).unwrap_or_else(|| StatusCode::OK.into_response())
}

pub(super) async fn reload(State(api): State<Arc<Api>>) -> Response {
    let Some(lifecycle) = &api.lifecycle else { return disabled() };
    match lifecycle.reload().await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(reason) => {
            plain(StatusCode::INTERNAL_SERVER_ERROR, format!("failed to reload config: {reason}\n"))
        }
    }
}

pub(super) async fn quit(State(api): State<Arc<Api>>) -> Response {
    let Some(lifecycle) = &api.lifecycle else { return disabled() };
    lifecycle.quit();
    "Requesting termination... Goodbye!".into_response()
}

/// For GET on what changes something.
pub(super) async fn wrong_method() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, "Only POST or PUT requests allowed").into_response()
}

pub(super) fn disabled() -> Response {
    (StatusCode::FORBIDDEN, "Lifecycle API is not enabled.").into_response()
}

pub(super) async fn version(State(api): State<Arc<Api>>) -> String {
    let mut json = Json::default();
    json.object(|object| api.build_info.write(object));
    json.finish() + "\n"
}

pub(super) async fn to_prefix(State(api): State<Arc<Api>>) -> Response {
    found(&api.route_prefix)
}

/// From the root to the first page.
pub(super) async fn home(State(api): State<Arc<Api>>) -> Response {
    let page = if api.is_agent { super::agent::PAGE } else { "/query" };
    found(&format!("{}{page}", api.external_path()))
}

/// Links of the old pages.
pub(super) async fn graph(State(api): State<Arc<Api>>, request: Request) -> Response {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    found(&format!("{}/query{query}", api.external_path()))
}
