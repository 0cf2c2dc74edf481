//! How do several servers act as one? Who owns a target, who is live, who asks, who writes.
//!
//! Knows neither scraping nor storing: a scrape's outcome is bytes that it hands from one member
//! to the others, a series is a hash. Every decision is made by a pure core, `(now, input) →
//! outputs`, which `tests/simulation` drives through thousands of histories. Start at [`Cluster`],
//! the handle, and [`core::Core`], the mind.

pub mod acks;
mod cluster;
pub mod core;
mod error;
pub mod frame;
pub mod identity;
mod info;
pub mod lease;
mod link;
pub mod liveness;
mod member;
pub mod ownership;
mod payload;
pub mod sharing;

pub use cluster::{Cluster, Member, Options, Outcome, Status};
pub use error::{Error, Result};
pub use member::{MemberId, Moment};
