//! Which methods a route takes, beside those that it names.

use axum::{
    extract::{OriginalUri, Request},
    http::{Method, StatusCode},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::page::{plain, redirect};

/// Refuses HEAD but for health checks: upstream's routes do not take GET to mean HEAD too.
pub(crate) async fn only_health_by_head(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_health = path.ends_with("/-/healthy") || path.ends_with("/-/ready");
    if *request.method() == Method::HEAD && !is_health {
        return not_allowed(Method::HEAD).await;
    }
    next.run(request).await
}

pub(crate) async fn not_allowed(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::OK.into_response();
    }
    plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n")
}

/// Sends clients that put slashes where none belong to where they meant to go.
pub(crate) async fn not_found(method: Method, OriginalUri(uri): OriginalUri) -> Response {
    let segments: Vec<&str> = uri.path().split('/').filter(|it| !it.is_empty()).collect();
    let clean = format!("/{}", segments.join("/"));
    if method != Method::GET || clean == uri.path() {
        return plain(StatusCode::NOT_FOUND, "404 page not found\n");
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    redirect(StatusCode::MOVED_PERMANENTLY, &format!("{clean}{query}"))
}
