use std::{sync::Arc, time::Duration};

use model::{FloatHistogram, Labels, Timestamp};

/// The answer to a query.
#[derive(Debug, Clone)]
pub struct QueryResult {
    pub value: Value,
    /// Complaints of the storage and of the query's own making, each ready to be shown.
    pub warnings: Vec<String>,
    pub infos: Vec<String>,
    pub stats: Stats,
    /// If it was asked for.
    pub plan: Option<PlanNode>,
}

/// A part of a query, and what it cost with all that is below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanNode {
    /// What is done: `sum`, `rate`, `select`.
    pub node: String,
    /// To what: grouping, matchers, modifiers.
    pub detail: String,
    /// Series that came out of it.
    pub rows: u64,
    /// What their values take.
    pub bytes: u64,
    /// Of `window`, which reads on all cores: of all of them together.
    pub time: Duration,
    pub children: Vec<PlanNode>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Scalar(Timestamp, f64),
    String(Timestamp, String),
    /// In the order that the query asks for; without one, in no promised order.
    Vector(Vec<Sample>),
    /// Sorted by labels.
    Matrix(Vec<Series>),
}

/// One series at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub labels: Labels,
    pub timestamp: Timestamp,
    pub value: SampleValue,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SampleValue {
    Float(f64),
    Histogram(Arc<FloatHistogram>),
}

/// One series over time; floats and histograms are sorted by time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub labels: Labels,
    pub floats: Vec<Point<f64>>,
    pub histograms: Vec<Point<Arc<FloatHistogram>>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point<T> {
    pub timestamp: Timestamp,
    pub value: T,
}

/// What the query cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Samples that were looked at, once for each step that looked at them.
    pub total_samples: u64,
    /// Samples that were read, once for each selector that read them.
    pub samples_read: u64,
    /// The most samples that were held at one time.
    pub peak_samples: u64,
    /// Of `total_samples`, those of each step, if the query asked for it.
    pub total_samples_per_step: Vec<(Timestamp, u64)>,
    /// Of `samples_read`, those of each step, if the query asked for it.
    pub samples_read_per_step: Vec<(Timestamp, u64)>,
    pub timings: Timings,
}

/// Where the time went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Waiting for other queries.
    pub queue: Duration,
    /// Asking the storage for series.
    pub preparation: Duration,
    pub inner_evaluation: Duration,
    pub result_sort: Duration,
    /// All but the waiting.
    pub evaluation: Duration,
    pub total: Duration,
}
