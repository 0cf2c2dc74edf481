//! From what a service answers to the labels of a target.

use model::{Labels, LabelsBuilder, TargetGroup};
use serde_json::Value;

/// The labels of a target that was found.
#[derive(Default, Clone)]
pub(crate) struct Found(LabelsBuilder);

impl Found {
    pub(crate) fn at(address: &str) -> Found {
        let mut found = Found::default();
        found.set("__address__", address);
        found
    }

    /// An empty value is no label.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<str>) -> &mut Found {
        self.0.set(name, value.as_ref());
        self
    }

    /// For each pair of a label's name, without `prefix`, and a JSON pointer.
    pub(crate) fn copy(
        &mut self,
        prefix: &str,
        from: &Value,
        table: &[(&str, &str)],
    ) -> &mut Found {
        for (name, pointer) in table {
            if let Some(value) = from.pointer(pointer) {
                self.set(&format!("{prefix}{name}"), text(value));
            }
        }
        self
    }

    /// As [`Found::copy`] for times, of which whole seconds are shown.
    pub(crate) fn copy_times(
        &mut self,
        prefix: &str,
        from: &Value,
        table: &[(&str, &str)],
    ) -> &mut Found {
        for (name, pointer) in table {
            if let Some(value) = from.pointer(pointer) {
                self.set(&format!("{prefix}{name}"), whole_seconds(&text(value)));
            }
        }
        self
    }

    /// A label for each key of a JSON object, with what cannot be in a name replaced.
    pub(crate) fn map(&mut self, prefix: &str, from: &Value) -> &mut Found {
        for (key, value) in from.as_object().into_iter().flatten() {
            self.set(&format!("{prefix}{}", sanitize(key)), text(value));
        }
        self
    }

    /// As [`Found::map`], and a second label that says that the key is there.
    pub(crate) fn map_present(&mut self, prefix: &str, present: &str, from: &Value) -> &mut Found {
        self.map(prefix, from);
        for key in from.as_object().into_iter().flat_map(|map| map.keys()) {
            self.set(&format!("{present}{}", sanitize(key)), "true");
        }
        self
    }

    /// A label for each of Amazon's tags: objects with a key and a value, whatever they are called.
    pub(crate) fn tags<'a>(
        &mut self,
        prefix: &str,
        tags: impl Iterator<Item = &'a Value>,
        [key, value]: [&str; 2],
    ) -> &mut Found {
        for tag in tags.filter(|tag| !get(tag, key).is_empty()) {
            self.set(&format!("{prefix}{}", sanitize(get(tag, key))), get(tag, value));
        }
        self
    }

    pub(crate) fn labels(&self) -> Labels {
        self.0.build()
    }
}

/// One group of all targets.
pub(crate) fn group(source: impl Into<String>, targets: Vec<Labels>) -> TargetGroup {
    TargetGroup { targets, labels: Labels::default(), source: source.into() }
}

/// A JSON value as a label's: texts as they are, nothing for what is not there.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The text at a key; "" for none.
pub(crate) fn get<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The elements of a JSON array.
pub(crate) fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The texts of a JSON array.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    each(value).map(text).collect()
}

/// `,a,b,`: with the separator also outside, so that a regular expression can look for one whole
/// element. Nothing for an empty list.
pub(crate) fn enclosed<S: AsRef<str>>(list: &[S], separator: &str) -> String {
    if list.is_empty() {
        return String::new();
    }
    let list: Vec<&str> = list.iter().map(AsRef::as_ref).collect();
    format!("{separator}{}{separator}", list.join(separator))
}

/// What cannot be in a label's name becomes an underscore.
pub(crate) fn sanitize(name: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(keep).collect()
}

/// `host:port`, with brackets around IPv6.
pub(crate) fn host_port(host: &str, port: impl std::fmt::Display) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// The elements of a list as XML has it: within an element, whatever they are called.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    let inner = value.as_object().into_iter().flat_map(|map| map.values());
    inner.flat_map(|item| item.as_array().map_or(std::slice::from_ref(item), Vec::as_slice))
}

/// A time as services write it, without what comes after its seconds.
fn whole_seconds(time: &str) -> String {
    let Some((time, rest)) = time.split_once('.') else { return time.to_owned() };
    format!("{time}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}
