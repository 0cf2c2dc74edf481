//! What do the targets say? Pools, loops, limits, staleness.
//!
//! Knows neither discovery nor files: groups of targets come in, samples go to
//! [`storage::Appendable`]. Start at [`Config`].

mod config;

pub use config::Config;
