use std::borrow::Cow;

use model::{Labels, LabelsBuilder};

use super::Kind;
use crate::{Error, Result};

/// Reads the fields of a record; nothing is read or allocated beyond its end.
pub(super) struct Cursor<'a> {
    kind: &'static str,
    rest: &'a [u8],
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
                Ok((found, Cursor { kind, rest: record.get(1..).unwrap_or_default() }))
            }
            _ => Err(Error::Record { kind, detail: "invalid record type" }),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        Ok(self.bytes(1)?[0])
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        let Some((bytes, rest)) = self.rest.split_first_chunk::<8>() else { return self.cut_off() };
        self.rest = rest;
        Ok(u64::from_be_bytes(*bytes))
    }

    pub(super) fn f64(&mut self) -> Result<f64> {
        Ok(f64::from_bits(self.u64()?))
    }

    pub(super) fn uvarint(&mut self) -> Result<u64> {
        let mut number = 0u64;
        for (idx, byte) in self.rest.iter().enumerate().take(10) {
            if idx == 9 && *byte > 1 {
                break;
            }
            number |= u64::from(byte & 0x7f) << (7 * idx);
            if *byte < 0x80 {
                self.rest = &self.rest[idx + 1..];
                return Ok(number);
            }
        }
        self.cut_off()
    }

    pub(super) fn varint(&mut self) -> Result<i64> {
        let number = self.uvarint()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(super) fn text(&mut self) -> Result<Cow<'a, str>> {
        let len = self.uvarint()?;
        let bytes = self.bytes(usize::try_from(len).unwrap_or(usize::MAX))?;
        Ok(String::from_utf8_lossy(bytes))
    }

    pub(super) fn labels(&mut self) -> Result<Labels> {
        let n_labels = self.uvarint()?;
        let mut pairs = Vec::with_capacity((n_labels as usize).min(self.rest.len() / 2));
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

    fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        let Some((bytes, rest)) = self.rest.split_at_checked(len) else { return self.cut_off() };
        self.rest = rest;
        Ok(bytes)
    }

    #[cold]
    fn cut_off<T>(&self) -> Result<T> {
        Err(Error::Record { kind: self.kind, detail: "record is cut off" })
    }
}

pub(super) fn push_uvarint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 & 0x7f | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(super) fn push_varint(out: &mut Vec<u8>, number: i64) {
    push_uvarint(out, (number << 1 ^ number >> 63) as u64);
}

pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    push_uvarint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
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
