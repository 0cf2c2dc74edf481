//! Numbers and texts in bytes, as Go's `encoding/binary` lays them out.

/// Reads bytes from outside; `None` where they end, and nothing is moved then.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { rest: bytes }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }

    pub fn byte(&mut self) -> Option<u8> {
        Some(self.bytes(1)?[0])
    }

    /// Big-endian.
    pub fn u32(&mut self) -> Option<u32> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(u32::from_be_bytes(*bytes))
    }

    /// Big-endian.
    pub fn u64(&mut self) -> Option<u64> {
        let (bytes, rest) = self.rest.split_first_chunk::<8>()?;
        self.rest = rest;
        Some(u64::from_be_bytes(*bytes))
    }

    /// Seven bits a byte, least significant first, at most 64 bits.
    pub fn uvarint(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for (idx, byte) in self.rest.iter().enumerate().take(10) {
            if idx == 9 && *byte > 1 {
                return None;
            }
            number |= u64::from(byte & 0x7f) << (7 * idx);
            if *byte < 0x80 {
                self.rest = &self.rest[idx + 1..];
                return Some(number);
            }
        }
        None
    }

    /// Zig-zag: small numbers of either sign are short.
    pub fn varint(&mut self) -> Option<i64> {
        let number = self.uvarint()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// Bytes behind their number.
    pub fn sized(&mut self) -> Option<&'a [u8]> {
        let before = self.rest;
        let len = self.uvarint()?;
        let bytes = usize::try_from(len).ok().and_then(|len| self.bytes(len));
        if bytes.is_none() {
            self.rest = before;
        }
        bytes
    }
}

/// What [`Cursor::uvarint`] reads.
pub fn push_uvarint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 & 0x7f | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// What [`Cursor::varint`] reads.
pub fn push_varint(out: &mut Vec<u8>, number: i64) {
    push_uvarint(out, (number << 1 ^ number >> 63) as u64);
}

/// What [`Cursor::sized`] reads.
pub fn push_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    push_uvarint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_read() {
        let mut bytes = Vec::new();
        let numbers = [0, 1, 127, 128, 300, u64::MAX];
        let signed = [0, -1, 1, 63, -64, i64::MAX, i64::MIN];
        numbers.iter().for_each(|number| push_uvarint(&mut bytes, *number));
        signed.iter().for_each(|number| push_varint(&mut bytes, *number));
        push_sized(&mut bytes, b"text");
        let mut cursor = Cursor::new(&bytes);
        numbers.iter().for_each(|number| assert_eq!(cursor.uvarint(), Some(*number)));
        signed.iter().for_each(|number| assert_eq!(cursor.varint(), Some(*number)));
        assert_eq!(cursor.sized(), Some(&b"text"[..]));
        assert!(cursor.is_empty());
    }

    #[test]
    fn what_is_cut_off_or_too_large_is_not_read() {
        for bytes in [
            &[][..],
            &[0x80],
            &[0xff; 11],
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2],
        ] {
            assert_eq!(Cursor::new(bytes).uvarint(), None, "{bytes:?}");
        }
        let mut cursor = Cursor::new(&[5, 1, 2]);
        assert_eq!(cursor.sized(), None);
        assert_eq!(cursor.rest().len(), 3);
        assert_eq!(cursor.u32(), None);
    }
}
