//! What `vesta host` and `vesta shop` share: a listener with `/metrics`, until a signal comes.

use std::process::ExitCode;

use axum::{Router, http::header, routing::get};
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
    let page = move || async move {
        // Collectors read files of the kernel: not for the async threads.
        let gathered = tokio::task::spawn_blocking(move || registry.gather()).await;
        let text = format!("{:?}", gathered.unwrap_or_default());
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
    };
    Router::new().route("/metrics", get(page))
}
