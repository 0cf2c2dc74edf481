//! Scrape bytes to samples and metadata; metric families to bytes.
//!
//! Knows neither targets nor storage. Start at [`Protocol`].

mod protocol;

pub use protocol::Protocol;
