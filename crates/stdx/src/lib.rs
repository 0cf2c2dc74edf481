//! What we wish std had. Stays small.
//!
//! Knows nothing of Prometheus. [`never!`] is for what must not happen, [`capped`] for bytes
//! from outside.

pub mod capped;
mod never;

pub use never::{never_count, report_never};
