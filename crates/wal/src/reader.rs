use crate::{
    Compression,
    page::{self, Fragment, HEADER_BYTES, PAGE_BYTES},
};

#[cfg(test)]
mod tests;

/// Reads the records of one segment.
///
/// A last page that is cut off counts as filled up with zeros, as upstream counts it: so a record
/// that a crash tore is a corruption, and everything before it is good.
pub struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
    /// The end of the last whole record.
    good: usize,
    failed: bool,
    /// The record as it was stored, when it came in fragments or from the torn end.
    stored: Vec<u8>,
    unpacked: Vec<u8>,
}

/// Where and why a segment cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corruption {
    /// All records before this byte are good.
    pub offset: u64,
    pub detail: String,
}

impl<'a> Reader<'a> {
    /// Reads a segment from its bytes.
    pub fn new(segment: &'a [u8]) -> Reader<'a> {
        Reader::starting_at(segment, 0)
    }

    /// Reads from the record at `offset` on; `bytes` begin where a page begins.
    pub fn starting_at(bytes: &'a [u8], offset: usize) -> Reader<'a> {
        Reader {
            bytes,
            offset,
            good: offset,
            failed: false,
            stored: Vec::new(),
            unpacked: Vec::new(),
        }
    }

    /// The next record, or `None` at the end and after an error.
    pub fn next_record(&mut self) -> Result<Option<&[u8]>, Corruption> {
        Ok(self.next_with_end()?.map(|(record, _)| record))
    }

    /// Passes over the next record without unpacking it; says whether there was one.
    pub(crate) fn skip_record(&mut self) -> Result<bool, Corruption> {
        if self.failed {
            return Ok(false);
        }
        match self.gather() {
            Ok(gathered) => {
                self.good = self.offset;
                Ok(gathered.is_some())
            }
            Err(detail) => {
                self.failed = true;
                Err(Corruption { offset: self.good as u64, detail })
            }
        }
    }

    /// The next record with where it ends.
    pub(crate) fn next_with_end(&mut self) -> Result<Option<(&[u8], u64)>, Corruption> {
        if self.failed {
            return Ok(None);
        }
        match self.assemble() {
            Ok(None) => Ok(None),
            Ok(Some(compression)) => {
                self.good = self.offset;
                let record = match compression {
                    Compression::None => &self.stored,
                    _ => &self.unpacked,
                };
                Ok(Some((record, self.good as u64)))
            }
            Err(detail) => {
                self.failed = true;
                Err(Corruption { offset: self.good as u64, detail })
            }
        }
    }

    /// The end of the last record that was read.
    pub fn offset(&self) -> u64 {
        self.good as u64
    }

    /// Puts the next record together; says whether it is in `stored` or `unpacked`.
    fn assemble(&mut self) -> Result<Option<Compression>, String> {
        let Some(compression) = self.gather()? else { return Ok(None) };
        if compression == Compression::None || self.stored.is_empty() {
            return Ok(Some(Compression::None));
        }
        compression.unpack(&self.stored, &mut self.unpacked)?;
        Ok(Some(compression))
    }

    /// Gathers the fragments of the next record in `stored`; says how it is packed.
    fn gather(&mut self) -> Result<Option<Compression>, String> {
        self.stored.clear();
        let mut compression = Compression::None;
        let mut n_fragments = 0;
        loop {
            if self.offset >= self.padded_len() {
                return match n_fragments {
                    0 => Ok(None),
                    _ => Err("last record is torn".to_owned()),
                };
            }
            let kind = self.byte_at(self.offset);
            let Some(fragment) = Fragment::from_header(kind) else {
                return Err(format!("unexpected fragment type {}", kind & 0b111));
            };
            if fragment == Fragment::PageEnd {
                self.skip_page_end()?;
                continue;
            }
            check_order(fragment, n_fragments)?;
            if n_fragments == 0 {
                compression = Compression::from_header(kind);
            }
            self.take_fragment()?;
            n_fragments += 1;
            if matches!(fragment, Fragment::Full | Fragment::Last) {
                return Ok(Some(compression));
            }
        }
    }

    /// Appends the data of the fragment at `offset` to `stored`.
    fn take_fragment(&mut self) -> Result<(), String> {
        let mut header = [0; HEADER_BYTES];
        self.copy(self.offset, &mut header)?;
        let [_, len @ .., c0, c1, c2, c3] = header;
        let len = usize::from(u16::from_be_bytes(len));
        let expected = u32::from_be_bytes([c0, c1, c2, c3]);
        if len > PAGE_BYTES - HEADER_BYTES {
            return Err(format!("invalid record size {len}"));
        }
        let begin = self.offset + HEADER_BYTES;
        let stored_before = self.stored.len();
        match self.bytes.get(begin..begin + len) {
            Some(data) => self.stored.extend_from_slice(data),
            None => {
                let mut data = vec![0; len];
                self.copy(begin, &mut data)?;
                self.stored.extend_from_slice(&data);
            }
        }
        let found = page::checksum(&self.stored[stored_before..]);
        if found != expected {
            return Err(format!("unexpected checksum {found:x}, expected {expected:x}"));
        }
        self.offset = begin + len;
        Ok(())
    }

    fn skip_page_end(&mut self) -> Result<(), String> {
        let end = (self.offset + 1).next_multiple_of(PAGE_BYTES);
        let rest = self.bytes.get(self.offset..end.min(self.bytes.len())).unwrap_or_default();
        if rest.iter().any(|byte| *byte != 0) {
            return Err("unexpected non-zero byte in padded page".to_owned());
        }
        self.offset = end;
        Ok(())
    }

    fn padded_len(&self) -> usize {
        self.bytes.len().next_multiple_of(PAGE_BYTES)
    }

    fn byte_at(&self, offset: usize) -> u8 {
        self.bytes.get(offset).copied().unwrap_or_default()
    }

    /// Fills `out` from `offset` on, with zeros behind the end of the file.
    fn copy(&self, offset: usize, out: &mut [u8]) -> Result<(), String> {
        if offset + out.len() > self.padded_len() {
            return Err("record is cut off".to_owned());
        }
        let there = self.bytes.get(offset..).unwrap_or_default();
        let n_bytes = there.len().min(out.len());
        out[..n_bytes].copy_from_slice(&there[..n_bytes]);
        Ok(())
    }
}

fn check_order(fragment: Fragment, n_before: usize) -> Result<(), String> {
    match (fragment, n_before) {
        (Fragment::Full, 1..) => Err("unexpected full record".to_owned()),
        (Fragment::First, 1..) => Err("unexpected first record".to_owned()),
        (Fragment::Middle, 0) => Err("unexpected middle record".to_owned()),
        (Fragment::Last, 0) => Err("unexpected last record".to_owned()),
        _ => Ok(()),
    }
}
