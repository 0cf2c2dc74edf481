//! Which other sites may use the API from a browser.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use re2::Regex;

use super::Api;
use crate::methods::Unrouted;

/// Origins that may read answers: `--web.cors.origin`.
pub struct Origins {
    pattern: Regex,
    is_any: bool,
}

impl Origins {
    /// `pattern` must match a whole origin.
    pub fn new(pattern: &str) -> Result<Origins, re2::Error> {
        Ok(Origins { pattern: Regex::anchored(pattern)?, is_any: pattern == ".*" })
    }
}

pub(super) async fn add_headers(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    // A browser asks before it asks.
    let mut response = match *request.method() == Method::OPTIONS {
        true => StatusCode::NO_CONTENT.into_response(),
        false => next.run(request).await,
    };
    // What no route answers says nothing of other sites.
    if response.extensions().get::<Unrouted>().is_some() {
        return response;
    }
    // Also without an origin: caches must not hand this answer to somebody who has one.
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin.filter(|origin| !origin.is_empty()) {
        allow(&api.cors, origin, response.headers_mut());
    }
    response
}

fn allow(origins: &Origins, origin: HeaderValue, headers: &mut HeaderMap) {
    const ALWAYS: [(HeaderName, &str); 3] = [
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Accept, Authorization, Content-Type, Origin"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Date"),
    ];
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let allowed = match origin.to_str() {
        _ if origins.is_any => HeaderValue::from_static("*"),
        Ok(text) if origins.pattern.is_match(text) => origin,
        _ => return,
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
}
