//! What is there to scrape? One file a mechanism.
//!
//! Knows nothing of scraping: it hands out [`model::TargetGroup`]s by the name of whoever asked,
//! be it a job or a set of Alertmanagers. Start at [`Manager`], then [`Config`]; a new mechanism is
//! a file with a [`Discoverer`] and a line in `mechanism.rs`.

mod config;
pub mod file;
mod manager;
mod mechanism;
mod metrics;
mod publish;
#[cfg(test)]
mod tests;

pub use config::Config;
pub use manager::{Groups, Manager, Options};
pub use mechanism::{Discoverer, Updates};
pub use metrics::Metrics;
