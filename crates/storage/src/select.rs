use std::sync::Arc;

use model::{Labels, Matcher, TimeRange};

use crate::{Columns, Result};

/// Something that can be asked for samples.
pub trait Queryable: Send + Sync {
    /// A view of the samples in `range`, taken now: later appends may or may not be seen.
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier>>;
}

/// A view of a stretch of time. Calls may block on disk or network: not for async threads.
pub trait Querier: Send + Sync {
    /// The series that satisfy all `matchers`, sorted by labels if `sorted`.
    fn select(&self, sorted: bool, hints: &SelectHints, matchers: &[Matcher]) -> Result<SeriesSet>;

    /// The values of label `name`, sorted, among series that satisfy all `matchers`.
    fn label_values(
        &self,
        name: &str,
        hints: &LabelHints,
        matchers: &[Matcher],
    ) -> Result<LabelValues>;

    /// The label names, sorted, among series that satisfy all `matchers`.
    fn label_names(&self, hints: &LabelHints, matchers: &[Matcher]) -> Result<LabelValues>;
}

/// What the caller will do with a selection; a store may use it to read less, never to answer
/// less than the samples in `range`.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectHints {
    pub range: TimeRange,
    /// Zero for an instant query.
    pub step_ms: i64,
    /// Width of the range selector, zero for an instant selector.
    pub range_ms: i64,
    /// The function or aggregation around the selector, or "". `series` means that only labels
    /// are wanted.
    pub function: String,
    pub grouping: Vec<String>,
    /// `by` if true, `without` if false.
    pub by: bool,
    /// At most so many series; zero means all.
    pub limit: usize,
}

impl SelectHints {
    pub fn new(range: TimeRange) -> SelectHints {
        SelectHints {
            range,
            step_ms: 0,
            range_ms: 0,
            function: String::new(),
            grouping: Vec::new(),
            by: false,
            limit: 0,
        }
    }
}

/// What the caller wants of a label query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelHints {
    /// At most so many answers; zero means all.
    pub limit: usize,
}

/// Names or values, with the complaints of parts that could not answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelValues {
    pub values: Vec<String>,
    pub warnings: Vec<String>,
}

/// The series of a selection, with the complaints of parts that could not answer.
#[derive(Default)]
pub struct SeriesSet {
    pub series: Vec<Arc<dyn Series>>,
    pub warnings: Vec<String>,
}

/// One series: its labels, and its samples on demand.
pub trait Series: Send + Sync {
    fn labels(&self) -> Labels;

    /// Appends the samples in `range` to `columns`; stale markers are part of them.
    fn read(&self, range: TimeRange, columns: &mut Columns) -> Result<()>;

    /// Appends at least the newest sample in `range`, if there is one; a store may know it
    /// without reading the others.
    fn read_newest(&self, range: TimeRange, columns: &mut Columns) -> Result<()> {
        self.read(range, columns)
    }
}
