//! Booleans, numbers, texts, options, lists and maps as settings.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{Broken, Decoder, Setting, Style};
use crate::yaml::{Meaning, Node, Value, Yaml};

fn meaning(node: &Node) -> Option<&Meaning> {
    match &node.value {
        Value::Scalar(scalar) => Some(&scalar.meaning),
        _ => None,
    }
}

impl Setting for bool {
    const GO_TYPE: &'static str = "bool";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<bool>, Broken> {
        match meaning(node) {
            Some(Meaning::Bool(value)) => Ok(Some(*value)),
            _ => {
                decoder.wrong_kind(node, Self::GO_TYPE);
                Ok(None)
            }
        }
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Bool(*self)
    }
}

/// The integer that a node means; upstream cuts floats.
fn integer(node: &Node) -> Option<i128> {
    match meaning(node)? {
        Meaning::Int(value) => Some(i128::from(*value)),
        Meaning::Unsigned(value) => Some(i128::from(*value)),
        Meaning::Float(value) if value.is_finite() => Some(*value as i128),
        _ => None,
    }
}

macro_rules! integer_setting {
    ($type:ty, $go_type:literal) => {
        impl Setting for $type {
            const GO_TYPE: &'static str = $go_type;

            fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<$type>, Broken> {
                let value = integer(node).and_then(|value| <$type>::try_from(value).ok());
                if value.is_none() {
                    decoder.wrong_kind(node, Self::GO_TYPE);
                }
                Ok(value)
            }

            fn encode(&self, _: Style) -> Yaml {
                Yaml::Int(i128::from(*self))
            }
        }
    };
}

integer_setting!(i64, "int");
integer_setting!(u64, "uint");

impl Setting for f64 {
    const GO_TYPE: &'static str = "float64";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<f64>, Broken> {
        Ok(match meaning(node) {
            Some(Meaning::Float(value)) => Some(*value),
            Some(Meaning::Int(value)) => Some(*value as f64),
            Some(Meaning::Unsigned(value)) => Some(*value as f64),
            _ => {
                decoder.wrong_kind(node, Self::GO_TYPE);
                None
            }
        })
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Float(*self)
    }
}

impl Setting for String {
    const GO_TYPE: &'static str = "string";

    /// Any scalar is a text: `8080` and `yes` as they are written.
    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<String>, Broken> {
        let Value::Scalar(scalar) = &node.value else {
            decoder.wrong_kind(node, Self::GO_TYPE);
            return Ok(None);
        };
        match &scalar.meaning {
            Meaning::Binary(bytes) => match String::from_utf8(bytes.clone()) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err("!!binary value is not valid UTF-8".into()),
            },
            _ => Ok(Some(scalar.text.clone())),
        }
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Text(self.clone())
    }
}

impl<T: Setting> Setting for Option<T> {
    const GO_TYPE: &'static str = T::GO_TYPE;

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Option<T>>, Broken> {
        Ok(T::decode(node, decoder)?.map(Some))
    }

    fn encode(&self, style: Style) -> Yaml {
        self.as_ref().map_or(Yaml::Null, |value| value.encode(style))
    }

    fn set_directory(&mut self, directory: &str) {
        if let Some(value) = self {
            value.set_directory(directory);
        }
    }
}

/// A list of plain values; null among them is the empty value.
impl<T: Setting> Setting for Vec<T> {
    const GO_TYPE: &'static str = "[]string";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Vec<T>>, Broken> {
        let Value::List(nodes) = &node.value else {
            decoder.wrong_kind(node, Self::GO_TYPE);
            return Ok(None);
        };
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            if node.is_null() {
                items.push(T::default());
            } else {
                let item = T::decode(node, decoder).map_err(|broken| broken.or_at(node.line))?;
                items.extend(item);
            }
        }
        Ok(Some(items))
    }

    fn encode(&self, style: Style) -> Yaml {
        Yaml::List(self.iter().map(|item| item.encode(style)).collect())
    }

    fn set_directory(&mut self, directory: &str) {
        for item in self {
            item.set_directory(directory);
        }
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    const GO_TYPE: &'static str = "map[string]string";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Self>, Broken> {
        let Value::Map(pairs) = &node.value else {
            decoder.wrong_kind(node, Self::GO_TYPE);
            return Ok(None);
        };
        let mut map = BTreeMap::new();
        for (key, value) in pairs {
            let name =
                if key.is_null() { Some(String::new()) } else { String::decode(key, decoder)? };
            let Some(name) = name else { continue };
            let mut item = T::default();
            decoder.field(&name, &mut item, value)?;
            match map.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(item);
                }
                Entry::Occupied(entry) => {
                    let (name, column) = (entry.key(), key.column);
                    let message = format!("key {name:?} already set in map (column {column})");
                    decoder.mismatch(value, message);
                }
            }
        }
        Ok(Some(map))
    }

    fn encode(&self, style: Style) -> Yaml {
        Yaml::Map(self.iter().map(|(key, value)| (key.clone(), value.encode(style))).collect())
    }

    fn set_directory(&mut self, directory: &str) {
        for value in self.values_mut() {
            value.set_directory(directory);
        }
    }
}

/// Anything at all.
impl Setting for Yaml {
    const GO_TYPE: &'static str = "interface {}";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Yaml>, Broken> {
        Ok(Some(match &node.value {
            Value::Null => Yaml::Null,
            Value::List(_) => Yaml::List(Vec::<Yaml>::decode(node, decoder)?.unwrap_or_default()),
            Value::Map(_) => Yaml::Map(
                BTreeMap::<String, Yaml>::decode(node, decoder)?
                    .unwrap_or_default()
                    .into_iter()
                    .collect(),
            ),
            Value::Scalar(scalar) => match &scalar.meaning {
                Meaning::Bool(value) => Yaml::Bool(*value),
                Meaning::Int(value) => Yaml::Int(i128::from(*value)),
                Meaning::Unsigned(value) => Yaml::Int(i128::from(*value)),
                Meaning::Float(value) => Yaml::Float(*value),
                Meaning::Text => Yaml::Text(scalar.text.clone()),
                Meaning::Binary(_) => return Ok(String::decode(node, decoder)?.map(Yaml::Text)),
            },
        }))
    }

    fn encode(&self, _: Style) -> Yaml {
        self.clone()
    }
}
