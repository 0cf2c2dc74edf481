//! What follows from the data? Recording and alerting rules.
//!
//! Knows neither PromQL's engine nor where alerts go: it is handed something that answers
//! [`Query`]s, something that stores samples and something to [`Notify`]. Start at
//! [`file::parse`] and [`template::Expander`].

pub mod file;
mod query;
pub mod template;

pub use query::{Query, Sample, SampleValue};
