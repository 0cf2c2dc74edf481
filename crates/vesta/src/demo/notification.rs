//! A notification as people want to read it.

use serde_json::Value;

/// Turns the JSON of a webhook notification into a few lines; what is no such JSON stays as it is.
pub(super) fn describe(line: &str) -> String {
    let Ok(notification) = serde_json::from_str::<Value>(line) else { return line.to_owned() };
    let Some(alerts) = notification["alerts"].as_array() else { return line.to_owned() };
    let mut out = String::new();
    for alert in alerts {
        let text = |key: &str| alert[key].as_str().unwrap_or_default().to_owned();
        let status = text("status");
        let mark = if status == "firing" { "▲ FIRING  " } else { "▽ resolved" };
        let name = alert["labels"]["alertname"].as_str().unwrap_or("(no name)");
        let summary = alert["annotations"]["summary"].as_str().unwrap_or_default();
        out.push_str(&format!("{mark} {name}: {summary}\n"));
    }
    out
}
