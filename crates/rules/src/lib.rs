//! What follows from the data? Recording and alerting rules.
//!
//! Knows neither PromQL's engine nor where alerts go: it is handed something that answers
//! [`Query`]s, something that stores samples and something to [`Notify`]. Start at
//! [`file::parse`], [`Manager`] and [`alerting::Alerts`].

pub mod alerting;
pub mod dependencies;
pub mod file;
mod group;
mod manager;
mod metrics;
mod query;
pub mod recording;
mod status;
pub mod template;
#[cfg(test)]
mod tests;

pub use alerting::{Alert, State};
pub use group::{Definition, Group, Helpers, MadeUp, Settings, World};
pub use manager::{Manager, Recovery, Statuses};
pub use metrics::Metrics;
pub use query::{Notify, Query, RuleGroup, Sample, SampleValue};
pub use status::{GroupStatus, Health, RuleStatus};
