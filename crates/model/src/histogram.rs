//! Native histograms: what they are and how to calculate with them.
//!
//! The engine works on [`FloatHistogram`]s, with absolute counts; targets and remote writers also
//! send integer [`Histogram`]s, whose buckets are deltas. Bounds are those of [`bounds`].

mod arithmetic;
pub mod bounds;
mod buckets;
mod classic;
mod compact;
mod equality;
mod integer;
mod reset;
mod resolution;
mod sparse;
mod text;
mod trim;
mod validate;

#[cfg(test)]
mod tests;

pub use arithmetic::{HistogramSum, Incompatible, Reconciled};
pub use buckets::Bucket;
pub use classic::{ClassicBuckets, ClassicError, Converted, custom_to_classic};
pub use integer::Histogram;
pub use validate::Error;

/// A run of consecutive populated buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Gap to the end of the span before (the first: index of its first bucket).
    pub offset: i32,
    pub length: u32,
}

/// What is known of a counter reset before this sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CounterResetHint {
    #[default]
    Unknown,
    Reset,
    NotReset,
    Gauge,
}

/// The schema number of histograms with custom bucket bounds.
pub const CUSTOM_BUCKETS_SCHEMA: i32 = -53;

/// A native histogram with float counts, exponential (schema -4 to 8) or with custom bounds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FloatHistogram {
    pub counter_reset_hint: CounterResetHint,
    pub schema: i32,
    pub zero_threshold: f64,
    pub zero_count: f64,
    pub count: f64,
    pub sum: f64,
    pub positive_spans: Vec<Span>,
    pub negative_spans: Vec<Span>,
    pub positive_buckets: Vec<f64>,
    pub negative_buckets: Vec<f64>,
    /// Upper bounds, without +Inf; only with [`CUSTOM_BUCKETS_SCHEMA`].
    pub custom_values: Vec<f64>,
}

impl FloatHistogram {
    /// Whether the bounds are custom ones.
    pub fn has_custom_buckets(&self) -> bool {
        self.schema == CUSTOM_BUCKETS_SCHEMA
    }
}
