//! `/alerts` and `/alerts/groups`.

use std::sync::Arc;

use ::alertmanager::{
    Time,
    view::{AlertFilter, AlertStatus, AlertView, GroupView},
};
use axum::{body::Bytes, extract::State, http::StatusCode, response::IntoResponse as _};
use tracing::error;

use super::{
    Api, blocking, body,
    query::Query,
    respond::{Error, Result, json},
};
use crate::json::{Json, Object};

/// How an end that nobody knows is written.
const ZERO_TIME: &str = "0001-01-01T00:00:00.000Z";

pub(super) async fn list(State(api): State<Arc<Api>>, query: Query) -> Result {
    let filter = filter(&api, &query)?;
    blocking(move || {
        let alerts = api.alertmanager.alerts(&filter);
        json(StatusCode::OK, |json| json.array(&alerts, write_alert))
    })
    .await
}

pub(super) async fn groups(State(api): State<Arc<Api>>, query: Query) -> Result {
    let filter = AlertFilter { muted: query.flag("muted"), ..filter(&api, &query)? };
    blocking(move || {
        let groups = api.alertmanager.groups(&filter);
        json(StatusCode::OK, |json| json.array(&groups, write_group))
    })
    .await
}

pub(super) async fn post(State(api): State<Arc<Api>>, body: Bytes) -> Result {
    let alerts = body::alerts(&body)?;
    let taken = blocking(move || api.alertmanager.put_alerts(alerts)).await?;
    taken.map(|()| StatusCode::OK.into_response()).map_err(|invalid| {
        error!(error = %invalid, "Failed to validate alerts");
        Error::bad_request(invalid.to_string())
    })
}

fn filter(api: &Api, query: &Query) -> Result<AlertFilter> {
    let matchers = query.matchers("filter", api.mode)?;
    let receiver_matchers = query.matchers("receiver_matchers", api.mode)?;
    let receiver = receiver_filter(query)?;
    Ok(AlertFilter {
        active: query.flag("active"),
        silenced: query.flag("silenced"),
        inhibited: query.flag("inhibited"),
        muted: true,
        matchers,
        receiver,
        receiver_matchers,
    })
}

/// What names of receivers must match; nothing if any will do.
pub(super) fn receiver_filter(query: &Query) -> Result<Option<re2::Regex>> {
    let Some(pattern) = query.last("receiver") else { return Ok(None) };
    re2::Regex::new(&format!("^(?:{pattern})$"))
        .map(Some)
        .map_err(|error| Error::bad_request(format!("failed to parse receiver param: {error}")))
}

fn write_group(json: &mut Json, group: &GroupView) {
    json.object(|object| {
        object.key("alerts").array(&group.alerts, write_alert);
        object.key("labels").labels(&group.labels);
        object.key("receiver").object(|receiver| write_name(receiver, &group.receiver));
        object.key("routeLabels").object(|labels| {
            for (name, value) in &group.route_labels {
                labels.key(name).label_text(value);
            }
        });
    });
}

pub(super) fn write_name(object: &mut Object<'_>, name: &str) {
    object.key("name").label_text(name);
}

pub(super) fn write_alert(json: &mut Json, view: &AlertView) {
    let alert = &view.alert;
    json.object(|object| {
        let annotations = alert.annotations.iter();
        write_texts(object.key("annotations"), annotations.map(|(n, v)| (n.as_str(), v.as_str())));
        let end = alert.ends_at.map(Time::to_rfc3339_millis);
        object.string("endsAt", end.as_deref().unwrap_or(ZERO_TIME));
        object.string("fingerprint", &view.fingerprint.to_string());
        object.key("receivers").array(&view.receivers, |json, name| {
            json.object(|receiver| receiver.string("name", name));
        });
        object.string("startsAt", &alert.starts_at.to_rfc3339_millis());
        object.key("status").object(|object| write_alert_status(object, &view.status));
        object.string("updatedAt", &alert.updated_at.to_rfc3339_millis());
        object.string_if_any("generatorURL", &alert.generator_url);
        write_texts(object.key("labels"), alert.labels.iter());
    });
}

fn write_alert_status(object: &mut Object<'_>, status: &AlertStatus) {
    let inhibited_by = status.inhibited_by.iter().map(ToString::to_string);
    object.key("inhibitedBy").strings(inhibited_by);
    object.key("mutedBy").strings(&status.muted_by);
    object.key("silencedBy").strings(&status.silenced_by);
    object.string("state", status.state.as_str());
}

/// Within alerts upstream escapes for HTML what it does not escape elsewhere.
fn write_texts<'a>(json: &mut Json, texts: impl Iterator<Item = (&'a str, &'a str)>) {
    json.object(|object| {
        for (name, value) in texts {
            object.string(name, value);
        }
    });
}
