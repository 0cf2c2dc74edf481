//! What people look at: our pages, and what operators put beside them.

mod consoles;
mod files;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc};

use axum::{Router, extract::State, response::Response, routing::get};

use self::files::user_asset;
use super::Api;
use crate::page;

/// Upstream's pages, and those for `/api/v1/features` and the cluster.
pub(super) const PAGES: [&str; 12] = [
    "/query",
    "/alerts",
    "/rules",
    "/targets",
    "/service-discovery",
    "/tsdb-status",
    "/status",
    "/flags",
    "/config",
    "/alertmanager-discovery",
    "/features",
    "/cluster",
];

/// What is shown beside the API, and where operators keep pages of their own.
#[derive(Debug, Clone, Default)]
pub struct Pages {
    /// In the title of the browser.
    pub title: String,
    /// Where others reach this server; templates make links with it.
    pub external_url: String,
    /// The folder of console templates.
    pub consoles: PathBuf,
    /// The folder of what console templates use.
    pub console_libraries: PathBuf,
    /// The folder below `/user`, if there is one.
    pub user_assets: Option<PathBuf>,
}

/// Never gated, as the pages themselves say when the server is not ready.
pub(super) fn routes(pages: &Pages) -> Router<Arc<Api>> {
    let mut routes = Router::new()
        .route("/assets/{*filepath}", get(page::asset))
        .route("/favicon.svg", get(page::icon))
        .route("/favicon.ico", get(page::icon));
    for path in PAGES {
        routes = routes.route(path, get(page));
    }
    if pages.user_assets.is_some() {
        routes = routes.route("/user/{*filepath}", get(user_asset));
    }
    routes
}

/// Those that ask the storage, and so wait until the server is ready.
pub(super) fn gated_routes() -> Router<Arc<Api>> {
    Router::new().route("/consoles/{*filepath}", get(consoles::console))
}

/// Any page: which one it is, its script sees by the address.
pub(super) async fn page(State(api): State<Arc<Api>>) -> Response {
    page::html(&ui::Page {
        role: if api.is_agent { ui::Role::Agent } else { ui::Role::Server },
        title: &api.pages.title,
        version: &api.build_info.version,
        consoles: consoles::link(&api),
    })
}
