//! What is there to scrape? One file a mechanism.
//!
//! Knows nothing of scraping: it hands out [`model::TargetGroup`]s by the name of whoever asked.
//! Start at [`Config`].

mod config;
pub mod file;

pub use config::Config;
