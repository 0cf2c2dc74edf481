//! Which methods a route takes, beside those that it names.

use axum::{
    extract::{OriginalUri, Request},
    http::{Method, StatusCode, Uri, header},
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
    // Before any route sees it, as upstream does.
    if !is_clean(path) {
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

/// Sends clients that put slashes and dots where none belong to where they meant to go.
pub(crate) async fn not_found(method: Method, OriginalUri(uri): OriginalUri) -> Response {
    unrouted(elsewhere(&method, &uri))
}

/// The same below `/api/v1`. Upstream sends away a slash at the end, and forgets that prefix.
pub(crate) async fn not_found_in_api(
    method: Method,
    uri: Uri,
    OriginalUri(whole): OriginalUri,
) -> Response {
    let has_slash = uri.path().len() > 1 && uri.path().ends_with('/');
    unrouted(match is_clean(whole.path()) && has_slash {
        true => elsewhere(&method, &uri),
        false => elsewhere(&method, &whole),
    })
}

fn elsewhere(method: &Method, uri: &Uri) -> Response {
    let mut clean = cleaned(uri.path());
    let is_clean = clean == uri.path();
    // The one path that Go wants with a slash at its end, where nothing is either.
    let is_root_of_api = clean.trim_end_matches('/').ends_with("/api/v1");
    if is_clean && !is_root_of_api && clean.len() > 1 {
        clean.truncate(clean.trim_end_matches('/').len());
    } else if is_root_of_api && !clean.ends_with('/') {
        clean.push('/');
    }
    let is_moved = clean != uri.path() && (!is_clean || *method == Method::GET);
    if !is_moved {
        return plain(StatusCode::NOT_FOUND, "404 page not found\n");
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let place = format!("{clean}{query}");
    match *method == Method::GET {
        true => redirect(StatusCode::MOVED_PERMANENTLY, &place),
        // Go writes a page only for those that look.
        false => (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, place)]).into_response(),
    }
}

fn is_clean(path: &str) -> bool {
    !path.contains("//") && !path.split('/').any(|segment| segment == "." || segment == "..")
}

/// The path without empty segments and dots; a slash at its end stays.
fn cleaned(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    let end = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{end}", segments.join("/"))
}
