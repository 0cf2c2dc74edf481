//! What an agent does not answer: it has nothing to query and no alerts.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{
    Api,
    respond::{Error, ErrorKind},
};
use crate::page::plain;

/// The agent's own page.
pub(super) const PAGE: &str = "/agent";

/// Routes of the v1 API that only a server has; what lies below them, too.
const SERVER_ROUTES: [&str; 13] = [
    "/query",
    "/query_range",
    "/query_exemplars",
    "/format_query",
    "/parse_query",
    "/labels",
    "/label",
    "/series",
    "/search",
    "/alertmanagers",
    "/alerts",
    "/rules",
    "/admin",
];

/// The same, without what lies below.
const SERVER_STATUS: [&str; 3] = ["/status/tsdb", "/status/tsdb/blocks", "/status/cluster"];

/// Pages that only a server has.
const SERVER_PAGES: [&str; 5] = ["/query", "/graph", "/alerts", "/rules", "/tsdb-status"];

/// Refuses routes of the v1 API that an agent has no answer to, in upstream's words.
pub(super) async fn refuse_queries(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let is_below = |route: &&str| {
        path.strip_prefix(*route).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_of_servers = SERVER_ROUTES.iter().any(is_below) || SERVER_STATUS.contains(&path);
    if api.is_agent && is_of_servers {
        let text = "unavailable with Prometheus Agent";
        return Error::new(ErrorKind::Execution, text).into_response();
    }
    next.run(request).await
}

/// An agent has one page that a server has not, and the other way round.
pub(super) async fn only_own_pages(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let is_of_the_other = match api.is_agent {
        true => SERVER_PAGES.contains(&path),
        false => path == PAGE,
    };
    if is_of_the_other {
        return plain(StatusCode::NOT_FOUND, "404 page not found\n");
    }
    next.run(request).await
}
