//! From a YAML tree to typed settings, with upstream's strictness and words; and back.
//!
//! A section of the file is a struct made by [`record!`](crate::record); every field is a
//! [`Setting`]. Wrong keys and wrong kinds of values are gathered, all of them, while a value that
//! breaks a rule ([`Section::check`]) ends the reading at once: that is what upstream does.

mod list;
mod record;
mod scalars;

use crate::yaml::{Node, Yaml};

pub use list::List;
pub use record::{decode_record, encode_record};

/// A value that a key can have.
pub trait Setting: Sized + Clone + Default + PartialEq {
    /// The type's name in messages: upstream's Go type.
    const GO_TYPE: &'static str;

    /// The value of `node`, which is not null; `None` after telling the decoder what is wrong.
    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Self>, Broken>;

    fn encode(&self, style: Style) -> Yaml;

    /// Whether a printed section leaves this out.
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Makes relative paths relative to `directory`.
    fn set_directory(&mut self, directory: &str) {
        let _ = directory;
    }
}

/// A struct made by [`record!`](crate::record).
pub trait Record {
    /// Appends the keys, in printing order.
    fn keys(keys: &mut Vec<&'static str>);

    /// Reads the value of `key`, if this record or one inlined in it has that key.
    fn set(&mut self, key: &str, node: &Node, decoder: &mut Decoder) -> Result<bool, Broken>;

    /// Appends the keys with their values, without empty ones unless marked `always`.
    fn put(&self, pairs: &mut Vec<(String, Yaml)>, style: Style);

    fn set_directories(&mut self, directory: &str);
}

/// What a record is before the first key is read, and what must hold after the last one.
pub trait Section: Record + Default {
    fn defaults() -> Self {
        Self::default()
    }

    /// Checks the whole and fills in what follows from it.
    fn check(&mut self) -> Result<(), Broken> {
        Ok(())
    }
}

/// How settings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// For people: secrets read `<secret>`.
    Shown,
    /// With secrets; reading it again gives the same settings.
    Whole,
}

/// A rule that a value breaks, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub message: String,
    /// Zero while nobody has said.
    pub line: usize,
}

impl Broken {
    pub fn at(line: usize, message: impl Into<String>) -> Broken {
        Broken { message: message.into(), line }
    }

    /// Says where, if nobody nearer to the cause has.
    pub fn or_at(self, line: usize) -> Broken {
        if self.line == 0 { Broken { line, ..self } } else { self }
    }
}

impl From<&str> for Broken {
    fn from(message: &str) -> Broken {
        Broken::at(0, message)
    }
}

impl From<String> for Broken {
    fn from(message: String) -> Broken {
        Broken::at(0, message)
    }
}

/// Why a text is not the settings that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Syntax(#[from] crate::yaml::SyntaxError),
    /// Every wrong key and every wrong kind of value.
    #[error("yaml: unmarshal errors:{}", .0.iter().map(|line| format!("\n  {line}")).collect::<String>())]
    Mismatches(Vec<String>),
    #[error("{}{}", .0.message, if .0.line > 0 { format!(" (line {})", .0.line) } else { String::new() })]
    Broken(Broken),
}

/// Gathers what is wrong while a tree is read.
#[derive(Debug, Default)]
pub struct Decoder {
    mismatches: Vec<String>,
}

impl Decoder {
    pub fn mismatch(&mut self, node: &Node, message: impl std::fmt::Display) {
        self.mismatches.push(format!("line {}: {message}", node.line));
    }

    /// Notes that the node is of the wrong kind.
    pub fn wrong_kind(&mut self, node: &Node, go_type: &str) {
        self.mismatch(node, format_args!("cannot unmarshal {} into {go_type}", node.describe()));
    }

    pub fn mismatch_count(&self) -> usize {
        self.mismatches.len()
    }

    /// Reads the value of `key` into `slot`. Null empties it: also a default goes away.
    pub fn field<T: Setting>(
        &mut self,
        key: &str,
        slot: &mut T,
        node: &Node,
    ) -> Result<(), Broken> {
        if node.is_null() {
            *slot = T::default();
            return Ok(());
        }
        let known = self.mismatches.len();
        if let Some(value) = T::decode(node, self).map_err(|broken| broken.or_at(node.line))? {
            *slot = value;
        }
        // The key helps where the line alone does not: upstream's message names only the type.
        for mismatch in self.mismatches.iter_mut().skip(known) {
            if mismatch.contains(": cannot unmarshal ") && !mismatch.ends_with(')') {
                mismatch.push_str(&format!(" (key {key})"));
            }
        }
        Ok(())
    }
}

/// Reads a whole document; an empty one is the defaults.
pub fn from_str<T: Section + Setting>(text: &str) -> Result<T, Error> {
    let Some(node) = crate::yaml::parse(text)?.filter(|node| !node.is_null()) else {
        return Ok(T::defaults());
    };
    let mut decoder = Decoder::default();
    let value = T::decode(&node, &mut decoder);
    let value = value.map_err(|broken| Error::Broken(broken.or_at(node.line)))?;
    match value {
        Some(value) if decoder.mismatches.is_empty() => Ok(value),
        _ => Err(Error::Mismatches(decoder.mismatches)),
    }
}

#[cfg(test)]
mod tests;
