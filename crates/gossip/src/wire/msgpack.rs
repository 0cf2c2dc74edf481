//! The dialect of msgpack that Go's memberlist speaks: structs are maps with sorted keys, texts and
//! bytes share the old raw family. Readers take whatever any version writes.

use stdx::cursor::Cursor;

use crate::{Error, Result};

/// A struct of so many fields follows.
pub(crate) fn write_map(out: &mut Vec<u8>, n_fields: u8) {
    debug_assert!(n_fields < 16);
    out.push(0x80 | n_fields);
}

pub(crate) fn write_raw(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        len @ 0..32 => out.push(0xa0 | len as u8),
        len @ 32..0x1_0000 => {
            out.push(0xda);
            out.extend((len as u16).to_be_bytes());
        }
        len => {
            out.push(0xdb);
            out.extend((len as u32).to_be_bytes());
        }
    }
    out.extend(bytes);
}

/// Go tells a missing byte slice from an empty one.
pub(crate) fn write_optional_raw(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => write_raw(out, bytes),
        None => out.push(0xc0),
    }
}

pub(crate) fn write_bool(out: &mut Vec<u8>, value: bool) {
    out.push(if value { 0xc3 } else { 0xc2 });
}

/// A field that is unsigned in Go.
pub(crate) fn write_unsigned(out: &mut Vec<u8>, value: u32) {
    match value {
        0..0x80 => out.push(value as u8),
        0x80..0x100 => out.extend([0xcc, value as u8]),
        0x100..0x1_0000 => {
            out.push(0xcd);
            out.extend((value as u16).to_be_bytes());
        }
        _ => {
            out.push(0xce);
            out.extend(value.to_be_bytes());
        }
    }
}

/// A length or state, which are signed in Go; upstream writes large ones as signed numbers.
pub(crate) fn write_signed(out: &mut Vec<u8>, value: usize) {
    match value {
        0..0x80 => out.push(value as u8),
        0x80..0x8000 => {
            out.push(0xd1);
            out.extend((value as i16).to_be_bytes());
        }
        0x8000..0x8000_0000 => {
            out.push(0xd2);
            out.extend((value as i32).to_be_bytes());
        }
        _ => {
            out.push(0xd3);
            out.extend((value as i64).to_be_bytes());
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Nil,
    Bool(bool),
    /// Any width, either signedness.
    Number(i128),
    Raw(&'a [u8]),
    /// Lists, maps, floats, extensions: no field of ours has one.
    Other,
}

impl<'a> Value<'a> {
    pub(crate) fn number<T: TryFrom<i128> + Default>(self, what: &'static str) -> Result<T> {
        match self {
            Value::Number(number) => T::try_from(number).map_err(|_| Error::Malformed(what)),
            Value::Nil => Ok(T::default()),
            _ => Err(Error::Malformed(what)),
        }
    }

    pub(crate) fn bool(self, what: &'static str) -> Result<bool> {
        match self {
            Value::Bool(value) => Ok(value),
            Value::Nil => Ok(false),
            _ => Err(Error::Malformed(what)),
        }
    }

    pub(crate) fn raw(self, what: &'static str) -> Result<Option<&'a [u8]>> {
        match self {
            Value::Raw(bytes) => Ok(Some(bytes)),
            Value::Nil => Ok(None),
            _ => Err(Error::Malformed(what)),
        }
    }

    pub(crate) fn text(self, what: &'static str) -> Result<String> {
        let bytes = self.raw(what)?.unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|_| Error::Malformed(what))?;
        Ok(text.to_owned())
    }
}

/// Reads a struct: calls `field` with each key and value, in whatever order they come.
pub(crate) fn read_map<'a>(
    cursor: &mut Cursor<'a>,
    what: &'static str,
    mut field: impl FnMut(&'a [u8], Value<'a>) -> Result<()>,
) -> Result<()> {
    let truncated = || Error::Truncated(what);
    let n_fields = match cursor.byte().ok_or_else(truncated)? {
        head @ 0x80..=0x8f => u32::from(head & 0x0f),
        0xde => u32::from(u16(cursor).ok_or_else(truncated)?),
        0xdf => cursor.u32().ok_or_else(truncated)?,
        0xc0 => 0,
        _ => return Err(Error::Malformed(what)),
    };
    // No allocation follows from this number, and each field costs its sender two bytes.
    for _ in 0..n_fields {
        let Value::Raw(key) = read_value(cursor, what)? else {
            return Err(Error::Malformed(what));
        };
        field(key, read_value(cursor, what)?)?;
    }
    Ok(())
}

fn read_value<'a>(cursor: &mut Cursor<'a>, what: &'static str) -> Result<Value<'a>> {
    read_head(cursor, what).and_then(|(value, n_inside)| {
        if n_inside > 0 {
            skip(cursor, n_inside, what)?;
        }
        Ok(value)
    })
}

/// Passes over so many values, without recursion.
fn skip(cursor: &mut Cursor<'_>, n_values: u64, what: &'static str) -> Result<()> {
    let mut n_left = n_values;
    while n_left > 0 {
        let (_, n_inside) = read_head(cursor, what)?;
        n_left = n_left - 1 + n_inside;
    }
    Ok(())
}

/// A value, or the head of a list or map and how many values are inside.
fn read_head<'a>(cursor: &mut Cursor<'a>, what: &'static str) -> Result<(Value<'a>, u64)> {
    read_head_or_end(cursor).ok_or(Error::Truncated(what))?.ok_or(Error::Malformed(what))
}

/// Outer `None`: the bytes end; inner `None`: no such head.
#[expect(clippy::option_option, reason = "an early end is told from nonsense with `?`")]
fn read_head_or_end<'a>(cursor: &mut Cursor<'a>) -> Option<Option<(Value<'a>, u64)>> {
    let number = |number: i128| Some(Some((Value::Number(number), 0)));
    let other = |n_inside: u64| Some(Some((Value::Other, n_inside)));
    match cursor.byte()? {
        head @ 0x00..=0x7f => number(i128::from(head)),
        head @ 0x80..=0x8f => other(2 * u64::from(head & 0x0f)),
        head @ 0x90..=0x9f => other(u64::from(head & 0x0f)),
        head @ 0xa0..=0xbf => raw(cursor, u64::from(head & 0x1f)),
        0xc0 => Some(Some((Value::Nil, 0))),
        0xc1 => Some(None),
        head @ (0xc2 | 0xc3) => Some(Some((Value::Bool(head == 0xc3), 0))),
        0xc4 | 0xd9 => {
            let len = u64::from(cursor.byte()?);
            raw(cursor, len)
        }
        0xc5 | 0xda => {
            let len = u64::from(u16(cursor)?);
            raw(cursor, len)
        }
        0xc6 | 0xdb => {
            let len = u64::from(cursor.u32()?);
            raw(cursor, len)
        }
        head @ 0xc7..=0xc9 => {
            let len = match head {
                0xc7 => usize::from(cursor.byte()?),
                0xc8 => usize::from(u16(cursor)?),
                _ => cursor.u32()? as usize,
            };
            cursor.bytes(len.checked_add(1)?)?;
            other(0)
        }
        0xca => skip_bytes(cursor, 4),
        0xcb => skip_bytes(cursor, 8),
        0xcc => number(i128::from(cursor.byte()?)),
        0xcd => number(i128::from(u16(cursor)?)),
        0xce => number(i128::from(cursor.u32()?)),
        0xcf => number(i128::from(cursor.u64()?)),
        0xd0 => number(i128::from(cursor.byte()? as i8)),
        0xd1 => number(i128::from(u16(cursor)? as i16)),
        0xd2 => number(i128::from(cursor.u32()? as i32)),
        0xd3 => number(i128::from(cursor.u64()? as i64)),
        head @ 0xd4..=0xd8 => skip_bytes(cursor, 1 + (1 << (head - 0xd4))),
        0xdc => other(u64::from(u16(cursor)?)),
        0xdd => other(u64::from(cursor.u32()?)),
        0xde => other(2 * u64::from(u16(cursor)?)),
        0xdf => other(2 * u64::from(cursor.u32()?)),
        head @ 0xe0..=0xff => number(i128::from(head as i8)),
    }
}

#[expect(clippy::option_option, reason = "as its only caller")]
fn raw<'a>(cursor: &mut Cursor<'a>, len: u64) -> Option<Option<(Value<'a>, u64)>> {
    let bytes = cursor.bytes(usize::try_from(len).ok()?)?;
    Some(Some((Value::Raw(bytes), 0)))
}

#[expect(clippy::option_option, reason = "as its only caller")]
fn skip_bytes<'a>(cursor: &mut Cursor<'a>, len: usize) -> Option<Option<(Value<'a>, u64)>> {
    cursor.bytes(len)?;
    Some(Some((Value::Other, 0)))
}

fn u16(cursor: &mut Cursor<'_>) -> Option<u16> {
    let bytes = cursor.bytes(2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}
