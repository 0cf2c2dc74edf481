//! Which methods a route takes, beside those that it names.

use axum::{
    extract::{OriginalUri, Request},
    http::{Method, StatusCode, Uri},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::page::{plain, redirect};

/// Marks what no route has answered.
#[derive(Clone, Copy)]
pub(crate) struct Unrouted;

/// Refuses HEAD but for health checks: upstream's routes do not take GET to mean HEAD too.
pub(crate) async fn only_health_by_head(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // A name in a path may be empty to us, but never to upstream.
    if path.contains("//") {
        let whole = request.extensions().get::<OriginalUri>().map(|OriginalUri(uri)| uri);
        return unrouted(elsewhere(request.method(), whole.unwrap_or(request.uri())));
    }
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
    unrouted(plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n"))
}

fn unrouted(mut response: Response) -> Response {
    response.extensions_mut().insert(Unrouted);
    response
}

/// Sends clients that put slashes where none belong to where they meant to go.
pub(crate) async fn not_found(method: Method, OriginalUri(uri): OriginalUri) -> Response {
    unrouted(elsewhere(&method, &uri))
}

fn elsewhere(method: &Method, uri: &Uri) -> Response {
    // The one path that Go wants with a slash at its end, where nothing is either.
    let is_root_of_api = uri.path().trim_end_matches('/').ends_with("/api/v1");
    let segments: Vec<&str> = uri.path().split('/').filter(|it| !it.is_empty()).collect();
    let mut clean = format!("/{}", segments.join("/"));
    if is_root_of_api {
        clean.push('/');
    }
    if *method != Method::GET || clean == uri.path() {
        return plain(StatusCode::NOT_FOUND, "404 page not found\n");
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    redirect(StatusCode::MOVED_PERMANENTLY, &format!("{clean}{query}"))
}
