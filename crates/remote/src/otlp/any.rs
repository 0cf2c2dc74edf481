//! Values of attributes, and the texts that become of them.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use model::{
    float,
    json::{Escape, write_text},
};

use super::point::Text;

/// Values may lie in values, but not deeper than this.
pub(super) const DEPTH_MAX: usize = 64;

#[derive(Debug, Clone, Default)]
pub(super) enum Any<'a> {
    #[default]
    Empty,
    Text(Text<'a>),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(Cow<'a, [u8]>),
    /// A list or a map, already in JSON.
    Nested(String),
}

impl<'a> Any<'a> {
    pub(super) fn list(items: &[Any<'_>]) -> Any<'a> {
        let mut json = String::from("[");
        for (idx, item) in items.iter().enumerate() {
            json.push_str(if idx > 0 { "," } else { "" });
            item.write_json(&mut json);
        }
        json.push(']');
        Any::Nested(json)
    }

    /// Of keys that are given twice the last one counts; they come out in order.
    pub(super) fn map(pairs: &BTreeMap<Text<'_>, Any<'_>>) -> Any<'a> {
        let mut json = String::from("{");
        for (idx, (key, value)) in pairs.iter().enumerate() {
            json.push_str(if idx > 0 { "," } else { "" });
            write_text(key, Escape::Standard, &mut json);
            json.push(':');
            value.write_json(&mut json);
        }
        json.push('}');
        Any::Nested(json)
    }

    /// The value as a label has it.
    pub(super) fn into_text(self) -> Text<'a> {
        match self {
            Any::Empty => Cow::Borrowed(""),
            Any::Text(text) => text,
            Any::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            Any::Int(value) => Cow::Owned(value.to_string()),
            Any::Bytes(bytes) => Cow::Owned(base64(&bytes)),
            Any::Nested(json) => Cow::Owned(json),
            Any::Double(value) => {
                let mut text = String::new();
                if !value.is_finite() {
                    // Upstream asks its JSON encoder, which cannot, and takes its excuse for a text.
                    text.push_str("json: unsupported value: ");
                }
                float::write_json(value, &mut text);
                Cow::Owned(text)
            }
        }
    }

    fn write_json(&self, out: &mut String) {
        match self {
            Any::Empty => out.push_str("null"),
            Any::Text(text) => write_text(text, Escape::Standard, out),
            Any::Bool(value) => display(value, out),
            Any::Int(value) => display(value, out),
            Any::Double(value) => float::write_json(*value, out),
            Any::Bytes(bytes) => write_text(&base64(bytes), Escape::Standard, out),
            Any::Nested(json) => out.push_str(json),
        }
    }
}

fn display(value: &impl fmt::Display, out: &mut String) {
    write!(out, "{value}").expect("writing to a string cannot fail");
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
