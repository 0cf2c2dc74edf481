//! `/metrics`: the server's own metrics.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};

use super::Api;
use crate::expose;

pub(super) async fn metrics(State(api): State<Arc<Api>>, headers: HeaderMap) -> Response {
    expose::respond(&api.registry, &headers)
}
