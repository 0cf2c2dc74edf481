//! JSON as Go reads it into structs: names in any case, null is nothing, the rest is strict.

use std::collections::BTreeMap;

use ::alertmanager::time::Time;
use jiff::civil::DateTime;
use serde_json::{Map, Value};

/// The first JSON value; what follows it is not looked at.
pub(super) fn first_value(bytes: &[u8]) -> Result<Value, String> {
    let text = String::from_utf8_lossy(bytes);
    match serde_json::Deserializer::from_str(&text).into_iter().next() {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) if error.is_eof() => Err("unexpected EOF".to_owned()),
        Some(Err(error)) => Err(syntax_error(&text, &error)),
        None => Err("EOF".to_owned()),
    }
}

/// What is wrong with a JSON text, in Go's words where there is a word for it.
fn syntax_error(text: &str, error: &serde_json::Error) -> String {
    let reason = error.to_string();
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let at = line.get(error.column().saturating_sub(1)..).and_then(|rest| rest.chars().next());
    let place = [
        ("expected value", "looking for beginning of value"),
        ("expected ident", "in literal"),
        ("key must be a string", "looking for beginning of object key string"),
        ("trailing comma", "looking for beginning of object key string"),
        ("expected `:`", "after object key"),
        ("expected `,` or `}`", "after object key:value pair"),
        ("expected `,` or `]`", "after array element"),
    ];
    let place = place.iter().find(|(ours, _)| reason.starts_with(ours));
    match (place, at) {
        (Some((_, place)), Some(c)) => format!("invalid character '{c}' {place}"),
        _ => reason,
    }
}

/// An object that fills a struct.
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// Nothing for null; a complaint for what is no object.
    pub(super) fn of(value: &'a Value, go_type: &str) -> Result<Option<Fields<'a>>, String> {
        match value {
            Value::Null => Ok(None),
            Value::Object(map) => Ok(Some(Fields(map))),
            other => {
                let kind = kind(other);
                Err(format!("json: cannot unmarshal {kind} into Go value of type {go_type}"))
            }
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        let in_any_case = || {
            let mut fields = self.0.iter();
            fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        self.0.get(name).or_else(in_any_case).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str, field: &str) -> Result<Option<String>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(mismatch(other, field, "string")),
        }
    }

    pub(super) fn bool(&self, name: &str, field: &str) -> Result<Option<bool>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(mismatch(other, field, "bool")),
        }
    }

    pub(super) fn time(&self, name: &str, field: &str) -> Result<Option<Time>, String> {
        match self.text(name, field)? {
            None => Ok(None),
            Some(text) => parse_time(&text).map(Some),
        }
    }

    pub(super) fn texts(
        &self,
        name: &str,
        field: &str,
    ) -> Result<Option<BTreeMap<String, String>>, String> {
        let map = match self.get(name) {
            None => return Ok(None),
            Some(Value::Object(map)) => map,
            Some(other) => return Err(mismatch(other, field, "models.LabelSet")),
        };
        let mut texts = BTreeMap::new();
        for (name, value) in map {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => return Err(mismatch(other, field, "string")),
            };
            texts.insert(name.clone(), text);
        }
        Ok(Some(texts))
    }
}

pub(super) fn mismatch(value: &Value, field: &str, go_type: &str) -> String {
    let kind = kind(value);
    format!("json: cannot unmarshal {kind} into Go struct field {field} of type {go_type}")
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// RFC 3339, or one of the shorter forms that upstream's library takes; nothing is the epoch.
fn parse_time(text: &str) -> Result<Time, String> {
    if text.is_empty() {
        return Ok(Time::UNIX_EPOCH);
    }
    if let Some(time) = Time::parse(text) {
        return Ok(time);
    }
    // Without an offset, and perhaps without seconds.
    let forms = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M"];
    let local = forms.iter().find_map(|form| DateTime::strptime(form, text).ok());
    let zoned = local.and_then(|local| local.to_zoned(jiff::tz::TimeZone::UTC).ok());
    let text = model::labels::quote(text);
    match zoned {
        Some(zoned) => Ok(Time::from_millis(zoned.timestamp().as_millisecond())),
        None => Err(format!(
            "parsing time {text} as \"2006-01-02 15:04:05\": cannot parse {text} as \"2006\""
        )),
    }
}
