use std::collections::BTreeMap;

use model::Labels;

use crate::{
    alert::{Alert, Annotations},
    integration::Notification,
    time::Time,
};

/// What the templates of a notification see.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Data {
    /// With a backslash before what means something in a regex; upstream does so.
    pub receiver: String,
    /// `firing` if one alert is, else `resolved`.
    pub status: &'static str,
    pub alerts: Alerts,
    pub notification_reason: String,
    pub group_labels: Kv,
    pub common_labels: Kv,
    pub common_annotations: Kv,
    pub route_labels: Kv,
    /// Whether `route_labels` are templates still.
    pub has_label_templates: bool,
    /// Where users reach this server.
    pub external_url: String,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct DataAlert {
    pub status: &'static str,
    pub labels: Kv,
    pub annotations: Kv,
    pub starts_at: Option<Time>,
    /// `None` while it fires.
    pub ends_at: Option<Time>,
    pub generator_url: String,
    pub fingerprint: String,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Alerts(pub Vec<DataAlert>);

/// Labels or annotations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kv(pub BTreeMap<String, String>);

impl Data {
    pub fn new(notification: &Notification, external_url: &str) -> Data {
        let alerts: Vec<DataAlert> = notification
            .alerts
            .iter()
            .map(|alert| DataAlert::new(alert, notification.now))
            .collect();
        let is_firing = alerts.iter().any(|alert| alert.status == "firing");
        let common_labels = common(alerts.iter().map(|alert| &alert.labels));
        let common_annotations = common(alerts.iter().map(|alert| &alert.annotations));
        Data {
            receiver: quote_meta(&notification.receiver),
            status: if is_firing { "firing" } else { "resolved" },
            notification_reason: notification.reason.as_str().to_owned(),
            group_labels: Kv::from(&notification.group_labels),
            common_labels,
            common_annotations,
            route_labels: Kv(notification.route_labels.clone()),
            has_label_templates: false,
            external_url: external_url.to_owned(),
            alerts: Alerts(alerts),
        }
    }
}

impl DataAlert {
    fn new(alert: &Alert, now: Time) -> DataAlert {
        let is_resolved = alert.is_resolved_at(now);
        DataAlert {
            status: if is_resolved { "resolved" } else { "firing" },
            labels: Kv::from(&alert.labels),
            annotations: Kv::from(&alert.annotations),
            starts_at: Some(alert.starts_at),
            ends_at: alert.ends_at,
            generator_url: alert.generator_url.clone(),
            fingerprint: alert.fingerprint().to_string(),
        }
    }
}

impl Alerts {
    pub fn firing(&self) -> Alerts {
        self.with_status("firing")
    }

    pub fn resolved(&self) -> Alerts {
        self.with_status("resolved")
    }

    fn with_status(&self, status: &str) -> Alerts {
        Alerts(self.0.iter().filter(|alert| alert.status == status).cloned().collect())
    }
}

impl Kv {
    /// By name, but `alertname` first.
    pub fn sorted_pairs(&self) -> Vec<(&str, &str)> {
        let mut pairs: Vec<(&str, &str)> =
            self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        // Stable: the rest keeps its order.
        pairs.sort_by_key(|(name, _)| *name != "alertname");
        pairs
    }

    pub fn names(&self) -> Vec<&str> {
        self.sorted_pairs().into_iter().map(|(name, _)| name).collect()
    }

    pub fn values(&self) -> Vec<&str> {
        self.sorted_pairs().into_iter().map(|(_, value)| value).collect()
    }

    pub fn remove(&self, names: &[&str]) -> Kv {
        let stays = |(name, _): &(&String, &String)| !names.contains(&name.as_str());
        let kept = self.0.iter().filter(stays);
        Kv(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

impl From<&Labels> for Kv {
    fn from(labels: &Labels) -> Kv {
        Kv(labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

impl From<&Annotations> for Kv {
    fn from(annotations: &Annotations) -> Kv {
        Kv(annotations.as_ref().clone())
    }
}

/// The pairs that all sets have.
fn common<'a>(mut sets: impl Iterator<Item = &'a Kv>) -> Kv {
    let Some(first) = sets.next() else { return Kv::default() };
    let mut pairs: BTreeMap<&String, &String> = first.0.iter().collect();
    for set in sets {
        if pairs.is_empty() {
            break;
        }
        pairs.retain(|name, value| set.0.get(*name) == Some(value));
    }
    Kv(pairs.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// As Go's `regexp.QuoteMeta`.
fn quote_meta(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}
