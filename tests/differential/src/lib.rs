//! Does Vesta answer as the real Prometheus does, whatever is asked?
//!
//! Random data goes to both by remote write, random queries are asked of both over HTTP, answers
//! are compared. A seed decides everything. The real one is the Prometheus of the search path,
//! 2.42 in Debian; [`Query`]s avoid what 3.x means to answer otherwise, or say how far answers may
//! differ:
//!
//! - Windows and lookbacks are open to the left since 3.0: no sample and no inner step of a
//!   subquery lies on a border, because samples, inner steps and evaluations lie at different
//!   fractions of a second, and subqueries are not nested.
//! - Sums are compensated since 3.0, `avg` divides such a sum: equal bits are asked for only where
//!   sums are exact, see [`Likeness`].
//! - Rates are extrapolated to where a counter was zero in one more case: counters are either far
//!   from zero or regular.
//! - `holt_winters` has another name; what came later (`first_over_time`, `fill`, arithmetic with
//!   durations, native histograms that are not experimental) is not asked.
//! - 2.42 has no notes on its answers: they are not compared.
//!
//! Start at [`Pair`]. Rules instead of queries: [`mixins`]. Files, and promtool instead of a server:
//! [`promtool`].
//! Requests over the whole API instead of queries: [`surface`].

#![expect(clippy::disallowed_methods, reason = "the test runs against the real world")]

mod dice;

mod data;
mod remote_write;

mod grammar;

mod compare;
mod pair;

pub mod mixins;
pub mod promtool;
pub mod surface;

pub use compare::difference;
pub use grammar::{Likeness, Query, Times};
pub use pair::{Pair, Report};
