//! What we are talking about: labels, matchers, samples, histograms, timestamps, durations.
//!
//! Knows neither where samples come from nor where they go. Start at [`Labels`], [`Matcher`] and
//! [`Timestamp`].

mod alert;
pub mod duration;
pub mod float;
pub mod histogram;
pub mod json;
pub mod labels;
mod matcher;
pub mod metadata;
pub mod names;
mod target;
mod time;

pub use alert::Alert;
pub use histogram::FloatHistogram;
pub use labels::{Labels, LabelsBuilder};
pub use matcher::{MatchKind, Matcher};
pub use metadata::{Metadata, MetricType};
pub use target::TargetGroup;
pub use time::{TimeRange, Timestamp};

/// The label that holds a metric's name.
pub const METRIC_NAME: &str = "__name__";
