//! Lists of sections: each item knows its line, and an empty item is an error.

use std::ops::{Deref, DerefMut};

use super::{Broken, Decoder, Setting, Style};
use crate::yaml::{Node, Value, Yaml};

/// A list of sections, with the line of each, so that a later check can say where.
#[derive(Debug, Clone)]
pub struct List<T> {
    items: Vec<T>,
    /// As many as items; zero for those that come from no file.
    lines: Vec<usize>,
    /// Where the first null item stood.
    null: Option<usize>,
}

impl<T> List<T> {
    /// Items and their lines.
    pub fn with_lines(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        self.lines.iter().copied().zip(&mut self.items)
    }

    pub fn into_items(self) -> Vec<T> {
        self.items
    }

    /// Refuses null items, in upstream's words for this list.
    pub fn refuse_null(&self, message: &str) -> Result<(), Broken> {
        match self.null {
            Some(line) => Err(Broken::at(line, message)),
            None => Ok(()),
        }
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> List<T> {
        List { lines: vec![0; items.len()], items, null: None }
    }
}

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List::from(Vec::new())
    }
}

/// Equal are lists with equal items, wherever they stood.
impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &List<T>) -> bool {
        self.items == other.items
    }
}

impl<T> Deref for List<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items
    }
}

impl<T: Setting> Setting for List<T> {
    const GO_TYPE: &'static str = T::GO_TYPE;

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<List<T>>, Broken> {
        let Value::List(nodes) = &node.value else {
            decoder.wrong_kind(node, &format!("[]{}", T::GO_TYPE));
            return Ok(None);
        };
        let mut list = List::default();
        for node in nodes {
            if node.is_null() {
                list.null.get_or_insert(node.line);
            } else if let Some(item) =
                T::decode(node, decoder).map_err(|broken| broken.or_at(node.line))?
            {
                list.items.push(item);
                list.lines.push(node.line);
            }
        }
        Ok(Some(list))
    }

    fn encode(&self, style: Style) -> Yaml {
        Yaml::List(self.items.iter().map(|item| item.encode(style)).collect())
    }

    fn set_directory(&mut self, directory: &str) {
        for item in &mut self.items {
            item.set_directory(directory);
        }
    }
}
