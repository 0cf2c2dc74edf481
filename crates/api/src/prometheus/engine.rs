//! What the API asks of whatever answers queries.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use model::{FloatHistogram, Labels, Matcher, TimeRange, Timestamp};
use storage::Columns;

pub use super::exemplars::{Exemplar, SeriesExemplars};
use super::respond::Complaints;

/// Something that answers PromQL. Calls compute and block: not for async threads.
pub trait Engine: Send + Sync {
    fn run(&self, query: &Query) -> Result<Answer, QueryError>;

    /// Which parts of the language it speaks.
    fn language(&self) -> promql_syntax::Options {
        promql_syntax::Options::default()
    }

    /// The exemplars in `range` of all series that one of `selectors` selects, sorted by labels.
    /// There are none unless they are kept.
    fn exemplars(
        &self,
        range: TimeRange,
        selectors: &[Vec<Matcher>],
    ) -> Result<Vec<SeriesExemplars>, QueryError> {
        let _ = (range, selectors);
        Ok(Vec::new())
    }
}

#[derive(Debug, Clone)]
pub struct Query {
    pub text: String,
    pub times: Times,
    /// Shorter than the engine's own limit, if any.
    pub timeout: Option<Duration>,
    pub lookback_delta: Option<Duration>,
    /// Statistics for each step, too.
    pub per_step_stats: bool,
    /// How it was answered is wanted, too.
    pub explain: bool,
    /// Who asks.
    pub request: Option<Request>,
    /// True once nobody waits for the answer any more.
    pub cancel: Arc<AtomicBool>,
}

/// What is known of a request by HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The client's address, without its port; empty if it is not known.
    pub client: String,
    pub method: String,
    /// With the route prefix.
    pub path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    Instant(Timestamp),
    Range { start: Timestamp, end: Timestamp, step: Duration },
}

#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub value: Value,
    pub complaints: Complaints,
    pub stats: Stats,
    /// If it was asked for.
    pub plan: Option<PlanNode>,
}

/// A part of a query, and what it cost with all that is below it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlanNode {
    /// What is done: `sum`, `rate`, `select`.
    pub node: String,
    /// To what: grouping, matchers, modifiers.
    pub detail: String,
    /// Series that came out of it.
    pub rows: u64,
    /// What their values take.
    pub bytes: u64,
    pub time: Duration,
    pub children: Vec<PlanNode>,
}

#[derive(Debug, Clone)]
pub enum Value {
    Scalar { time: Timestamp, value: f64 },
    String { time: Timestamp, value: String },
    Vector(Vec<Sample>),
    Matrix(Vec<Series>),
}

impl Default for Value {
    fn default() -> Value {
        Value::Vector(Vec::new())
    }
}

#[derive(Debug, Clone)]
pub struct Sample {
    pub labels: Labels,
    pub time: Timestamp,
    pub value: SampleValue,
}

#[derive(Debug, Clone)]
pub enum SampleValue {
    Float(f64),
    Histogram(Arc<FloatHistogram>),
}

#[derive(Debug, Clone)]
pub struct Series {
    pub labels: Labels,
    pub columns: Columns,
}

/// What a query cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    pub eval_total_time: Duration,
    pub result_sort_time: Duration,
    pub query_preparation_time: Duration,
    pub inner_eval_time: Duration,
    pub exec_queue_time: Duration,
    pub exec_total_time: Duration,
    pub total_queryable_samples: u64,
    pub samples_read: u64,
    pub peak_samples: u64,
    /// Time and count of each step, if they were asked for.
    pub total_queryable_samples_per_step: Vec<(Timestamp, u64)>,
    pub samples_read_per_step: Vec<(Timestamp, u64)>,
}

/// Why there is no answer; the texts are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The text is no query.
    #[error("{0}")]
    Parse(String),
    #[error("{0}")]
    Timeout(String),
    #[error("{0}")]
    Canceled(String),
    #[error("{0}")]
    Storage(String),
    #[error("{0}")]
    Execution(String),
}
