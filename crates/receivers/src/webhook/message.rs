//! The body of a notification: version 4 of upstream's format, to the byte.

use std::collections::BTreeMap;

use alertmanager::{
    Time,
    template::{Data, DataAlert},
};
use serde::Serialize;

use crate::payload::to_go_json;

/// What Go prints for a time that is not set.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    receiver: &'a str,
    status: &'a str,
    alerts: Vec<Alert<'a>>,
    #[serde(rename = "notification_reason")]
    notification_reason: &'a str,
    group_labels: &'a BTreeMap<String, String>,
    common_labels: &'a BTreeMap<String, String>,
    common_annotations: &'a BTreeMap<String, String>,
    route_labels: &'a BTreeMap<String, String>,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    version: &'a str,
    group_key: &'a str,
    truncated_alerts: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert<'a> {
    status: &'a str,
    labels: &'a BTreeMap<String, String>,
    annotations: &'a BTreeMap<String, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    fingerprint: &'a str,
}

/// Prints the message; `truncated` alerts are not in `data`.
pub(crate) fn encode(data: &Data, version: &str, group_key: &str, truncated: usize) -> String {
    to_go_json(&Message {
        receiver: &data.receiver,
        status: data.status,
        alerts: data.alerts.0.iter().map(Alert::new).collect(),
        notification_reason: &data.notification_reason,
        group_labels: &data.group_labels.0,
        common_labels: &data.common_labels.0,
        common_annotations: &data.common_annotations.0,
        route_labels: &data.route_labels.0,
        external_url: &data.external_url,
        version,
        group_key,
        truncated_alerts: truncated,
    })
}

impl<'a> Alert<'a> {
    fn new(alert: &'a DataAlert) -> Alert<'a> {
        let print = |time: Option<Time>| time.map_or(NO_TIME.to_owned(), Time::to_rfc3339_nanos);
        Alert {
            status: alert.status,
            labels: &alert.labels.0,
            annotations: &alert.annotations.0,
            starts_at: print(alert.starts_at),
            ends_at: print(alert.ends_at),
            generator_url: &alert.generator_url,
            fingerprint: &alert.fingerprint,
        }
    }
}
