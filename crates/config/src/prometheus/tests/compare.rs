//! Holds settings against the JSON of upstream's tables.

use serde_json::Value;

use crate::{values::Bytes, yaml::Yaml};

/// Which keys count that the table does not list.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Unlisted {
    Ignored,
    /// They must be empty, zero or false.
    Empty,
}

pub(super) fn compare(
    path: &str,
    expected: &Value,
    actual: Option<&Yaml>,
    unlisted: Unlisted,
) -> Result<(), String> {
    let differs = || Err(format!("{path}: expected {expected}, got {actual:?}"));
    let Some(actual) = actual else {
        // A rule without a pattern prints none.
        let standard_pattern = path.ends_with(".regex") && expected == "(.*)";
        return if standard_pattern || is_empty_json(expected) { Ok(()) } else { differs() };
    };
    match (expected, actual) {
        (Value::Object(wanted), Yaml::Map(pairs)) => {
            for (key, value) in wanted.iter().filter(|(key, _)| !is_internal(key)) {
                let found = pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value);
                compare(&format!("{path}.{key}"), value, found, unlisted)?;
            }
            for (key, value) in pairs {
                if unlisted == Unlisted::Empty && !wanted.contains_key(key) && !is_empty(value) {
                    return Err(format!("{path}.{key}: {value:?} is not in the table"));
                }
            }
            Ok(())
        }
        (Value::Array(wanted), Yaml::List(items) | Yaml::FlowList(items)) => {
            if wanted.len() != items.len() {
                return differs();
            }
            for (idx, (value, item)) in wanted.iter().zip(items).enumerate() {
                compare(&format!("{path}[{idx}]"), value, Some(item), unlisted)?;
            }
            Ok(())
        }
        _ if scalar_equals(expected, actual) => Ok(()),
        _ => differs(),
    }
}

/// What upstream keeps beside the keys of the file.
fn is_internal(key: &str) -> bool {
    ["source", "name_validation_scheme"].contains(&key)
}

fn scalar_equals(expected: &Value, actual: &Yaml) -> bool {
    match (expected, actual) {
        (Value::Bool(wanted), Yaml::Bool(value)) => wanted == value,
        (Value::String(wanted), Yaml::Text(text)) => wanted == text,
        (Value::Number(wanted), Yaml::Int(value)) => wanted.as_f64() == Some(*value as f64),
        (Value::Number(wanted), Yaml::Float(value)) => wanted.as_f64() == Some(*value),
        // Sizes are written with units.
        (Value::Number(wanted), Yaml::Text(text)) => {
            Bytes::parse(text).is_ok_and(|bytes| wanted.as_i64() == Some(bytes.0))
        }
        (wanted, value) => is_empty_json(wanted) && is_empty(value),
    }
}

fn is_empty_json(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(pairs) => pairs.values().all(is_empty_json),
    }
}

fn is_empty(value: &Yaml) -> bool {
    match value {
        Yaml::Null => true,
        Yaml::Bool(value) => !value,
        Yaml::Int(value) => *value == 0,
        Yaml::Float(value) => *value == 0.0,
        Yaml::Text(text) => text.is_empty(),
        Yaml::List(items) | Yaml::FlowList(items) => items.is_empty(),
        Yaml::Map(pairs) => pairs.iter().all(|(_, value)| is_empty(value)),
    }
}
