//! Structs as sections of a file: one field, one key.

use std::collections::HashSet;

use super::{Broken, Decoder, Section, Setting, Style};
use crate::yaml::{Node, Value, Yaml};

/// Defines a section: a struct, its keys in upstream's printing order, and the Go type that
/// upstream's messages name. A field is left out of the printed form when it is empty, unless it
/// is marked `= always`; `= inline` takes the keys of another record in its place. A key that is
/// no Rust name is given with `as`.
///
/// ```ignore
/// record! {
///     /// One filter.
///     pub struct Filter: "ec2.plain" {
///         kind as "type": String,
///         values: Vec<String> = always,
///         http: HttpClient = inline,
///     }
/// }
/// ```
#[macro_export]
macro_rules! record {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident: $go_type:literal {
            $( $(#[$field_meta:meta])* $field:ident $(as $key:literal)? : $type:ty $(= $mode:ident)? ),*
            $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq)]
        $visibility struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        impl $crate::decode::Record for $name {
            fn keys(keys: &mut Vec<&'static str>) {
                $( $crate::record!(@keys keys, ($field $($key)?), $type, $($mode)?); )*
            }

            fn set(
                &mut self,
                key: &str,
                node: &$crate::yaml::Node,
                decoder: &mut $crate::decode::Decoder,
            ) -> Result<bool, $crate::decode::Broken> {
                $( $crate::record!(@set self.$field, key, node, decoder, ($field $($key)?), $($mode)?); )*
                Ok(false)
            }

            fn put(&self, pairs: &mut Vec<(String, $crate::yaml::Yaml)>, style: $crate::decode::Style) {
                $( $crate::record!(@put self.$field, pairs, style, ($field $($key)?), $($mode)?); )*
            }

            fn set_directories(&mut self, directory: &str) {
                $( $crate::decode::Setting::set_directory(&mut self.$field, directory); )*
            }
        }

        impl $crate::decode::Setting for $name {
            const GO_TYPE: &'static str = $go_type;

            fn decode(
                node: &$crate::yaml::Node,
                decoder: &mut $crate::decode::Decoder,
            ) -> Result<Option<Self>, $crate::decode::Broken> {
                $crate::decode::decode_record(node, decoder)
            }

            fn encode(&self, style: $crate::decode::Style) -> $crate::yaml::Yaml {
                $crate::decode::encode_record(self, style)
            }

            fn set_directory(&mut self, directory: &str) {
                $crate::decode::Record::set_directories(self, directory);
            }
        }
    };

    (@key ($field:ident)) => { stringify!($field) };
    (@key ($field:ident $key:literal)) => { $key };

    (@keys $keys:ident, $name:tt, $type:ty, inline) => {
        <$type as $crate::decode::Record>::keys($keys);
    };
    (@keys $keys:ident, $name:tt, $type:ty, $($mode:ident)?) => {
        $keys.push($crate::record!(@key $name));
    };

    (@set $slot:expr, $wanted:ident, $node:ident, $decoder:ident, $name:tt, inline) => {
        if $crate::decode::Record::set(&mut $slot, $wanted, $node, $decoder)? {
            return Ok(true);
        }
    };
    (@set $slot:expr, $wanted:ident, $node:ident, $decoder:ident, $name:tt, $($mode:ident)?) => {
        if $wanted == $crate::record!(@key $name) {
            $decoder.field($wanted, &mut $slot, $node)?;
            return Ok(true);
        }
    };

    (@put $value:expr, $pairs:ident, $style:ident, $name:tt, inline) => {
        $crate::decode::Record::put(&$value, $pairs, $style);
    };
    (@put $value:expr, $pairs:ident, $style:ident, $name:tt, always) => {
        let shown = $crate::decode::Setting::encode(&$value, $style);
        $pairs.push(($crate::record!(@key $name).to_owned(), shown));
    };
    (@put $value:expr, $pairs:ident, $style:ident, $name:tt,) => {
        if !$crate::decode::Setting::is_empty(&$value) {
            let shown = $crate::decode::Setting::encode(&$value, $style);
            $pairs.push(($crate::record!(@key $name).to_owned(), shown));
        }
    };
}

/// Reads a map into a record: defaults first, then each key, then the record's own check.
pub fn decode_record<T: Section + Setting>(
    node: &Node,
    decoder: &mut Decoder,
) -> Result<Option<T>, Broken> {
    let Value::Map(pairs) = &node.value else {
        decoder.wrong_kind(node, T::GO_TYPE);
        return Ok(None);
    };
    let known = decoder.mismatch_count();
    let mut record = T::defaults();
    let mut seen = HashSet::new();
    for (key, value) in pairs {
        let name = match &key.value {
            Value::Scalar(scalar) => scalar.text.as_str(),
            _ => {
                decoder.wrong_kind(key, "string");
                continue;
            }
        };
        if !seen.insert(name) {
            let (go_type, column) = (T::GO_TYPE, key.column);
            let message = format!("field {name} already set in type {go_type} (column {column})");
            decoder.mismatch(key, message);
        } else if !record.set(name, value, decoder)? {
            decoder.mismatch(key, unknown::<T>(name, key.column));
        }
    }
    if decoder.mismatch_count() > known {
        return Ok(None);
    }
    record.check().map_err(|broken| broken.or_at(node.line))?;
    Ok(Some(record))
}

pub fn encode_record<T: Section>(record: &T, style: Style) -> Yaml {
    let mut pairs = Vec::new();
    record.put(&mut pairs, style);
    Yaml::Map(pairs)
}

/// Upstream's words, where in the line, and what would be right.
fn unknown<T: Section + Setting>(name: &str, column: usize) -> String {
    let mut keys = Vec::new();
    T::keys(&mut keys);
    keys.sort_unstable();
    let (go_type, keys) = (T::GO_TYPE, keys.join(", "));
    format!("field {name} not found in type {go_type} (column {column}, allowed: {keys})")
}
