//! YAML text into a tree whose nodes know their line, as Go's `yaml.v2` would understand it.
//!
//! Knows nothing of configuration. Start at [`parse`]; the way back is [`print()`].

mod compose;
mod print;
mod resolve;

pub use compose::parse;
pub use print::{Yaml, print};

/// A text that is no YAML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("yaml: line {line}: {message} (column {column})")]
pub struct SyntaxError {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

/// A value and where it begins; lines and columns count from one.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub line: usize,
    pub column: usize,
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    /// In the order written, duplicates included; merge keys are already carried out.
    Map(Vec<(Node, Node)>),
}

/// A scalar: what was written and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    pub text: String,
    pub meaning: Meaning,
}

/// What a scalar means by YAML 1.1's rules: `yes` is a bool, `0x10` and `1_000` are numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    Bool(bool),
    Int(i64),
    /// An integer beyond `i64`.
    Unsigned(u64),
    Float(f64),
    Text,
    /// The bytes of a `!!binary`.
    Binary(Vec<u8>),
}

impl Node {
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// The node's value as error messages show it: ``!!str `abc` ``.
    pub fn describe(&self) -> String {
        let scalar = match &self.value {
            Value::Null => return "!!null".to_owned(),
            Value::List(_) => return "!!seq".to_owned(),
            Value::Map(_) => return "!!map".to_owned(),
            Value::Scalar(scalar) => scalar,
        };
        let tag = match &scalar.meaning {
            Meaning::Bool(_) => "!!bool",
            Meaning::Int(_) | Meaning::Unsigned(_) => "!!int",
            Meaning::Float(_) => "!!float",
            Meaning::Text => "!!str",
            Meaning::Binary(_) => "!!binary",
        };
        // Upstream cuts at ten bytes; we cut at characters, so the message stays UTF-8.
        if scalar.text.chars().count() > 10 {
            let start: String = scalar.text.chars().take(7).collect();
            format!("{tag} `{start}...`")
        } else {
            format!("{tag} `{}`", scalar.text)
        }
    }
}

#[cfg(test)]
mod tests;
