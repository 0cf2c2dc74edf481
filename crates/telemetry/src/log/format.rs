use std::fmt::Write as _;

use super::Format;

/// One event, ready to print.
pub(super) struct Line {
    pub(super) time_ns: i128,
    /// `INFO`
    pub(super) level: &'static str,
    /// `head.rs:12`
    pub(super) source: String,
    pub(super) message: String,
    pub(super) fields: Vec<(&'static str, Value)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Int(i128),
    Float(f64),
    Bool(bool),
}

impl Line {
    pub(super) fn print(&self, format: Format) -> String {
        match format {
            Format::Logfmt => self.logfmt(),
            Format::Json => self.json(),
        }
    }

    /// `time=2026-01-02T15:04:05.000Z level=INFO source=head.rs:12 msg="replay done" segments=3`
    fn logfmt(&self) -> String {
        let mut out = format!("time={} level={} source=", self.time(3), self.level);
        push_quoted_if_needed(&self.source, &mut out);
        out.push_str(" msg=");
        push_quoted_if_needed(&self.message, &mut out);
        for (name, value) in &self.fields {
            write!(out, " {name}=").expect("writing to a string cannot fail");
            push_quoted_if_needed(&value.to_text(), &mut out);
        }
        out.push('\n');
        out
    }

    fn json(&self) -> String {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let mut out = format!(
            "{{\"time\":{},\"level\":{},\"source\":{},\"msg\":{}",
            text(&self.time(9)),
            text(self.level),
            text(&self.source),
            text(&self.message),
        );
        for (name, value) in &self.fields {
            let value = match value {
                Value::Text(value) => text(value),
                Value::Float(value) if !value.is_finite() => text(&value.to_string()),
                other => other.to_text(),
            };
            write!(out, ",{}:{value}", text(name)).expect("writing to a string cannot fail");
        }
        out.push_str("}\n");
        out
    }

    fn time(&self, digits: u8) -> String {
        let time = jiff::Timestamp::from_nanosecond(self.time_ns).unwrap_or_default();
        let mut text = format!("{time:.9}");
        // "….123456789Z" is cut to the digits that the format shows.
        text.truncate(text.len().saturating_sub(1 + 9 - usize::from(digits)));
        text.push('Z');
        text
    }
}

impl Value {
    fn to_text(&self) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::Bool(value) => value.to_string(),
        }
    }
}

/// Go's slog quotes what is empty or holds blanks, quotes, equals signs or unprintable characters.
fn push_quoted_if_needed(text: &str, out: &mut String) {
    let plain = !text.is_empty()
        && text.chars().all(|c| c != ' ' && c != '"' && c != '=' && !c.is_control());
    if plain {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                write!(out, "\\x{:02x}", c as u32).expect("writing to a string cannot fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
