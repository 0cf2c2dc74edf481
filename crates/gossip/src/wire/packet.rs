//! Packets: label, checksum, compression and several messages in one, from the outside in.

use stdx::cursor::Cursor;

use super::{compression, kind, message::Message};
use crate::{Error, Result};

/// Nobody sends packets that are larger, also not when they are plain again.
pub const PLAIN_BYTES_MAX: usize = 1 << 20;
/// Compressed in compressed, many in one of many: upstream writes two levels at most.
const DEPTH_MAX: usize = 4;
/// What a part costs in a packet of several.
pub const PART_OVERHEAD: usize = 2;
/// What a packet of several costs.
pub const COMPOUND_OVERHEAD: usize = 2;
/// So many fit in one, for their number is a byte.
pub const PARTS_MAX: usize = 255;
pub const LABEL_BYTES_MAX: usize = 255;

/// What a label costs in every packet.
pub fn label_overhead(label: &str) -> usize {
    if label.is_empty() { 0 } else { 2 + label.len() }
}

/// Says before whom the bytes that follow are meant.
pub fn write_label(out: &mut Vec<u8>, label: &str) {
    debug_assert!(label.len() <= LABEL_BYTES_MAX);
    if !label.is_empty() {
        out.push(kind::LABEL);
        out.push(label.len() as u8);
        out.extend(label.as_bytes());
    }
}

/// The label of a packet, or none, and what follows.
pub fn split_label(packet: &[u8]) -> Result<(&[u8], &[u8])> {
    let mut cursor = Cursor::new(packet);
    if packet.first() != Some(&kind::LABEL) {
        return Ok((&[], packet));
    }
    cursor.byte();
    let len = cursor.byte().ok_or(Error::Truncated("label"))?;
    if len == 0 {
        return Err(Error::Malformed("label"));
    }
    let label = cursor.bytes(usize::from(len)).ok_or(Error::Truncated("label"))?;
    Ok((label, cursor.rest()))
}

/// A packet of one message, or of what [`join`] made of several.
pub fn wrap(label: &str, body: Vec<u8>, has_checksum: bool) -> Vec<u8> {
    let compressed = compression::wrap(&body);
    let body = if compressed.len() < body.len() { compressed } else { body };
    if label.is_empty() && !has_checksum {
        return body;
    }
    let mut packet = Vec::with_capacity(label_overhead(label) + 5 + body.len());
    write_label(&mut packet, label);
    if has_checksum {
        packet.push(kind::CHECKSUM);
        packet.extend(checksum(&body).to_be_bytes());
    }
    packet.extend(body);
    packet
}

/// Several messages as one; at most [`PARTS_MAX`].
pub fn join(parts: &[Vec<u8>]) -> Vec<u8> {
    debug_assert!(parts.len() <= PARTS_MAX);
    let mut joined = vec![kind::COMPOUND, parts.len() as u8];
    for part in parts {
        joined.extend((part.len() as u16).to_be_bytes());
    }
    for part in parts {
        joined.extend(part);
    }
    joined
}

/// Calls `each` with every message of a packet. One that is broken does not hide the others; the
/// first complaint is returned in the end.
pub fn read(label: &str, packet: &[u8], mut each: impl FnMut(Message<'_>)) -> Result<()> {
    let (theirs, body) = split_label(packet)?;
    if theirs != label.as_bytes() {
        return Err(Error::Label(String::from_utf8_lossy(theirs).into_owned()));
    }
    let mut cursor = Cursor::new(body);
    let body = if body.first() == Some(&kind::CHECKSUM) {
        cursor.byte();
        let expected = cursor.u32().ok_or(Error::Truncated("checksum"))?;
        let actual = checksum(cursor.rest());
        if actual != expected {
            return Err(Error::Checksum { expected, actual });
        }
        cursor.rest()
    } else {
        body
    };
    let mut budget = PLAIN_BYTES_MAX;
    read_body(body, 0, &mut budget, &mut each)
}

fn read_body(
    body: &[u8],
    depth: usize,
    budget: &mut usize,
    each: &mut impl FnMut(Message<'_>),
) -> Result<()> {
    if depth > DEPTH_MAX {
        return Err(Error::Malformed("nested messages"));
    }
    let mut cursor = Cursor::new(body);
    match body.first() {
        Some(&kind::COMPRESSED) => {
            cursor.byte();
            let plain = compression::unwrap(&mut cursor, *budget)?;
            *budget -= plain.len();
            read_body(&plain, depth + 1, budget, each)
        }
        Some(&kind::COMPOUND) => {
            cursor.byte();
            let (parts, mut outcome) = split(cursor.rest())?;
            for part in parts {
                let read = read_body(part, depth + 1, budget, each);
                outcome = outcome.and(read);
            }
            outcome
        }
        _ => {
            each(Message::parse(body)?);
            Ok(())
        }
    }
}

/// The parts of a joined message that are whole, and whether all were.
pub(crate) fn split(body: &[u8]) -> Result<(Vec<&[u8]>, Result<()>)> {
    let mut cursor = Cursor::new(body);
    let n_parts = usize::from(cursor.byte().ok_or(Error::Truncated("number of parts"))?);
    let lens = cursor.bytes(2 * n_parts).ok_or(Error::Truncated("lengths of parts"))?;
    let mut parts = Vec::with_capacity(n_parts);
    for len in lens.chunks_exact(2) {
        match cursor.bytes(usize::from(u16::from_be_bytes([len[0], len[1]]))) {
            Some(part) => parts.push(part),
            None => return Ok((parts, Err(Error::Truncated("part")))),
        }
    }
    Ok((parts, Ok(())))
}

/// CRC-32 of the IEEE.
fn checksum(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes) as u32
}
