//! LZW as Go's `compress/lzw` does it: least significant bit first, eight-bit literals.

use stdx::cursor::Cursor;
use weezl::{BitOrder, LzwStatus, decode, encode};

use super::{kind, msgpack};
use crate::{Error, Result};

/// Larger, nothing is taken; upstream's limit.
pub(crate) const PLAIN_BYTES_MAX: usize = 2 * 20 * 1024 * 1024;

const LITERAL_BITS: u8 = 8;
/// Plain bytes that are made room for at a time.
const STEP_BYTES: usize = 64 * 1024;

/// The message that holds `plain` compressed.
pub(crate) fn wrap(plain: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::with_capacity(plain.len() / 2 + 16);
    let mut encoder = encode::Encoder::new(BitOrder::Lsb, LITERAL_BITS);
    let done = encoder.into_vec(&mut compressed).encode_all(plain).status;
    stdx::never!(done.is_err());
    let mut out = Vec::with_capacity(compressed.len() + 20);
    out.push(kind::COMPRESSED);
    msgpack::write_map(&mut out, 2);
    msgpack::write_raw(&mut out, b"Algo");
    msgpack::write_unsigned(&mut out, 0);
    msgpack::write_raw(&mut out, b"Buf");
    msgpack::write_raw(&mut out, &compressed);
    out
}

/// Undoes [`wrap`], the type byte being read; gives at most `limit` bytes.
pub(crate) fn unwrap(cursor: &mut Cursor<'_>, limit: usize) -> Result<Vec<u8>> {
    let mut algorithm = 0_u8;
    let mut compressed: &[u8] = &[];
    msgpack::read_map(cursor, "compressed message", |key, value| {
        match key {
            b"Algo" => algorithm = value.number("Algo")?,
            b"Buf" => compressed = value.raw("Buf")?.unwrap_or_default(),
            _ => {}
        }
        Ok(())
    })?;
    if algorithm != 0 {
        return Err(Error::Malformed("compression algorithm"));
    }
    decompress(compressed, limit)
}

pub(crate) fn decompress(mut compressed: &[u8], limit: usize) -> Result<Vec<u8>> {
    let mut decoder = decode::Decoder::new(BitOrder::Lsb, LITERAL_BITS);
    let mut plain = Vec::new();
    loop {
        let n_plain = plain.len();
        // One byte more, to tell what just fits from what does not.
        plain.resize((n_plain + STEP_BYTES).min(limit + 1), 0);
        let result = decoder.decode_bytes(compressed, &mut plain[n_plain..]);
        compressed = &compressed[result.consumed_in..];
        plain.truncate(n_plain + result.consumed_out);
        if plain.len() > limit {
            return Err(Error::TooLarge { what: "decompressed message", limit });
        }
        match result.status {
            Ok(LzwStatus::Done) => return Ok(plain),
            Ok(LzwStatus::Ok) => {}
            // Without its end mark a message is not whole, and no more of it will come.
            Ok(LzwStatus::NoProgress) | Err(_) => {
                return Err(Error::Malformed("compressed message"));
            }
        }
    }
}
