//! What do the targets say? Pools, loops, limits, staleness.
//!
//! Knows neither discovery nor files: groups of targets come in, samples go to
//! [`storage::Appendable`]. Start at [`Manager`], then [`Config`].

mod config;
mod error;
mod manager;
mod status;

pub use config::Config;
pub use error::{Error, Result};
pub use manager::{Manager, Options, TargetGroups};
pub use status::{Health, PoolStatus, TargetStatus};
