//! Where do samples live, and how do they survive a crash? The recent ones in the head, over a
//! write-ahead log; the older ones in blocks.
//!
//! Knows neither PromQL nor HTTP. A commit goes to the log first, then it becomes visible as a
//! whole. The head keeps series under numbers: labels are numbers of symbols, samples are chunks,
//! and postings say which series have a label. What is old enough leaves the head for a block, and
//! blocks become longer ones until they are too old. Start at [`Database`], then [`head`], then
//! [`compact`].

mod agent;
mod appender;
mod backfill;
mod catalog;
mod chunk_snapshot;
mod compact;
mod database;
mod delete;
mod error;
mod exemplars;
mod head;
mod head_chunks;
mod metadata;
mod numbers;
mod open;
mod options;
mod querier;
mod replay;
mod retention;
mod spill;
mod stats;
mod tombstones;
mod truncate;

#[cfg(test)]
mod tests;

pub use agent::{Agent, AgentCounters, AgentOptions};
pub use backfill::{Backfilled, History};
pub use database::{Database, Health};
pub use error::{Error, Result};
pub use exemplars::ExemplarCounters;
pub use options::{FloatEncoding, Options};
pub use replay::{ReadsDuringReplay, Replay, ReplayProgress, ReplayState};
pub use retention::{Retention, RetentionClass};
pub use stats::{Counters, HeadStats, Lateness};
pub use truncate::Truncation;
