use std::ops::{Deref, DerefMut};

use crate::{
    decode::{Broken, Decoder, Setting, Style},
    yaml::{Node, Yaml},
};

/// A value that knows its line, for checks that only the whole file allows.
#[derive(Debug, Clone, Default)]
pub struct Placed<T> {
    /// Zero for what comes from no file.
    pub line: usize,
    value: T,
}

/// Equal are equal values, wherever they stand.
impl<T: PartialEq> PartialEq for Placed<T> {
    fn eq(&self, other: &Placed<T>) -> bool {
        self.value == other.value
    }
}

impl<T> Deref for Placed<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Placed<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> From<T> for Placed<T> {
    fn from(value: T) -> Placed<T> {
        Placed { line: 0, value }
    }
}

impl<T: Setting> Setting for Placed<T> {
    const GO_TYPE: &'static str = T::GO_TYPE;

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Placed<T>>, Broken> {
        let value = T::decode(node, decoder)?;
        Ok(value.map(|value| Placed { line: node.line, value }))
    }

    fn encode(&self, style: Style) -> Yaml {
        self.value.encode(style)
    }

    fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    fn set_directory(&mut self, directory: &str) {
        self.value.set_directory(directory);
    }
}
