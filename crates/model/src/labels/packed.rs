#![expect(
    unsafe_code,
    reason = "names and values are read back as the text that they were made from"
)]

use std::{hash, sync::Arc};

/// A label set, sorted by name, without duplicates and empty values.
///
/// Packed as upstream packs it (`stringlabels`): for each name and value its length (one byte, or
/// 255 and three bytes, little endian) and its bytes. Cloning is a reference count.
#[derive(Clone, PartialEq, Eq)]
pub struct Labels {
    /// Only [`Labels::from_sorted`] writes it, and only from whole `str`s.
    packed: Arc<[u8]>,
}

impl Labels {
    pub fn empty() -> Labels {
        Labels::default()
    }

    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// Builds a set from pairs that are sorted by name, without duplicates and empty values.
    pub fn from_sorted<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Labels {
        let mut packed = Vec::with_capacity(128);
        let mut last: Option<&str> = None;
        for (name, value) in pairs {
            debug_assert!(last < Some(name), "labels out of order: {last:?}, {name:?}");
            debug_assert!(!value.is_empty(), "label {name:?} is empty");
            last = Some(name);
            push_text(&mut packed, name);
            push_text(&mut packed, value);
        }
        Labels { packed: packed.into() }
    }

    /// The packed bytes: equal for equal sets, good for hashing.
    pub fn as_packed(&self) -> &[u8] {
        &self.packed
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        let mut rest: &[u8] = &self.packed;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            Some((take_text(&mut rest), take_text(&mut rest)))
        })
    }
}

impl Default for Labels {
    fn default() -> Labels {
        Labels { packed: Arc::from([]) }
    }
}

impl hash::Hash for Labels {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        state.write(&self.packed);
    }
}

fn push_text(packed: &mut Vec<u8>, text: &str) {
    let len = text.len();
    assert!(len < 1 << 24, "a label of {len} bytes is longer than 16 MiB");
    if len < 255 {
        packed.push(len as u8);
    } else {
        packed.extend([255, len as u8, (len >> 8) as u8, (len >> 16) as u8]);
    }
    packed.extend_from_slice(text.as_bytes());
}

fn take_text<'a>(rest: &mut &'a [u8]) -> &'a str {
    let (len, header) = match rest[0] {
        255 => (rest[1] as usize | (rest[2] as usize) << 8 | (rest[3] as usize) << 16, 4),
        short => (short as usize, 1),
    };
    let (text, after) = rest[header..].split_at(len);
    *rest = after;
    // SAFETY: `push_text` is the only writer, it writes whole `str`s, and lengths are read back
    // in the order in which they were written.
    unsafe { std::str::from_utf8_unchecked(text) }
}
