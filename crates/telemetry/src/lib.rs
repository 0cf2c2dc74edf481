//! How is Vesta itself doing? Its metrics under upstream's names, its logs as upstream prints them,
//! its traces.
//!
//! Knows nothing of exposition formats: [`Registry::gather`] gives neutral families, `api` renders
//! them. Start at [`Registry`] and [`log::start`].

mod family;
mod instruments;
pub mod log;
pub mod process;
mod registry;
mod summary;
#[cfg(test)]
mod tests;
pub mod trace;

pub use family::{Bucket, Family, Kind, Metric, Reading};
pub use instruments::{Counter, Gauge, Histogram};
pub use registry::{Registry, Vector};
pub use summary::Summary;
