//! Label names and label sets as they stand in files.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Deref,
};

use model::labels::quote_bytes;

use crate::{
    decode::{Broken, Decoder, Setting, Style},
    yaml::{Meaning, Node, Scalar, Value, Yaml},
};

/// The name of a label: not empty, and UTF-8 even where it comes out of a `!!binary`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabelName(pub String);

impl Setting for LabelName {
    const GO_TYPE: &'static str = "string";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<LabelName>, Broken> {
        let Some(bytes) = bytes(node, decoder) else { return Ok(None) };
        match String::from_utf8(bytes) {
            Ok(name) if !name.is_empty() => Ok(Some(LabelName(name))),
            Ok(_) => Err("\"\" is not a valid label name".into()),
            Err(error) => {
                let quoted = quote_bytes(error.as_bytes());
                Err(format!("{quoted} is not a valid label name").into())
            }
        }
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Text(self.0.clone())
    }
}

/// Labels and their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSet(pub BTreeMap<String, String>);

impl Deref for LabelSet {
    type Target = BTreeMap<String, String>;
    fn deref(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl Setting for LabelSet {
    const GO_TYPE: &'static str = "model.LabelSet";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<LabelSet>, Broken> {
        let Value::Map(pairs) = &node.value else {
            decoder.wrong_kind(node, Self::GO_TYPE);
            return Ok(None);
        };
        let mut labels = BTreeMap::new();
        for (key, value) in pairs {
            let name = LabelName::decode(key, decoder).map_err(|broken| broken.or_at(key.line))?;
            let (Some(LabelName(name)), Some(value_bytes)) = (name, bytes(value, decoder)) else {
                continue;
            };
            let text = String::from_utf8(value_bytes).map_err(|error| {
                let quoted = quote_bytes(error.as_bytes());
                Broken::at(value.line, format!("{quoted} is not a valid label value"))
            })?;
            match labels.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(text);
                }
                Entry::Occupied(entry) => {
                    let (name, column) = (entry.key(), key.column);
                    let message = format!("key {name:?} already set in map (column {column})");
                    decoder.mismatch(value, message);
                }
            }
        }
        Ok(Some(LabelSet(labels)))
    }

    fn encode(&self, style: Style) -> Yaml {
        self.0.encode(style)
    }
}

/// The bytes of a scalar; null has none.
fn bytes(node: &Node, decoder: &mut Decoder) -> Option<Vec<u8>> {
    match &node.value {
        Value::Null => Some(Vec::new()),
        Value::Scalar(Scalar { meaning: Meaning::Binary(bytes), .. }) => Some(bytes.clone()),
        Value::Scalar(scalar) => Some(scalar.text.clone().into_bytes()),
        Value::List(_) | Value::Map(_) => {
            decoder.wrong_kind(node, "string");
            None
        }
    }
}
