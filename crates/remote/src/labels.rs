//! Labels as they come in: bytes, in any order, perhaps none that make sense.

use std::fmt::Write as _;

use model::{Labels, METRIC_NAME, labels::quote_bytes, names::is_legacy_label_name};

/// Longer texts have no place in a label set.
const TEXT_BYTES_MAX: usize = (1 << 24) - 1;

/// Pairs of name and value, not checked.
#[derive(Debug, Default)]
pub(crate) struct RawLabels<'a>(Vec<(&'a [u8], &'a [u8])>);

/// Why labels name no series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// No metric name, or names and values that are no text.
    Text,
    /// The name that is there twice.
    Duplicate(String),
}

impl<'a> RawLabels<'a> {
    pub(crate) fn push(&mut self, name: &'a [u8], value: &'a [u8]) {
        self.0.push((name, value));
    }

    /// Sets a label, or removes it if the value is empty.
    pub(crate) fn set(&mut self, name: &'a [u8], value: &'a [u8]) {
        self.0.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            self.0.push((name, value));
        }
    }

    /// Says in upstream's words, which quote the bytes as they are, what is wrong with the labels.
    /// They may lack a metric name.
    pub(crate) fn check(&self) -> Result<(), Vec<u8>> {
        let complain = |what: &str, bytes: &[u8]| Err([what.as_bytes(), bytes].concat());
        let is_text = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok();
        let mut last: Option<&[u8]> = None;
        for (name, value) in &self.0 {
            let is_metric_name = *name == METRIC_NAME.as_bytes();
            if is_metric_name && (value.is_empty() || !is_text(value)) {
                return complain("invalid metric name: ", value);
            }
            if name.is_empty() || !is_text(name) {
                return complain("invalid label name: ", name);
            }
            if !is_text(value) {
                return complain("invalid label value: ", value);
            }
            if last.replace(name) == Some(name) {
                return complain("duplicate label with name: ", name);
            }
        }
        Ok(())
    }

    /// A set of labels that were checked; those without a value are left out.
    pub(crate) fn to_set(&self) -> Labels {
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        let pairs = self.0.iter().map(|(name, value)| (text(name), text(value)));
        Labels::from_pairs(
            pairs.filter(|(name, value)| {
                name.len() <= TEXT_BYTES_MAX && value.len() <= TEXT_BYTES_MAX
            }),
        )
    }

    /// Checks the labels and makes a set of them; those without a value are left out.
    pub(crate) fn checked(&mut self) -> Result<Labels, Invalid> {
        self.0.sort_by_key(|(name, _)| *name);
        let mut texts = Vec::with_capacity(self.0.len());
        for (name, value) in &self.0 {
            if name.len() > TEXT_BYTES_MAX || value.len() > TEXT_BYTES_MAX {
                return Err(Invalid::Text);
            }
            match (std::str::from_utf8(name), std::str::from_utf8(value)) {
                (Ok(name), Ok(value)) if !name.is_empty() => texts.push((name, value)),
                _ => return Err(Invalid::Text),
            }
        }
        if !texts.iter().any(|(name, value)| *name == METRIC_NAME && !value.is_empty()) {
            return Err(Invalid::Text);
        }
        if let Some(pair) = texts.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Invalid::Duplicate(pair[0].0.to_owned()));
        }
        Ok(Labels::from_sorted(texts.into_iter().filter(|(_, value)| !value.is_empty())))
    }

    /// The labels in order as upstream prints them, whatever they are.
    pub(crate) fn print(&mut self) -> String {
        self.0.sort_by_key(|(name, _)| *name);
        let mut out = String::from("{");
        for (idx, (name, value)) in self.0.iter().enumerate() {
            if idx > 0 {
                out.push_str(", ");
            }
            match std::str::from_utf8(name) {
                Ok(name) if is_legacy_label_name(name) => out.push_str(name),
                _ => out.push_str(&quote_bytes(name)),
            }
            // Writing to a string does not fail.
            write!(out, "={}", quote_bytes(value)).unwrap_or_default();
        }
        out.push('}');
        out
    }
}
