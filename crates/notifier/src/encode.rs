//! Alerts as Alertmanager's API v2 takes them, byte for byte as upstream sends them.

use std::fmt::Write as _;

use jiff::Timestamp;
use model::{Alert, Labels};

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
        push_string(&alert.generator_url, out);
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
        push_string(name, out);
        out.push(':');
        push_string(value, out);
    }
    out.push('}');
}

/// As Go's `encoding/json`, which also escapes what HTML would misread.
fn push_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' => {
                write!(out, "\\u{:04x}", c as u32).expect("writing to a string cannot fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
