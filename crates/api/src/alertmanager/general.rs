//! Status, receivers, health, reload, and what is gone.

use std::sync::Arc;

use ::alertmanager::view::StatusView;
use axum::{
    extract::{OriginalUri, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use tracing::warn;

use super::{
    Api, alerts, blocking,
    query::Query,
    respond::{Result, json},
};
use crate::{expose, json::Object, page};

pub(super) async fn status(State(api): State<Arc<Api>>) -> Result {
    let status = api.alertmanager.status();
    Ok(json(StatusCode::OK, |json| json.object(|object| write_status(object, &status, &api))))
}

fn write_status(object: &mut Object<'_>, status: &StatusView, api: &Api) {
    object.key("cluster").object(|object| {
        if let Some(name) = &status.cluster.name {
            object.key("name").label_text(name);
        }
        object.key("peers").array(&status.cluster.peers, |json, peer| {
            json.object(|object| {
                object.key("address").label_text(&peer.address);
                object.key("name").label_text(&peer.name);
                // Ours; clients pass over keys that they do not know.
                if let Some(lag) = peer.lag {
                    object.key("lagSeconds").seconds(lag);
                }
                if let Some(round_trip) = peer.round_trip {
                    object.key("roundTripSeconds").seconds(round_trip);
                }
            });
        });
        object.string("status", status.cluster.state.as_str());
    });
    object.key("config").object(|object| object.key("original").label_text(&status.config));
    object.string("uptime", &status.started_at.to_rfc3339_millis());
    let build = &api.build_info;
    object.key("versionInfo").object(|object| {
        for (name, value) in [
            ("branch", &build.branch),
            ("buildDate", &build.build_date),
            ("buildUser", &build.build_user),
            ("goVersion", &build.go_version),
            ("revision", &build.revision),
            ("version", &build.version),
        ] {
            object.key(name).label_text(value);
        }
    });
}

pub(super) async fn receivers(State(api): State<Arc<Api>>, query: Query) -> Result {
    let matchers = query.matchers("receiver_matchers", api.mode)?;
    let found = blocking(move || api.alertmanager.receivers(&matchers)).await?;
    Ok(json(StatusCode::OK, |json| {
        json.array(&found, |json, receiver| {
            json.object(|object| {
                object.key("labels").object(|labels| {
                    for (name, value) in &receiver.labels {
                        labels.key(name).label_text(value);
                    }
                });
                alerts::write_name(object, &receiver.name);
            });
        });
    }))
}

/// What version 1 of the API says since it is gone.
pub(super) async fn removed(request: axum::extract::Request) -> Response {
    let (path, method) = (request.uri().path(), request.method());
    warn!(path, %method, "v1 API received a request on a removed endpoint");
    let error = "The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of \
        version 0.28.0 - please use the equivalent route in the v2 API";
    json(StatusCode::GONE, |json| {
        json.object(|object| {
            object.string("status", "deprecated");
            object.string("error", error);
        });
    })
}

pub(super) async fn ok() -> &'static str {
    "OK"
}

pub(super) async fn reload(State(api): State<Arc<Api>>) -> Response {
    match api.reload.reload().await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(reason) => page::plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("failed to reload config: {reason}\n"),
        ),
    }
}

pub(super) async fn metrics(State(api): State<Arc<Api>>, headers: HeaderMap) -> Response {
    expose::respond(&api.registry, &headers)
}

pub(super) async fn to_prefix(State(api): State<Arc<Api>>) -> Response {
    page::found(&api.route_prefix)
}

/// The page, which must be asked for with a slash at the end: its assets are named from there.
pub(super) async fn home(State(api): State<Arc<Api>>, OriginalUri(uri): OriginalUri) -> Response {
    if !uri.path().ends_with('/') {
        return page::found(&format!("{}/", api.prefix()));
    }
    page::html(&ui::Page {
        role: ui::Role::Alertmanager,
        title: "Alertmanager",
        version: &api.build_info.version,
        consoles: "",
    })
}
