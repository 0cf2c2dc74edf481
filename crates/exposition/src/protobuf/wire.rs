//! Fields of a message, read in place.

use stdx::cursor::Cursor;

use crate::{Error, Result};

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    /// Of a width that no field of ours has.
    Other,
}

/// Number and value of each field, in the order of the bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(Cursor<'a>);

const CUT_OFF: Error = Error::Protobuf("message is cut off");

impl<'a> Fields<'a> {
    pub(super) fn new(message: &'a [u8]) -> Fields<'a> {
        Fields(Cursor::new(message))
    }

    fn field(&mut self) -> Result<(u64, Value<'a>)> {
        let tag = self.0.uvarint().ok_or(CUT_OFF)?;
        let value = match tag & 7 {
            0 => Value::Varint(self.0.uvarint().ok_or(CUT_OFF)?),
            1 => {
                let bytes = self.0.bytes(8).ok_or(CUT_OFF)?;
                Value::Fixed64(u64::from_le_bytes(bytes.try_into().map_err(|_| CUT_OFF)?))
            }
            2 => Value::Bytes(delimited(&mut self.0)?),
            5 => {
                self.0.bytes(4).ok_or(CUT_OFF)?;
                Value::Other
            }
            _ => return Err(Error::Protobuf("unknown wire type")),
        };
        Ok((tag >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() { None } else { Some(self.field()) }
    }
}

/// Bytes behind their length.
pub(super) fn delimited<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8]> {
    let len = cursor.uvarint().ok_or(CUT_OFF)?;
    let len = usize::try_from(len).map_err(|_| CUT_OFF)?;
    cursor.bytes(len).ok_or(CUT_OFF)
}

impl<'a> Value<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(Error::Protobuf("field is no message")),
        }
    }

    pub(super) fn text(self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Error::Protobuf("text is not UTF-8"))
    }

    pub(super) fn float(self) -> Result<f64> {
        match self {
            Value::Fixed64(bits) => Ok(f64::from_bits(bits)),
            _ => Err(Error::Protobuf("field is no float")),
        }
    }

    pub(super) fn uint(self) -> Result<u64> {
        match self {
            Value::Varint(number) => Ok(number),
            _ => Err(Error::Protobuf("field is no integer")),
        }
    }

    pub(super) fn int(self) -> Result<i64> {
        Ok(self.uint()? as i64)
    }

    /// Zig-zag.
    pub(super) fn sint(self) -> Result<i64> {
        let number = self.uint()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// Numbers of a repeated field: one, or many packed in bytes.
    pub(super) fn each_sint(self, mut take: impl FnMut(i64)) -> Result<()> {
        let Value::Bytes(packed) = self else {
            take(self.sint()?);
            return Ok(());
        };
        let mut cursor = Cursor::new(packed);
        while !cursor.is_empty() {
            take(Value::Varint(cursor.uvarint().ok_or(CUT_OFF)?).sint()?);
        }
        Ok(())
    }

    pub(super) fn each_float(self, mut take: impl FnMut(f64)) -> Result<()> {
        let Value::Bytes(packed) = self else {
            take(self.float()?);
            return Ok(());
        };
        let chunks = packed.chunks_exact(8);
        if !chunks.remainder().is_empty() {
            return Err(CUT_OFF);
        }
        for chunk in chunks {
            take(f64::from_le_bytes(chunk.try_into().map_err(|_| CUT_OFF)?));
        }
        Ok(())
    }
}
