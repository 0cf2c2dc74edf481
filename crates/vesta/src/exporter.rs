//! What `vesta host` and `vesta shop` share: a listener with `/metrics`, until a signal comes.

use std::process::ExitCode;

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::get,
};
use runtime::Runtime;
use telemetry::Registry;

/// Serves `/metrics` of the registry that `build` fills, and the routes that it returns.
pub(crate) fn main(
    addresses: &[String],
    build: impl FnOnce(Runtime, &Registry) -> Router,
) -> ExitCode {
    crate::commands::run(|runtime, stop| async move {
        let registry = Registry::default();
        telemetry::process::register(&registry);
        let router = build(runtime.clone(), &registry).merge(metrics(registry));
        crate::commands::serve(&runtime, addresses, router, stop).await
    })
}

fn metrics(registry: Registry) -> Router {
    let page = move |headers: HeaderMap| async move {
        // Collectors read files of the kernel: not for the async threads.
        let page = tokio::task::spawn_blocking(move || api::expose::respond(&registry, &headers));
        page.await.unwrap_or_else(|error| failure(&error))
    };
    Router::new().route("/metrics", get(page))
}

fn failure(error: &tokio::task::JoinError) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("gather metrics: {error}\n")).into_response()
}
