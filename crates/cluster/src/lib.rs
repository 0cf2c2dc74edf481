//! How do several servers act as one? Who owns a target, who is live, who fetches, who writes.
//!
//! Knows neither scraping nor storing: a scrape's outcome is bytes that it hands from one member
//! to the others, a series is a hash. Every decision is made by a pure core, `(now, input) →
//! outputs`, which `tests/simulation` drives through thousands of histories. Start at
//! [`ownership`].

pub mod acks;
pub mod core;
pub mod frame;
pub mod lease;
pub mod liveness;
mod member;
pub mod ownership;
pub mod sharing;

pub use member::{MemberId, Moment};
