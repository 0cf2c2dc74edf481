//! Snappy blocks from outside, through a cap.

/// Why a block was not unpacked; the words are those of the library that upstream uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("snappy: corrupt input")]
    Corrupt,
    #[error("snappy: decoded block is too large")]
    TooLarge,
}

/// No copy element gives more than 64 bytes, and none that does is shorter than three.
const GROWTH_MAX: usize = 22;

/// Unpacks `block`, up to `limit` bytes. What a block claims to hold is only believed as far as it
/// can hold it.
pub(crate) fn decode(block: &[u8], limit: usize) -> Result<Vec<u8>, Broken> {
    let len = snap::raw::decompress_len(block).map_err(|_| Broken::Corrupt)?;
    if len > limit {
        return Err(Broken::TooLarge);
    }
    if len > block.len().saturating_mul(GROWTH_MAX) {
        return Err(Broken::Corrupt);
    }
    let mut out = vec![0; len];
    match snap::raw::Decoder::new().decompress(block, &mut out) {
        Ok(written) if written == len => Ok(out),
        _ => Err(Broken::Corrupt),
    }
}
