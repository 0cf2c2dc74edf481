//! Decompression of bytes from outside, through a cap.

use std::io::{self, Read};

/// Decompresses gzip (all members) into `out`; an error once more than `limit` bytes came out.
#[expect(clippy::disallowed_types, reason = "this is the capped door to the raw decoder")]
pub fn gunzip(compressed: &[u8], limit: usize, out: &mut Vec<u8>) -> io::Result<()> {
    read_to_end(flate2::read::MultiGzDecoder::new(compressed), limit, out)
}

/// Reads all of `reader` into `out`; an error once more than `limit` bytes came out.
pub fn read_to_end(reader: impl Read, limit: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let before = out.len();
    reader.take(limit as u64 + 1).read_to_end(out)?;
    if out.len() - before > limit {
        out.truncate(before);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, LimitExceeded { limit }));
    }
    Ok(())
}

/// More bytes came out than the caller allowed.
#[derive(Debug)]
pub struct LimitExceeded {
    pub limit: usize,
}

impl std::fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "decompressed data is larger than {} bytes", self.limit)
    }
}

impl std::error::Error for LimitExceeded {}
