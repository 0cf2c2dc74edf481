//! Events as upstream's JSON of protobuf messages: camel case, 64-bit numbers as text, no defaults.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use alertmanager::{
    Alert, Matcher,
    alert::log_hash,
    event::{Event, GroupInfo, MutedAlert, Notified},
    integration::{Reason, group_key_hash},
    silence::{Pattern, Silence},
    time::Time,
};
use model::{Labels, MatchKind};
use serde_json::{Map, Value, json};

/// One event, with the line feed.
pub(super) fn line(event: &Event, at: Time, instance: &str, position: usize) -> String {
    let (name, data) = data(event, at);
    let envelope = object([
        ("@timestamp", json!(at.to_rfc3339_nanos())),
        ("instance", json!(instance)),
        ("data", json!({ name: data })),
        ("clusterPosition", json!(position)),
    ]);
    format!("{envelope}\n")
}

fn data(event: &Event, now: Time) -> (&'static str, Value) {
    match event {
        Event::Startup { version, build_context } => (
            "alertmanagerStartupEvent",
            object([("version", json!(version)), ("buildContext", json!(build_context))]),
        ),
        Event::Shutdown => ("alertmanagerShutdownEvent", json!({})),
        Event::AlertCreated(it) => ("alertCreated", object([("alert", alert(it, now))])),
        Event::AlertGrouped(it, group) => ("alertGrouped", grouped(it, group, now)),
        Event::AlertResolved(it, group) => ("alertResolved", grouped(it, group, now)),
        Event::Notification(notified) => ("notification", notification(notified)),
        Event::SilenceCreated(it) => ("silenceCreated", object([("silence", silence(it))])),
        Event::SilenceUpdated(it) => ("silenceUpdated", object([("silence", silence(it))])),
        Event::SilenceMutedAlert(it, alert) => {
            ("silenceMutedAlert", object([("silence", silence(it)), ("mutedAlert", muted(alert))]))
        }
        Event::InhibitionMutedAlert { rule, alert, by } => {
            let mut equal = rule.equal.clone();
            equal.sort();
            let rule = object([
                ("sourceMatchers", matchers(&rule.source)),
                ("targetMatchers", matchers(&rule.target)),
                ("equalLabels", json!(equal)),
            ]);
            let data = object([
                ("inhibitRules", json!([rule])),
                ("mutedAlert", muted(alert)),
                ("inhibitingFingerprints", json!([by.0.to_string()])),
            ]);
            ("inhibitionMutedAlert", data)
        }
    }
}

/// Without what has its default value.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let is_default = |value: &Value| match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(value) => value.as_u64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        // A message that is there is shown, however empty.
        Value::Object(_) => false,
    };
    let fields = fields.into_iter().filter(|(_, value)| !is_default(value));
    Value::Object(fields.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

fn alert(alert: &Alert, now: Time) -> Value {
    object([
        ("fingerprint", json!(alert.fingerprint().0.to_string())),
        ("name", json!(alert.name())),
        ("labels", labels(&alert.labels)),
        ("annotations", annotations(&alert.annotations)),
        ("startsAt", time(Some(alert.starts_at))),
        ("endsAt", time(alert.ends_at)),
        ("resolved", json!(alert.is_resolved_at(now))),
    ])
}

fn hash(alert: &Alert) -> Value {
    object([("hash", json!(log_hash(&alert.labels).to_string()))])
}

fn with_details(it: &Alert, now: Time) -> Value {
    object([("hash", json!(log_hash(&it.labels).to_string())), ("details", alert(it, now))])
}

fn grouped(alert: &Alert, group: &GroupInfo, now: Time) -> Value {
    object([("alert", with_details(alert, now)), ("groupInfo", group_info(group))])
}

fn group_info(group: &GroupInfo) -> Value {
    object([
        ("groupKey", json!(group.key)),
        ("groupLabels", labels(&group.labels)),
        ("groupId", json!(group_key_hash(&group.key))),
        ("receiverName", json!(group.receiver)),
        ("matchers", matchers(&group.matchers)),
    ])
}

fn notification(notified: &Notified) -> Value {
    let now = notified.now;
    let (resolved, firing): (Vec<&Arc<Alert>>, Vec<_>) =
        notified.alerts.iter().partition(|alert| alert.is_resolved_at(now));
    let hashes = |alerts: &[&Arc<Alert>]| -> Value {
        alerts.iter().map(|alert| hash(alert)).collect::<Vec<_>>().into()
    };
    let all = notified.alerts.iter().map(|alert| with_details(alert, now));
    object([
        ("alerts", all.collect::<Vec<_>>().into()),
        ("firingAlerts", hashes(&firing)),
        ("resolvedAlerts", hashes(&resolved)),
        ("groupInfo", group_info(&notified.group)),
        ("repeatInterval", json!(seconds(notified.repeat_interval))),
        ("reason", json!(reason(notified.reason))),
        (
            "integration",
            object([
                ("name", json!(notified.integration)),
                // Signed 64-bit numbers are text, too, and zero is left out.
                ("index", json!(Some(notified.idx).filter(|it| *it > 0).map(|it| it.to_string()))),
            ]),
        ),
    ])
}

fn reason(reason: Reason) -> &'static str {
    match reason {
        // The default, which is left out.
        Reason::Unknown | Reason::None => "",
        Reason::FirstNotification => "NOTIFY_REASON_FIRST_NOTIFICATION",
        Reason::NewAlertsAdded => "NOTIFY_REASON_NEW_ALERTS_IN_GROUP",
        Reason::SomeAlertsResolved => "NOTIFY_REASON_NEW_RESOLVED_ALERTS",
        Reason::AllAlertsResolved => "NOTIFY_REASON_ALL_ALERTS_RESOLVED",
        Reason::RepeatIntervalElapsed => "NOTIFY_REASON_REPEAT_INTERVAL_ELAPSED",
    }
}

fn silence(silence: &Silence) -> Value {
    let set = |patterns: &Vec<Pattern>| -> Vec<Value> { patterns.iter().map(pattern).collect() };
    let sets = silence.matcher_sets.iter().map(|it| object([("matchers", set(it).into())]));
    object([
        ("id", json!(silence.id)),
        ("matchers", silence.matcher_sets.first().map(set).unwrap_or_default().into()),
        ("startsAt", time(silence.starts_at)),
        ("endsAt", time(silence.ends_at)),
        ("updatedAt", time(silence.updated_at)),
        ("createdBy", json!(silence.created_by)),
        ("comment", json!(silence.comment)),
        ("matcherSets", sets.collect::<Vec<_>>().into()),
    ])
}

fn muted(alert: &MutedAlert) -> Value {
    object([
        ("labels", labels(&alert.labels)),
        ("fingerprint", json!(alert.fingerprint.0.to_string())),
    ])
}

fn matchers(matchers: &[Matcher]) -> Value {
    let one = |it: &Matcher| matcher(Some(it.kind), &it.name, &it.value, it.to_string());
    matchers.iter().map(one).collect::<Vec<_>>().into()
}

fn pattern(pattern: &Pattern) -> Value {
    let kind = pattern.kind();
    let rendered = kind
        .and_then(|kind| Matcher::new(kind, pattern.name.as_str(), pattern.pattern.as_str()).ok());
    let rendered = rendered.map(|it| it.to_string()).unwrap_or_default();
    matcher(kind, &pattern.name, &pattern.pattern, rendered)
}

fn matcher(kind: Option<MatchKind>, name: &str, pattern: &str, rendered: String) -> Value {
    let kind = match kind {
        None => "",
        Some(MatchKind::Equal) => "TYPE_EQUAL",
        Some(MatchKind::Regex) => "TYPE_REGEXP",
        Some(MatchKind::NotEqual) => "TYPE_NOT_EQUAL",
        Some(MatchKind::NotRegex) => "TYPE_NOT_REGEXP",
    };
    object([
        ("type", json!(kind)),
        ("name", json!(name)),
        ("pattern", json!(pattern)),
        ("rendered", json!(rendered)),
    ])
}

fn labels(labels: &Labels) -> Value {
    pairs(labels.iter())
}

fn annotations(annotations: &BTreeMap<String, String>) -> Value {
    pairs(annotations.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

fn pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let pairs = pairs.map(|(key, value)| object([("key", json!(key)), ("value", json!(value))]));
    object([("labels", pairs.collect::<Vec<_>>().into())])
}

fn time(time: Option<Time>) -> Value {
    time.map_or(Value::Null, |time| json!(time.to_rfc3339_nanos()))
}

/// As protobuf's JSON has durations.
fn seconds(duration: Duration) -> String {
    let millis = duration.subsec_millis();
    match millis {
        0 => format!("{}s", duration.as_secs()),
        _ => format!("{}.{millis:03}s", duration.as_secs()),
    }
}
