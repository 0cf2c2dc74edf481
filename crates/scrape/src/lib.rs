//! What do the targets say? Pools, loops, limits, staleness.
//!
//! Knows neither discovery nor files: groups of targets come in, samples go to
//! [`storage::Appendable`]. Start at [`Manager`], then [`Config`].

mod cache;
mod config;
mod error;
mod failure_log;
mod fetch;
mod ingest;
mod labels;
mod manager;
mod metadata;
mod metrics;
mod pool;
mod report;
mod schedule;
mod scrape_loop;
mod shared;
mod status;
mod target;
#[cfg(test)]
mod tests;

pub use config::Config;
pub use error::{Error, Result};
pub use labels::preview;
pub use manager::{Manager, Options, TargetGroups};
pub use shared::{SharedAnswer, Sharing};
pub use status::{Health, PoolStatus, TargetStatus};
