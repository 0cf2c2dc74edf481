//! Where do recent samples live, and how do they survive a crash? In the head, over a write-ahead
//! log.
//!
//! Knows neither PromQL nor HTTP. A commit goes to the log first, then it becomes visible as a
//! whole. The head keeps series under numbers: labels are numbers of symbols, samples are chunks,
//! and postings say which series have a label. Start at [`Database`], then [`head`].

mod appender;
mod database;
mod error;
mod head;
mod options;
mod querier;
mod replay;
mod stats;
mod truncate;

#[cfg(test)]
mod tests;

pub use database::{Database, Health};
pub use error::{Error, Result};
pub use options::Options;
pub use replay::{ReplayProgress, ReplayState};
pub use stats::{Counters, HeadStats};
pub use truncate::Truncation;
