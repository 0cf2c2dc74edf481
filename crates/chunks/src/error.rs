use crate::Encoding;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a chunk could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("decode {encoding:?} chunk: {detail} in sample {sample_idx}")]
    Corrupt { encoding: Encoding, sample_idx: usize, detail: &'static str },
    #[error("decode chunk: unknown encoding {0}")]
    UnknownEncoding(u8),
    #[error("decode {0:?} chunk: the encoding is not supported")]
    Unsupported(Encoding),
}
