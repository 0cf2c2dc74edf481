//! Label sets: sorted, immutable, one allocation each.

mod builder;
mod packed;
#[cfg(test)]
mod tests;

use std::{cmp::Ordering, fmt};

pub use builder::LabelsBuilder;
pub use packed::Labels;

use crate::METRIC_NAME;

impl Labels {
    /// Builds a set from pairs in any order; empty values are left out, of equal names the last
    /// one stays.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Labels {
        let mut builder = LabelsBuilder::default();
        for (name, value) in pairs {
            builder.set(name.as_ref(), value.as_ref());
        }
        builder.build()
    }

    /// The value of `name`, if present.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().take_while(|(n, _)| *n <= name).find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// The value of `name`, or "".
    pub fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// The metric's name, or "".
    pub fn metric_name(&self) -> &str {
        self.value(METRIC_NAME)
    }

    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// xxHash64 of the packed form: what upstream calls `Labels.Hash`.
    pub fn hash64(&self) -> u64 {
        xxhash_rust::xxh64::xxh64(self.as_packed(), 0)
    }

    /// The set without the metric's name.
    pub fn without_name(&self) -> Labels {
        self.filter(|name| name != METRIC_NAME)
    }

    /// The set with only those labels whose name `keep` accepts.
    pub fn filter(&self, mut keep: impl FnMut(&str) -> bool) -> Labels {
        Labels::from_sorted(self.iter().filter(|(name, _)| keep(name)))
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Labels) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Labels) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

/// `{a="1", b="2"}`, as upstream prints a label set.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (idx, (name, value)) in self.iter().enumerate() {
            if idx > 0 {
                f.write_str(", ")?;
            }
            if crate::names::is_legacy_label_name(name) {
                f.write_str(name)?;
            } else {
                f.write_str(&quote(name))?;
            }
            write!(f, "={}", quote(value))?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `text` in double quotes as Go's `strconv.Quote` writes it.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            c if (c as u32) < 0x20 || c == '\x7f' => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if c == '\u{feff}' || c == '\u{fffd}' || !is_print(c) => {
                if c == '\u{fffd}' {
                    out.push(c);
                } else if (c as u32) < 0x10000 {
                    out.push_str(&format!("\\u{:04x}", c as u32));
                } else {
                    out.push_str(&format!("\\U{:08x}", c as u32));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// [`quote`] for bytes that may not be UTF-8: what is not is written `\\xff`.
pub fn quote_bytes(bytes: &[u8]) -> String {
    let mut out = String::from('"');
    for chunk in bytes.utf8_chunks() {
        let quoted = quote(chunk.valid());
        let inside = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        out.push_str(inside.unwrap_or_default());
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

/// Roughly Go's `strconv.IsPrint`: no controls and no spaces but U+0020.
fn is_print(c: char) -> bool {
    c == ' ' || !(c.is_control() || c.is_whitespace() || ('\u{e000}'..='\u{f8ff}').contains(&c))
}
