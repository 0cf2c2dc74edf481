//! Samples ⇄ compressed bytes, in upstream's encodings.
//!
//! Knows neither series nor files: a chunk is a run of samples and the bytes that hold them. The
//! layouts are drawn in `docs/design/xor-chunk.md`. Start at [`XorChunk`], which grows a chunk, and
//! [`decode`], which reads one.

mod bits;
mod encoding;
mod error;
mod float;
pub mod histogram;
mod starts;
mod varbit;
pub mod xor;
pub mod xor2;

pub use encoding::{Encoding, decode, decode_with_starts, n_samples};
pub use error::{Error, Result};
pub use xor::XorChunk;
pub use xor2::Xor2Chunk;
