//! Samples ⇄ compressed bytes, in upstream's encodings.
//!
//! Knows neither series nor files: a chunk is a run of samples and the bytes that hold them. The
//! layout is drawn in `docs/design/xor-chunk.md`. Start at [`XorChunk`], which grows a chunk, and
//! [`decode`], which reads one.

mod bits;
mod encoding;
mod error;
mod float;
pub mod histogram;
mod varbit;
pub mod xor;

pub use encoding::{Encoding, decode, n_samples};
pub use error::{Error, Result};
pub use xor::XorChunk;
