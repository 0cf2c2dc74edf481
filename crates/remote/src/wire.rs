//! Protobuf as it lies in memory: fields are read in place, nothing is copied.

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("unexpected EOF")]
    Truncated,
    #[error("proto: integer overflow")]
    Overflow,
    #[error("proto: illegal tag 0")]
    Tag,
    #[error("proto: wrong wireType = {found} for field {field}")]
    WireType { field: u32, found: u8 },
    /// More than anybody needs, and more than is good for us.
    #[error("too many {0}")]
    TooMany(&'static str),
}

pub(crate) type Result<T, E = Malformed> = std::result::Result<T, E>;

/// What is left of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

/// A field with its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    value: Value<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Fields<'a> {
        Fields { rest: bytes }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Field<'a>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| Malformed::Overflow)?;
        if number == 0 {
            return Err(Malformed::Tag);
        }
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.fixed()?)),
            2 => {
                let len = self.varint()?;
                let len = usize::try_from(len).map_err(|_| Malformed::Overflow)?;
                let (bytes, rest) = self.rest.split_at_checked(len).ok_or(Malformed::Truncated)?;
                self.rest = rest;
                Value::Bytes(bytes)
            }
            5 => {
                self.fixed::<4>()?;
                Value::Fixed32
            }
            found => return Err(Malformed::WireType { field: number, found: found as u8 }),
        };
        Ok(Some(Field { number, value }))
    }

    #[inline]
    fn varint(&mut self) -> Result<u64> {
        take_varint(&mut self.rest)
    }

    #[inline]
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*bytes)
    }
}

impl<'a> Field<'a> {
    #[inline]
    pub(crate) fn bytes(&self) -> Result<&'a [u8]> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(self.wrong_type()),
        }
    }

    #[inline]
    pub(crate) fn number(&self) -> Result<u64> {
        match self.value {
            Value::Varint(number) => Ok(number),
            _ => Err(self.wrong_type()),
        }
    }

    #[inline]
    pub(crate) fn double(&self) -> Result<f64> {
        match self.value {
            Value::Fixed64(bits) => Ok(f64::from_bits(bits)),
            _ => Err(self.wrong_type()),
        }
    }

    /// A number of eight bytes.
    #[inline]
    pub(crate) fn fixed64(&self) -> Result<u64> {
        match self.value {
            Value::Fixed64(bits) => Ok(bits),
            _ => Err(self.wrong_type()),
        }
    }

    /// A signed number in zig-zag.
    pub(crate) fn zigzag(&self) -> Result<i64> {
        Ok(from_zigzag(self.number()?))
    }

    /// Hands each number of a repeated field to `each`, packed or not.
    pub(crate) fn numbers(&self, mut each: impl FnMut(u64)) -> Result<()> {
        match self.value {
            Value::Varint(number) => each(number),
            Value::Bytes(mut packed) => {
                while !packed.is_empty() {
                    each(take_varint(&mut packed)?);
                }
            }
            _ => return Err(self.wrong_type()),
        }
        Ok(())
    }

    /// Hands each float of a repeated field to `each`, packed or not.
    pub(crate) fn doubles(&self, mut each: impl FnMut(f64)) -> Result<()> {
        self.fixed64s(|bits| each(f64::from_bits(bits)))
    }

    /// Hands each number of eight bytes of a repeated field to `each`, packed or not.
    pub(crate) fn fixed64s(&self, mut each: impl FnMut(u64)) -> Result<()> {
        match self.value {
            Value::Fixed64(bits) => each(bits),
            Value::Bytes(packed) => {
                let (numbers, rest) = packed.as_chunks::<8>();
                if !rest.is_empty() {
                    return Err(Malformed::Truncated);
                }
                numbers.iter().for_each(|bytes| each(u64::from_le_bytes(*bytes)));
            }
            _ => return Err(self.wrong_type()),
        }
        Ok(())
    }

    #[cold]
    fn wrong_type(&self) -> Malformed {
        let found = match self.value {
            Value::Varint(_) => 0,
            Value::Fixed64(_) => 1,
            Value::Bytes(_) => 2,
            Value::Fixed32 => 5,
        };
        Malformed::WireType { field: self.number, found }
    }
}

pub(crate) fn from_zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[inline]
fn take_varint(rest: &mut &[u8]) -> Result<u64> {
    // Tags and most lengths are one byte.
    match rest.first() {
        Some(byte) if *byte < 0x80 => {
            *rest = &rest[1..];
            Ok(u64::from(*byte))
        }
        _ => take_long_varint(rest),
    }
}

fn take_long_varint(rest: &mut &[u8]) -> Result<u64> {
    let mut number = 0u64;
    for (idx, byte) in rest.iter().enumerate() {
        if idx == 9 && *byte > 1 {
            return Err(Malformed::Overflow);
        }
        number |= u64::from(byte & 0x7f) << (7 * idx);
        if *byte < 0x80 {
            *rest = &rest[idx + 1..];
            return Ok(number);
        }
    }
    Err(Malformed::Truncated)
}
