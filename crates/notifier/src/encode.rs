//! Alerts as Alertmanager's API v2 takes them, byte for byte as upstream sends them.

use std::fmt::Write as _;

use jiff::Timestamp;
use model::{
    Alert, Labels,
    json::{Escape, write_text},
};

/// A JSON array of `alerts`.
pub(crate) fn encode<'a>(alerts: impl IntoIterator<Item = &'a Alert>) -> String {
    let mut out = String::from("[");
    for (idx, alert) in alerts.into_iter().enumerate() {
        if idx > 0 {
            out.push(',');
        }
        push_alert(alert, &mut out);
    }
    out.push(']');
    out
}

fn push_alert(alert: &Alert, out: &mut String) {
    out.push('{');
    if !alert.annotations.is_empty() {
        out.push_str("\"annotations\":");
        push_labels(&alert.annotations, out);
        out.push(',');
    }
    for (name, time) in [("endsAt", alert.ends_at), ("startsAt", alert.starts_at)] {
        // What is out of range says nothing of when; leave it to the Alertmanager.
        if let Ok(time) = Timestamp::from_millisecond(time.as_millis()) {
            write!(out, "\"{name}\":\"{time:.3}\",").expect("writing to a string cannot fail");
        }
    }
    if !alert.generator_url.is_empty() {
        out.push_str("\"generatorURL\":");
        write_text(&alert.generator_url, Escape::Standard, out);
        out.push(',');
    }
    out.push_str("\"labels\":");
    push_labels(&alert.labels, out);
    out.push('}');
}

fn push_labels(labels: &Labels, out: &mut String) {
    out.push('{');
    for (idx, (name, value)) in labels.iter().enumerate() {
        if idx > 0 {
            out.push(',');
        }
        write_text(name, Escape::Standard, out);
        out.push(':');
        write_text(value, Escape::Standard, out);
    }
    out.push('}');
}
