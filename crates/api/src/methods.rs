//! Which methods a route takes, beside those that it names.

use axum::{
    extract::Request,
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};

use crate::page::plain;

/// Refuses HEAD but for health checks: upstream's routes do not take GET to mean HEAD too.
pub(crate) async fn only_health_by_head(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_health = path.ends_with("/-/healthy") || path.ends_with("/-/ready");
    if *request.method() == Method::HEAD && !is_health {
        return not_allowed().await;
    }
    next.run(request).await
}

pub(crate) async fn not_allowed() -> Response {
    plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n")
}

pub(crate) async fn not_found() -> Response {
    plain(StatusCode::NOT_FOUND, "404 page not found\n")
}
