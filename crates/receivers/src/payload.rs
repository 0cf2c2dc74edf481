//! Trees of settings whose texts are templates, and JSON as Go writes it.

use serde::Serialize;
use serde_json::{Map, Value};
use settings::{decode::Setting as _, yaml::Yaml};

/// Renders every text of `tree`, keys too. A text that renders to YAML of a map, a list, a number…
/// becomes that, so that templates can make structure.
pub(crate) fn render<E>(
    tree: &Yaml,
    expand: &mut impl FnMut(&str) -> Result<String, E>,
) -> Result<Value, E> {
    Ok(match tree {
        Yaml::Text(text) => parse(expand(text)?),
        Yaml::List(items) | Yaml::FlowList(items) => {
            Value::Array(items.iter().map(|item| render(item, expand)).collect::<Result<_, E>>()?)
        }
        Yaml::Map(pairs) => {
            let mut map = Map::new();
            for (key, value) in pairs {
                map.insert(expand(key)?, render(value, expand)?);
            }
            Value::Object(map)
        }
        other => to_json(other),
    })
}

/// What a rendered text means: itself, unless it is YAML of anything but a text.
fn parse(text: String) -> Value {
    let tree = settings::yaml::parse(&text).ok().flatten().and_then(|node| {
        let mut decoder = settings::decode::Decoder::default();
        if node.is_null() { Some(Yaml::Null) } else { Yaml::decode(&node, &mut decoder).ok()? }
    });
    match tree {
        // An empty document is null, as upstream has it.
        None if text.trim().is_empty() => Value::Null,
        None | Some(Yaml::Text(_)) => Value::String(text),
        Some(tree) => to_json(&tree),
    }
}

pub(crate) fn to_json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::from(*value),
        Yaml::Int(value) => i64::try_from(*value)
            .map(Value::from)
            .or_else(|_| u64::try_from(*value).map(Value::from))
            .unwrap_or(Value::Null),
        Yaml::Float(value) => Value::from(*value),
        Yaml::Text(text) => Value::from(text.as_str()),
        Yaml::List(items) | Yaml::FlowList(items) => items.iter().map(to_json).collect(),
        Yaml::Map(pairs) => {
            pairs.iter().map(|(key, value)| (key.clone(), to_json(value))).collect()
        }
    }
}

/// JSON as Go's encoder writes it: a line, with what HTML could trip over written by code.
pub fn to_go_json(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("texts, numbers, lists and maps are JSON");
    let mut out = String::with_capacity(json.len() + 1);
    // These characters can stand in texts only, so that no structure is touched.
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out.push('\n');
    out
}
