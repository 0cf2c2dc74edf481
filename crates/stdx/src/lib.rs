//! What we wish std had. Stays small.
//!
//! Knows nothing of Prometheus. [`never!`] is for what must not happen, [`capped`] for bytes
//! from outside, [`cursor`] reads numbers in them.

pub mod capped;
pub mod cursor;
mod never;

pub use never::{never_count, report_never};
