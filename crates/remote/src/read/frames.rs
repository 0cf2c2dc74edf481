//! Frames of a streamed answer: length, checksum, message.

use stdx::cursor::{Cursor, push_uvarint};

/// Why a stream cannot be read on; the words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("chunkedReader: message size exceeded the limit {limit} bytes; got: {found} bytes")]
    TooLarge { limit: u64, found: u64 },
    #[error("chunkedReader: corrupted frame; checksum mismatch")]
    Checksum,
    #[error("unexpected EOF")]
    Truncated,
}

/// Appends a frame; an empty message makes none.
pub(super) fn push_frame(out: &mut Vec<u8>, message: &[u8]) {
    if message.is_empty() {
        return;
    }
    push_uvarint(out, message.len() as u64);
    out.extend_from_slice(&checksum(message).to_be_bytes());
    out.extend_from_slice(message);
}

/// The next message of `stream`, nothing at its end.
pub(super) fn take_frame<'a>(
    stream: &mut Cursor<'a>,
    limit: u64,
) -> Result<Option<&'a [u8]>, FrameError> {
    if stream.is_empty() {
        return Ok(None);
    }
    let found = stream.uvarint().ok_or(FrameError::Truncated)?;
    if found > limit {
        return Err(FrameError::TooLarge { limit, found });
    }
    let expected = stream.u32().ok_or(FrameError::Truncated)?;
    let len = usize::try_from(found).map_err(|_| FrameError::Truncated)?;
    let message = stream.bytes(len).ok_or(FrameError::Truncated)?;
    if checksum(message) != expected {
        return Err(FrameError::Checksum);
    }
    Ok(Some(message))
}

/// CRC-32C.
fn checksum(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32
}
