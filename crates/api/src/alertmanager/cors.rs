//! Pages of other sites may read and post, but not delete.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

const HEADERS: [&str; 3] = ["accept", "content-type", "x-requested-with"];

pub(super) async fn add_headers(request: Request, next: Next) -> Response {
    let asked_method = request.headers().get(header::ACCESS_CONTROL_REQUEST_METHOD);
    // A browser asks before it asks.
    if *request.method() == Method::OPTIONS && asked_method.is_some() {
        return preflight(request.headers());
    }
    let has_origin = request.headers().contains_key(header::ORIGIN);
    let is_allowed = is_simple(request.method());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if has_origin && is_allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}

fn is_simple(method: &Method) -> bool {
    [Method::GET, Method::POST, Method::HEAD].contains(method)
}

fn preflight(asked: &HeaderMap) -> Response {
    const VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static(VARY));
    let method = asked.get(header::ACCESS_CONTROL_REQUEST_METHOD);
    let method_is_simple = method
        .and_then(|method| Method::from_bytes(method.as_bytes()).ok())
        .is_some_and(|method| is_simple(&method));
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    if !asked.contains_key(header::ORIGIN) || !method_is_simple || !are_known(wanted) {
        return response;
    }
    let mut allow = |name: HeaderName, value: Option<&HeaderValue>| {
        headers.extend(value.cloned().map(|value| (name, value)));
    };
    allow(header::ACCESS_CONTROL_ALLOW_ORIGIN, Some(&HeaderValue::from_static("*")));
    allow(header::ACCESS_CONTROL_ALLOW_METHODS, method);
    allow(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted);
    response
}

fn are_known(wanted: Option<&HeaderValue>) -> bool {
    let Some(wanted) = wanted else { return true };
    let is_known = |name: &str| HEADERS.contains(&name.trim().to_lowercase().as_str());
    wanted.to_str().is_ok_and(|names| names.split(',').all(is_known))
}
