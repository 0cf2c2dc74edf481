use std::borrow::Cow;

use model::{Labels, LabelsBuilder};
pub(super) use stdx::cursor::{push_sized, push_uvarint, push_varint};

use super::Kind;
use crate::{Error, Result};

/// Reads the fields of a record; nothing is read or allocated beyond its end.
pub(super) struct Cursor<'a> {
    kind: &'static str,
    inner: stdx::cursor::Cursor<'a>,
}

impl<'a> Cursor<'a> {
    /// Reads behind the first byte, which must be one of `kinds`.
    pub(super) fn new(
        record: &'a [u8],
        kind: &'static str,
        kinds: &[Kind],
    ) -> Result<(Kind, Cursor<'a>)> {
        match Kind::of(record) {
            Some(found) if kinds.contains(&found) => {
                let inner = stdx::cursor::Cursor::new(record.get(1..).unwrap_or_default());
                Ok((found, Cursor { kind, inner }))
            }
            _ => Err(Error::Record { kind, detail: "invalid record type" }),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.inner.rest().len()
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        self.inner.byte().ok_or_else(|| self.cut_off())
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        self.inner.u64().ok_or_else(|| self.cut_off())
    }

    pub(super) fn f64(&mut self) -> Result<f64> {
        Ok(f64::from_bits(self.u64()?))
    }

    pub(super) fn uvarint(&mut self) -> Result<u64> {
        self.inner.uvarint().ok_or_else(|| self.cut_off())
    }

    pub(super) fn varint(&mut self) -> Result<i64> {
        self.inner.varint().ok_or_else(|| self.cut_off())
    }

    pub(super) fn text(&mut self) -> Result<Cow<'a, str>> {
        let bytes = self.inner.sized().ok_or_else(|| self.cut_off())?;
        Ok(String::from_utf8_lossy(bytes))
    }

    pub(super) fn labels(&mut self) -> Result<Labels> {
        let n_labels = self.uvarint()?;
        let mut pairs = Vec::with_capacity((n_labels as usize).min(self.len() / 2));
        for _ in 0..n_labels {
            pairs.push((self.text()?, self.text()?));
        }
        let is_a_set = pairs.windows(2).all(|pair| pair[0].0 < pair[1].0)
            && pairs.iter().all(|(_, value)| !value.is_empty());
        if is_a_set {
            return Ok(Labels::from_sorted(pairs.iter().map(|(n, v)| (n.as_ref(), v.as_ref()))));
        }
        let mut builder = LabelsBuilder::default();
        for (name, value) in &pairs {
            builder.set(name, value);
        }
        Ok(builder.build())
    }

    #[cold]
    fn cut_off(&self) -> Error {
        Error::Record { kind: self.kind, detail: "record is cut off" }
    }
}

pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    push_sized(out, text.as_bytes());
}

pub(super) fn push_labels<'a>(
    out: &mut Vec<u8>,
    n_labels: usize,
    labels: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    push_uvarint(out, n_labels as u64);
    for (name, value) in labels {
        push_text(out, name);
        push_text(out, value);
    }
}
